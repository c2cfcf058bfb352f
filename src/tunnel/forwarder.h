#pragma once

#include <array>
#include <optional>

#include "base/bytes.h"
#include "base/drop.h"
#include "base/ip_address.h"
#include "base/packet_batch.h"
#include "base/role.h"
#include "base/time.h"
#include "base/token_bucket.h"
#include "base/udp_burst.h"
#include "plane/plane.h"
#include "tunnel/base_plane.h"
#include "tunnel/counters.h"
#include "tunnel/session.h"
#include "tunnel/session_table.h"
#include "wire/icmp.h"
#include "wire/ip_packet.h"

namespace qdt::tunnel {

/// The path of a packet between the TUN device and the connections, and every way out of it. One
/// thread; no allocation, lock or log line per packet.
class Forwarder {
 public:
  struct Options {
    Role role = Role::kServer;
  };

  Forwarder(const Options& options, SessionTable& sessions, Counters& counters,
            PacketBatch& to_tun);

  /// Takes a packet from the TUN device to its session's plane, or to its queue. Returns why it
  /// went nowhere, which the caller counts: a packet for nobody here may still be another shard's.
  /// A packet for a base plane waits for the rest of its batch, in place, until end_batch().
  std::optional<Drop> forward(Bytes packet, UdpSendQueue& out, Timestamp now);
  /// The same for a packet that is known to be for `session`.
  std::optional<Drop> forward_by(Session& session, Bytes packet, UdpSendQueue& out, Timestamp now);
  /// Hands on what waits; before the packets' memory has another use, and before anything else is
  /// done to their session.
  void end_batch(UdpSendQueue& out, Timestamp now);

  enum class Outcome {
    kDone,    ///< delivered, dropped or noted
    kClosed,  ///< the peer ended the session
  };
  /// Takes a payload of `plane`, the session's base plane, to the TUN device: opens it into
  /// `to_tun`, which has room for it.
  template <plane::Base P>
  Outcome deliver(Session& session, P& plane, Bytes payload, Timestamp now) {
    const auto drop = [this](Drop reason) {
      counters_.drops.count(reason);
      return Outcome::kDone;
    };
    if (!to_tun_.has_room(payload.size())) return drop(Drop::kQueueFull);
    const auto piece = plane.open(payload, to_tun_.reserve(payload.size()), now);
    return piece ? deliver(session, *piece, now) : drop(piece.error());
  }
  /// Takes what `plane` has held back, likewise.
  template <plane::Base P>
  Outcome deliver_due(Session& session, P& plane, Timestamp now) {
    while (plane.next_delivery() <= now && to_tun_.has_room(kMaxPacketBytes)) {
      const auto piece = plane.deliver_due(to_tun_.reserve(kMaxPacketBytes), now);
      if (!piece) break;
      if (deliver(session, *piece, now) == Outcome::kClosed) return Outcome::kClosed;
    }
    return Outcome::kDone;
  }
  /// The same for a packet of its session's direct plane, which may hold several. False, and
  /// nothing is counted: it does not open, and may be a packet of QUIC where the planes share their
  /// IDs.
  bool deliver_directly(Session& session, const UdpPath& path, Ecn ecn, Bytes packet,
                        Timestamp now);

  /// Tells the sender of a packet to an address that nobody has, itself a client's, that there is
  /// no way to it.
  void answer_no_session(const wire::IpPacket& packet, Timestamp now);
  /// Counts packets of the peer's that were discarded.
  void drop_received(Session& session, Drop reason, std::uint64_t count = 1) {
    session.received().drops += count;
    counters_.drops.count(reason, count);
  }

 private:
  // Packets in a row for one session, whose base plane is to have them together. The packets stay
  // where they are.
  struct Run {
    static constexpr std::size_t kMaxPackets = 64;
    Session* session = nullptr;
    std::size_t count = 0;
    std::array<Bytes, kMaxPackets> packets;
  };

  std::optional<Drop> forward_ip(Session& session, const wire::IpPacket& ip, UdpSendQueue& out,
                                 Timestamp now);
  Outcome deliver(Session& session, const plane::Piece& piece, Timestamp now);
  std::optional<Drop> deliver_packet(Session& session, MutableBytes packet, Ecn mark,
                                     Timestamp now);
  std::optional<Drop> reassemble(Session& session, Bytes fragment, Ecn mark, Timestamp now);
  /// `packet`, a copy in clamped_, with no MSS larger than the session's path carries.
  wire::IpPacket clamp_mss(const wire::IpPacket& packet, const Session& session);
  /// Why `packet` is too large for `session`, if it is; its sender has been told.
  std::optional<Drop> judge_size(Session& session, const wire::IpPacket& packet, Timestamp now);
  Drop answer_too_big(const wire::IpPacket& packet, std::size_t mtu);
  /// Writes an ICMP error, as wire/icmp.h has them, for the host: to the TUN device.
  template <typename Write>
  void tell_host(const wire::IpPacket& packet, Write&& write);
  void tell_peer_wrong_source(Session& session, const wire::IpPacket& packet, Timestamp now);

  Options options_;
  SessionTable& sessions_;
  Counters& counters_;
  PacketBatch& to_tun_;
  Run run_;
  TokenBucket no_session_limit_{kIcmpErrorLimit};
  // The bytes behind the first piece of the current payload.
  std::array<std::uint8_t, 2048> behind_first_;
  std::array<std::uint8_t, 2048> clamped_;
};

template <plane::Base P>
bool BasePlaneOf<P>::deliver_due(Forwarder& forwarder, Session& session, Timestamp now) {
  return forwarder.deliver_due(session, plane, now) != Forwarder::Outcome::kClosed;
}

}  // namespace qdt::tunnel
