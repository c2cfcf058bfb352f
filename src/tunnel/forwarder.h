#pragma once

#include <array>
#include <expected>
#include <optional>

#include "base/bytes.h"
#include "base/drop.h"
#include "base/ip_address.h"
#include "base/packet_batch.h"
#include "base/role.h"
#include "base/time.h"
#include "base/udp_burst.h"
#include "tunnel/counters.h"
#include "tunnel/session.h"
#include "tunnel/session_table.h"
#include "wire/direct_frame.h"
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

  /// Takes a packet from the TUN device to its session's connection, or to its queue. Returns the
  /// session, or why the packet went nowhere, which the caller counts: a packet for nobody here may
  /// still be another shard's.
  std::expected<Session*, Drop> forward(Bytes packet, UdpSendQueue& out, Timestamp now);

  enum class Outcome {
    kDone,       ///< delivered, dropped or noted
    kOwesReply,  ///< the session has something to send now
    kClosed,     ///< the peer ended the session
  };
  /// Takes a datagram from its session's connection to the TUN device: opens it into `to_tun`,
  /// which has room for it.
  Outcome deliver(Session& session, Bytes datagram, Timestamp now);
  /// The same for a packet of its session's direct plane, which may hold several. False, and
  /// nothing is counted: it does not open, and may be a packet of QUIC where the planes share their
  /// IDs.
  bool deliver_directly(Session& session, const UdpPath& path, Ecn ecn, Bytes packet,
                        Timestamp now);

 private:
  std::optional<Drop> take_frame(Session& session, const wire::DirectFrame& frame,
                                 const UdpPath& path, Ecn mark, Timestamp now);
  std::optional<Drop> deliver_packet(Session& session, MutableBytes packet, Ecn mark,
                                     Timestamp now);
  std::optional<Drop> reassemble(Session& session, Bytes fragment, Ecn mark, Timestamp now);
  /// `packet`, a copy in clamped_, with no MSS larger than the session's path carries.
  wire::IpPacket clamp_mss(const wire::IpPacket& packet, const Session& session);
  Drop answer_too_big(const wire::IpPacket& packet, std::size_t mtu);

  Options options_;
  SessionTable& sessions_;
  Counters& counters_;
  PacketBatch& to_tun_;
  // The bytes behind the first frame of the current payload.
  std::array<std::uint8_t, 2048> behind_first_;
  std::array<std::uint8_t, 2048> clamped_;
};

}  // namespace qdt::tunnel
