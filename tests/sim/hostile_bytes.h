#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "base/drop.h"
#include "quic/endpoint_fixture.h"
#include "support/sim_world.h"
#include "wire/ed25519.h"

// What a hostile client and a hostile server have in common: bytes that neither side may say, in
// tables of a test's rows.

namespace qdt::testing {

using Octets = std::vector<std::uint8_t>;

inline Octets operator+(Octets a, const Octets& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline wire::Ed25519PublicKey public_key(const wire::Ed25519Seed& seed) {
  return wire::Ed25519Key(seed).public_key();
}

/// Sends a datagram of HTTP/3 on the first stream of the node's connection, and waits for what
/// comes of it.
inline void send_datagram(SimWorld& world, quic::Node& node, Bytes datagram) {
  const std::string quarter_id(1, '\0');
  node.datagrams.push_back(quarter_id + std::string(as_text(datagram)));
  world.flush();
  world.run_for(200ms);
}

/// The name of a row, for INSTANTIATE_TEST_SUITE_P.
template <typename Row>
std::string name_of(const ::testing::TestParamInfo<Row>& info) {
  return info.param.name;
}

/// Capsules on the stream.
struct BadCapsules {
  const char* name;
  const char* words;  ///< of what a client says to them; empty where that is not looked at
  Octets bytes;
};

inline void PrintTo(const BadCapsules& row, std::ostream* out) {
  *out << row.name;
}

/// Each ends the request or session: type, length, then the entries.
inline const BadCapsules kMalformedCapsules[] = {
    {"AddressWithHostBits", "host bits", {1, 7, 0, 4, 10, 8, 0, 9, 31}},
    {"PrefixLengthOf33", "prefix length of 33", {1, 7, 0, 4, 10, 8, 0, 9, 33}},
    {"IpVersion5", "IP version 5", {1, 7, 0, 5, 10, 8, 0, 9, 32}},
    {"AddressOfIpVersion6WithFourBytes", "cut short", {1, 7, 0, 6, 10, 8, 0, 9, 32}},
    {"MappedAddress", "IPv4-mapped", {1, 19, 0, 6,    0,    0,  0, 0, 0, 0,  0,
                                      0, 0,  0, 0xff, 0xff, 10, 8, 0, 9, 128}},
    {"LengthThatCutsAnEntry", "cut short", {1, 6, 0, 4, 10, 8, 0, 9, 32}},
    {"LengthThatEndsInTheNextEntry", "cut short", {1, 8, 0, 4, 10, 8, 0, 9, 32, 0}},
    {"LengthBeyondTheBound", "16385 bytes", {1, 0x80, 0, 0x40, 1}},
    {"LengthOf62Bits", "bytes, above", {3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
    {"RequestOfNothing", "no address to ask for", {2, 0}},
    {"RequestWithId0", "ID 0", {2, 7, 0, 4, 0, 0, 0, 0, 32}},
    {"TwoRequestsWithOneId", "one ID", {2, 14, 1, 4, 0, 0, 0, 0, 32, 1, 4, 0, 0, 0, 0, 32}},
    {"RangeDownwards", "down to", {3, 10, 4, 10, 8, 0, 9, 10, 8, 0, 8, 0}},
    {"RangeThatIsCut", "cut short", {3, 9, 4, 10, 8, 0, 8, 10, 8, 0, 9}},
    {"RangesOutOfOrder", "out of order", {3, 20, 4,  10, 9, 0, 0,  10, 9, 0, 9,
                                          0, 4,  10, 8,  0, 0, 10, 8,  0, 9, 0}},
    {"RangesThatOverlap", "out of order", {3, 20, 4,  10, 8, 0, 0,  10, 8, 0,  9,
                                           0, 4,  10, 8,  0, 9, 10, 8,  0, 10, 0}},
    {"RangeOfOneProtocolOverOneOfAll", "overlap", {3, 20, 4,  10, 8, 0, 0,  10, 8, 0, 9,
                                                   0, 4,  10, 8,  0, 5, 10, 8,  0, 5, 17}},
    {"ProtocolsOutOfOrder", "out of order", {3,  20, 4,  10, 8, 0, 0,  10, 8, 0, 9,
                                             17, 4,  10, 9,  0, 0, 10, 9,  0, 9, 6}},
};

/// Each is skipped, or waits for its end.
inline const BadCapsules kSkippedCapsules[] = {
    {"UnknownCapsuleThatNeverEnds", "",
     Octets{0x21, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff} + Octets(30000, 1)},
    {"DatagramThatNeverEnds", "",
     Octets{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff} + Octets(30000, 1)},
    {"DatagramLongerThanAnyPacket", "", Octets{0, 0x80, 1, 0, 8} + Octets(65544, 1)},
    {"AddressesThatDoNotCome", "", {1, 0x40, 100, 0, 4, 10, 8}},
    {"TypeThatDoesNotCome", "", {0xc0, 0, 0}},
    {"LengthThatDoesNotCome", "", {1, 0x80, 0}},
};

/// A datagram that is dropped.
struct BadDatagram {
  const char* name;
  Drop drop;
  Octets bytes;
};

inline void PrintTo(const BadDatagram& row, std::ostream* out) {
  *out << row.name;
}

inline const BadDatagram kBadDatagrams[] = {
    {"Context6", Drop::kUnknownType, Octets{6} + Octets(40, 1)},
    {"Context62", Drop::kUnknownType, {62, 2, 0, 0}},
    {"Context63", Drop::kUnknownType, {63, 2, 0, 0}},
    {"ContextOf62Bits", Drop::kUnknownType, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}},
    {"ContextThatIsCut", Drop::kShort, {0x80, 0}},
    {"ControlWithoutAType", Drop::kShort, {4}},
    {"ControlOfAnUnknownType", Drop::kUnknownType, {4, 9, 1}},
    {"ControlThatIsAPacket", Drop::kUnknownType, {4, 0, 0x45}},
    {"NoPacket", Drop::kMalformed, {0}},
    {"PacketOfIpVersion5", Drop::kMalformed, Octets{0, 0x55} + Octets(40, 1)},
    {"PacketThatIsCut", Drop::kMalformed, {0, 0x45, 0, 0, 60}},
    {"FragmentWithoutItsFields", Drop::kBadFragment, {2, 0, 0, 0, 1}},
    {"FragmentOfNothing", Drop::kBadFragment, {2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}},
    {"FragmentBeyondItsTotal",
     Drop::kBadFragment,
     {2, 0, 0, 0, 1, 0, 0, 0, 90, 0, 0, 0, 60, 1, 2, 3}},
};

}  // namespace qdt::testing
