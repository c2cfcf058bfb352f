#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/seeded_random.h"
#include "wire/datagram.h"
#include "wire/handshake.h"

namespace qdt::probe {

using Datagram = std::vector<std::uint8_t>;

/// Datagrams that no honest client sends, made with a session's real keys.
class BadDatagrams {
 public:
  BadDatagrams(const wire::ConnectResponse& session, const wire::DirectionKey& key,
               testing::SeededRandom& random);

  /// `count` bad datagrams of `kind`, among the good ones that some kinds need, each behind the
  /// number of its stream.
  std::vector<Datagram> make(std::string_view kind, std::size_t count);
  /// An honest Ping, likewise.
  Datagram last_ping();

  /// Every kind, with what it is, a line each: for --help.
  static std::string kinds();
  static bool is_kind(std::string_view name);

 private:
  struct Kind;
  static const std::vector<Kind>& all_kinds();

  Datagram ping();
  Datagram sealed(wire::DatagramType type, Bytes plaintext);
  Datagram data(const Datagram& packet) { return sealed(wire::DatagramType::kData, packet); }
  Datagram fragment(std::uint32_t offset, std::uint32_t total, std::size_t bytes);
  Datagram noise(std::size_t bytes);
  Datagram packet_from(const IpAddress& source);

  wire::ConnectResponse session_;
  testing::SeededRandom& random_;
  // Starts high, so that the other one's counters are too old from the beginning.
  wire::DatagramSealer sealer_;
  wire::DatagramSealer old_sealer_;
  Datagram replayed_;
  std::uint32_t fragment_id_ = 0;
};

}  // namespace qdt::probe
