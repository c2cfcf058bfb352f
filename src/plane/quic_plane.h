#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/drop.h"
#include "base/role.h"
#include "base/time.h"
#include "base/udp_burst.h"
#include "plane/bundle.h"
#include "plane/plane.h"
#include "plane/quic_codec.h"
#include "quic/connection.h"
#include "wire/context_datagram.h"
#include "wire/handshake.h"
#include "wire/varint.h"

namespace qdt::plane {

/// A session's packets in the datagrams of one stream of a QUIC connection (docs/protocol-v1.md
/// sections 3 to 5; docs/protocol.md section 9). Datagrams are sealed when they are about to be
/// sent, several small ones for one QUIC packet; only those of a bundle that the connection does
/// not take wait sealed. Its timer is the connection's. One thread.
class QuicPlane {
 public:
  struct Options {
    Role role = Role::kServer;
    wire::SessionId id = 0;
    wire::SessionKeys keys;
    wire::Capabilities caps;
    /// Version 2's datagrams, which need no `id` and `keys`; nothing: version 1's.
    std::optional<wire::ContextTerms> contexts;
  };

  /// The largest packet that one datagram carries over any path: what `mtu: auto` asks for. Those
  /// of version 1 have room for less, as all are sealed.
  static constexpr std::size_t kLargestPacketBytes =
      quic::Connection::largest_datagram_bytes() - wire::varint_bytes(0) - wire::kContextBytes;
  static constexpr std::size_t kLargestVersion1PacketBytes =
      quic::Connection::largest_datagram_bytes() - wire::varint_bytes(0) - wire::kDatagramOverhead;

  /// `connection` outlives the plane, or detach() was called.
  QuicPlane(const Options& options, quic::Connection& connection, quic::StreamId stream);

  quic::Connection& connection() const { return connection_; }
  quic::StreamId stream() const { return stream_; }

  // plane::Base
  Step send(Bytes packet, Cut& cut, UdpSendQueue& out, Timestamp now);
  Step flush(UdpSendQueue& out, Timestamp now);
  bool has_something(Timestamp) const {
    return !sealed_.empty() || has_pong_to_send_ || connection_.next_path_probe() > 0;
  }
  Timestamp next_timeout() const { return kNever; }
  bool is_usable() const { return !codec_.is_exhausted(); }
  PacketLimits limits() const {
    return {.whole = packet_bytes_in(connection_.max_datagram_bytes()),
            .expected = packet_bytes_in(connection_.expected_datagram_bytes()),
            .cuts_packets = codec_.cuts_packets()};
  }
  PathView view() const;
  Timestamp next_delivery() const { return kNever; }
  std::optional<Piece> deliver_due(MutableBytes, Timestamp) { return std::nullopt; }
  std::expected<Piece, Drop> open(Bytes datagram, MutableBytes slot, Timestamp now);
  void ping(UdpSendQueue& out, Timestamp now);
  void send_close(std::uint8_t reason, UdpSendQueue& out, Timestamp now);
  void close(std::string_view text, Timestamp now) { connection_.close(text, now); }
  void detach();

 private:
  Step send_sealed(UdpSendQueue& out, Timestamp now);
  Step send_path_probes(UdpSendQueue& out, Timestamp now);
  Step make_room(wire::DatagramType type, std::size_t content_bytes, UdpSendQueue& out,
                 Timestamp now);
  /// Returns the datagram's length.
  std::size_t seal(wire::DatagramType type, Bytes prefix, Bytes body);
  void queue_pong(Bytes payload);
  std::size_t max_datagram_bytes() const;
  std::size_t packet_bytes_in(std::size_t datagram_bytes) const {
    const std::size_t overhead = quarter_bytes_ + codec_.overhead(wire::DatagramType::kData);
    return datagram_bytes - std::min(datagram_bytes, overhead);
  }

  wire::Capabilities caps_;
  quic::Connection& connection_;
  quic::StreamId stream_;
  std::uint64_t quarter_id_;
  std::size_t quarter_bytes_;
  QuicCodec codec_;
  // Sealed and not sent: because others may join them before flush(), or because the connection did
  // not take them.
  Bundle sealed_;

  std::array<std::uint8_t, wire::kMaxControlBytes> pong_;
  std::size_t pong_bytes_ = 0;
  bool has_pong_to_send_ = false;
};

}  // namespace qdt::plane
