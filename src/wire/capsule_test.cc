#include "wire/capsule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace qdt::wire {
namespace {

using Octets = std::vector<std::uint8_t>;
using Read = std::pair<std::uint64_t, Octets>;

// All capsules of `stream`, which comes in pieces of `piece_bytes`.
std::vector<Read> read_all(CapsuleReader& reader, Bytes stream, std::size_t piece_bytes) {
  std::vector<Read> all;
  while (!stream.empty()) {
    Bytes piece = stream.first(std::min(piece_bytes, stream.size()));
    stream = stream.subspan(piece.size());
    while (const auto capsule = *reader.take(piece)) {
      all.emplace_back(capsule->type, Octets(capsule->value.begin(), capsule->value.end()));
    }
    EXPECT_TRUE(piece.empty());
  }
  return all;
}

TEST(CapsuleReader, ReadsCapsulesWhereverTheStreamIsCut) {
  const Octets stream = {0x01, 0x02, 0xaa, 0xbb,              // ADDRESS_ASSIGN
                         0x17, 0x03, 0x01, 0x02, 0x03,        // reserved: skipped
                         0x40, 0x03, 0x80, 0x00, 0x00, 0x00,  // ROUTE_ADVERTISEMENT, long forms
                         0x00, 0x01, 0xcc,                    // DATAGRAM
                         0x02, 0x00};                         // ADDRESS_REQUEST
  const std::vector<Read> expected = {{1, {0xaa, 0xbb}}, {3, {}}, {0, {0xcc}}, {2, {}}};
  for (std::size_t bytes = 1; bytes <= stream.size(); ++bytes) {
    CapsuleReader reader;
    EXPECT_EQ(read_all(reader, stream, bytes), expected) << bytes;
    EXPECT_EQ(reader.skipped(), 1u);
    EXPECT_TRUE(reader.is_between_capsules());
  }
}

TEST(CapsuleReader, LeavesWhatIsBehindTheFirstCapsule) {
  const Octets bytes = {0x01, 0x01, 0xaa, 0x01, 0x00};
  Bytes stream(bytes);
  CapsuleReader reader;
  const auto capsule = *reader.take(stream);
  ASSERT_TRUE(capsule);
  EXPECT_EQ(capsule->value.data(), bytes.data() + 2) << "it was copied";
  EXPECT_EQ(stream.size(), 2u);
}

TEST(CapsuleReader, KnowsWhereTheStreamMayNotEnd) {
  const Octets stream = {0x41, 0x01, 0x02, 0xaa, 0xbb, 0x01, 0x00};
  const std::vector<bool> expected = {false, false, false, false, true, false, true};
  CapsuleReader reader;
  EXPECT_TRUE(reader.is_between_capsules());
  for (std::size_t i = 0; i < stream.size(); ++i) {
    read_all(reader, Bytes(stream).subspan(i, 1), 1);
    EXPECT_EQ(reader.is_between_capsules(), expected[i]) << i;
  }
}

TEST(CapsuleReader, TakesTheLongestAddressCapsule) {
  Octets stream;
  append_capsule(stream, capsule::kRouteAdvertisement, Octets(kMaxAddressCapsuleBytes, 7));
  CapsuleReader reader;
  const auto all = read_all(reader, stream, 1200);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].second, Octets(kMaxAddressCapsuleBytes, 7));
}

TEST(CapsuleReader, RefusesALongerOneBeforeItComes) {
  for (const std::uint8_t type : {1, 2, 3}) {
    const Octets header = {type, 0x80, 0x00, 0x40, 0x01};
    const Octets next = {0x01, 0x00};
    Bytes stream(header);
    CapsuleReader reader;
    EXPECT_FALSE(reader.take(stream));
    EXPECT_FALSE(reader.is_between_capsules());
    EXPECT_FALSE(reader.take(stream = next)) << "it goes on after an error";
  }
}

TEST(CapsuleReader, SkipsWhatItDoesNotKnowWhateverItsLength) {
  const Octets stream = {0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  CapsuleReader reader;
  EXPECT_TRUE(read_all(reader, stream, 9).empty());
  EXPECT_TRUE(read_all(reader, Octets(100'000, 1), 1200).empty());
  EXPECT_FALSE(reader.is_between_capsules());
}

TEST(CapsuleReader, SkipsDatagramsTooLongForAPacket) {
  Octets stream;
  append_capsule(stream, capsule::kDatagram, Octets(kMaxDatagramCapsuleBytes + 1));
  append_capsule(stream, capsule::kDatagram, Octets(kMaxDatagramCapsuleBytes));
  append_capsule(stream, capsule::kDatagram, {});
  CapsuleReader reader;
  const auto all = read_all(reader, stream, 1200);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].second.size(), kMaxDatagramCapsuleBytes);
  EXPECT_EQ(reader.skipped(), 1u);
}

TEST(AppendCapsule, WritesTypeAndLengthInTheirShortestForm) {
  Octets out = {0xee};
  append_capsule(out, 0x1ace79ec, Octets{1, 2});
  append_capsule(out, capsule::kAddressRequest, {});
  EXPECT_EQ(out, (Octets{0xee, 0x9a, 0xce, 0x79, 0xec, 0x02, 1, 2, 0x02, 0x00}));
}

}  // namespace
}  // namespace qdt::wire
