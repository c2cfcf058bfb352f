#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "access/account.h"
#include "access/shared_rate.h"
#include "base/attention.h"
#include "base/bytes.h"
#include "base/ip_address.h"
#include "base/role.h"
#include "base/time.h"
#include "base/token_bucket.h"
#include "base/udp_burst.h"
#include "plane/bundle.h"
#include "plane/direct_plane.h"
#include "quic/connection.h"
#include "tunnel/send_limits.h"
#include "tunnel/send_queue.h"
#include "tunnel/session_ring.h"
#include "wire/datagram.h"
#include "wire/fragment.h"
#include "wire/handshake.h"
#include "wire/ip_packet.h"
#include "wire/varint.h"

namespace qdt::tunnel {

class Tunnel;

struct SessionOptions {
  Role role = Role::kServer;
  wire::SessionId id = 0;
  wire::SessionKeys keys;
  IpAddress lease;                  ///< the client's inner address
  std::optional<IpAddress> lease6;  ///< and its IPv6 address, if there is IPv6 in the session
  std::size_t mtu = 0;              ///< as negotiated: the largest that tunnel_mtu() gets
  wire::Capabilities caps;
  RateLimit rate_limit;  ///< inner packets, each direction
  /// The user's; shared, since sessions outlive the table that it came with. Null: a client's own.
  std::shared_ptr<access::Account> account;
  RateLimit account_rate;  ///< of all sessions of the account together, each direction
  std::size_t send_queue = 0;
  std::size_t max_reassembly_bytes = 0;
  std::string client_id;  ///< fit for a log line
  /// For a session whose peers both have the cap.
  std::optional<plane::DirectPlane::Options> direct;
  /// Packets wait for the direct plane, never taking the QUIC plane instead.
  bool needs_direct = false;
};

/// The largest packet that one datagram carries over any path: what `mtu: auto` asks for.
inline constexpr std::size_t kLargestTunnelMtu =
    quic::Connection::largest_datagram_bytes() - wire::varint_bytes(0) - wire::kDatagramOverhead;

/// Why a session ended; the number is the reason byte of a Close datagram (docs/protocol.md).
enum class SessionEnd : std::uint8_t {
  kDone = 0,              ///< an orderly exit
  kShutdown = 1,          ///< the server is shutting down
  kIdle = 2,              ///< no packet for session_timeout
  kReplaced = 3,          ///< the client has a newer session
  kExhausted = 4,         ///< every counter was used
  kConnectionLost = 255,  ///< never sent: the QUIC connection ended first
};

/// A client as the tunnel sees it: a connection, a lease, keys, limits, and the packets that wait
/// for the connection. Datagrams are sealed when they are about to be sent, so that nothing sealed
/// is dropped. Notes in `attention` whatever may give it something to send, or another timer. One
/// thread: its shard's.
class Session {
 public:
  Session(const SessionOptions& options, quic::Connection& connection, quic::StreamId stream,
          PacketPool& pool, Counters& counters, Attention<Session>& attention, Random& random,
          Timestamp now);
  ~Session() { attention_.forget(*this); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  wire::SessionId id() const { return options_.id; }
  const IpAddress& lease() const { return options_.lease; }
  const std::optional<IpAddress>& lease6() const { return options_.lease6; }
  /// Whether `address` is one of the two.
  bool has_address(const IpAddress& address) const {
    return address.is_v4() ? address == options_.lease
                           : options_.lease6 && address == *options_.lease6;
  }
  Timestamp opened_at() const { return opened_at_; }
  const std::shared_ptr<access::Account>& account() const { return options_.account; }
  const std::string& client_id() const { return options_.client_id; }
  const wire::Capabilities& caps() const { return options_.caps; }
  /// The largest packet that fits one datagram on the path, at most as negotiated: larger ones are
  /// answered or cut. At least 1280 for IPv6's sake, or as negotiated: what no datagram holds then
  /// goes in fragments. While more is about to be found out about the path, what was believed
  /// before.
  std::size_t tunnel_mtu() const {
    const std::size_t bytes = packet_bytes_in(connection_.expected_datagram_bytes());
    return std::min(options_.mtu, std::max(bytes, wire::kMinIpv6Mtu));
  }
  /// The largest packet that fits one datagram now, however small: what TCP is told.
  std::size_t whole_packet_bytes() const {
    return std::min(options_.mtu, packet_bytes_in(connection_.max_datagram_bytes()));
  }
  quic::Connection& connection() const { return connection_; }
  quic::StreamId stream() const { return stream_; }

  // --- towards the peer ---

  enum class Progress {
    kIdle,      ///< nothing is left to send
    kTurnOver,  ///< more is left, but it is another session's turn
    kBlocked,   ///< the connection takes no more until it has heard from the peer or its timer
    kFull,      ///< `out` is full
  };
  /// Sends `packet` now if nothing waits before it and the connection takes it; else it waits its
  /// flow's turn. A small one waits for others to join it, until flush(), which has to follow.
  /// False: there is no room, and the packet was dropped.
  bool send(const wire::IpPacket& packet, UdpSendQueue& out, Timestamp now);
  /// Sends what waits. A turn is `turn_bytes` of sealed datagrams, and as a packet is not cut for
  /// it, the next one is shorter by what was too much; one that a full `out` has interrupted goes
  /// on. Nothing is saved by a session that has nothing to send or may not.
  Progress flush(std::size_t turn_bytes, UdpSendQueue& out, Timestamp now);
  bool has_backlog(Timestamp now) const {
    return !sealed_.empty() || !queue_.empty() || has_pong_to_send_ ||
           connection_.next_path_probe() > 0 || (direct_ && direct_->has_something(now));
  }
  /// When flush() will have something to send by itself.
  Timestamp next_timeout() const { return direct_ ? direct_->next_timeout() : kNever; }
  std::size_t queued_packets() const { return queue_.size(); }
  /// Drops what has waited since before `time`.
  void drop_older_than(Timestamp time) {
    if (!queue_.empty()) queue_.drop_older_than(time);
  }
  /// How long its queue has stood since the last call (SendQueue).
  Duration take_standing_delay() { return queue_.take_standing_delay(); }
  /// The limit that kept it from sending more, and for how long, since the last call.
  std::array<Duration, kSendLimits> take_limits(Timestamp now) { return limits_.take(now); }
  /// Bytes that the peer has got or that are lost (PathState) since the last call.
  std::uint64_t take_delivered_bytes();

  /// Tells a peer that understands it that the session ends; the connection's close follows.
  void send_close(SessionEnd reason, UdpSendQueue& out, Timestamp now);
  /// Sends a Ping on the QUIC plane now, if its connection takes it.
  void ping_by_quic(UdpSendQueue& out, Timestamp now);
  /// Answers a Ping at the next flush(). `payload` is at most kMaxControlBytes long.
  void queue_pong(Bytes payload);

  // --- from the peer ---

  wire::DatagramOpener opener;
  wire::Reassembler reassembler;
  SessionEnd peer_reason = SessionEnd::kDone;  ///< of its Close, once that has come

  // --- both ---

  /// Whether one more packet may go to the peer, or has been taken from it, within the limits of
  /// the session and of its user.
  bool may_send(Timestamp now) { return send_limit_.take(now) && send_share_.take(now); }
  bool may_receive(Timestamp now) { return receive_limit_.take(now) && receive_share_.take(now); }
  Timestamp last_packet;         ///< inner packet, either way
  std::uint64_t bytes_up = 0;    ///< in inner packets, from the client
  std::uint64_t bytes_down = 0;  ///< and to it

  /// Null where it was not agreed on.
  plane::DirectPlane* direct() {
    note_change();
    return direct_ ? &*direct_ : nullptr;
  }
  const plane::DirectPlane* direct() const { return direct_ ? &*direct_ : nullptr; }

  /// It is over, and wants no attention any more.
  void retire() {
    is_over_ = true;
    attention_.forget(*this);
  }

  // The tunnel's notes about this session.
  Tunnel* tunnel = nullptr;
  std::size_t noted_index = kNotNoted;
  Timestamp timer = kNever;
  std::size_t timer_index = kNoTimer;
  std::size_t table_index = 0;
  SessionRing::Place ready_place;  ///< in the round of sessions that may send

 private:
  void note_change() {
    if (!is_over_) attention_.note(*this);
  }
  using Step = plane::DirectPlane::Step;
  Step transmit(Bytes packet, std::size_t& offset, UdpSendQueue& out, Timestamp now);
  Step transmit_by_quic(Bytes packet, std::size_t& offset, UdpSendQueue& out, Timestamp now);
  Step transmit_directly(Bytes packet, std::size_t& offset, UdpSendQueue& out, Timestamp now);
  std::array<std::uint8_t, wire::kFragmentHeaderBytes> fragment_header(std::size_t offset,
                                                                       std::size_t total);
  Step send_sealed(UdpSendQueue& out, Timestamp now);
  Step send_path_probes(UdpSendQueue& out, Timestamp now);
  Step make_room(std::size_t plaintext_bytes, UdpSendQueue& out, Timestamp now);
  Progress flush_queue(UdpSendQueue& out, Timestamp now);
  Step flush_control(UdpSendQueue& out, Timestamp now);
  Step flush_direct(UdpSendQueue& out, Timestamp now);
  void seal(wire::DatagramType type, Bytes prefix, Bytes body);
  std::size_t max_datagram_bytes() const;
  std::size_t packet_bytes_in(std::size_t datagram_bytes) const {
    const std::size_t overhead = quarter_bytes_ + wire::kDatagramOverhead;
    return datagram_bytes - std::min(datagram_bytes, overhead);
  }

  SessionOptions options_;
  Attention<Session>& attention_;
  quic::Connection& connection_;
  quic::StreamId stream_;
  std::uint64_t quarter_id_;
  std::size_t quarter_bytes_;
  Timestamp opened_at_;

  TokenBucket send_limit_;
  TokenBucket receive_limit_;
  access::RateShare send_share_;
  access::RateShare receive_share_;
  wire::DatagramSealer sealer_;
  std::optional<plane::DirectPlane> direct_;
  SendQueue queue_;
  std::size_t front_offset_ = 0;  // how much of queue_.front() has been sent, in fragments
  std::uint32_t fragment_id_ = 0;
  std::int64_t credit_ = 0;  // bytes that are left of its turn
  SendLimits limits_;
  std::uint64_t counted_delivered_bytes_ = 0;
  // Sealed and not sent: because others may join them before flush(), or because the connection did
  // not take them.
  plane::Bundle sealed_;
  bool is_blocked_ = false;
  bool is_over_ = false;

  std::array<std::uint8_t, wire::kMaxControlBytes> pong_;
  std::size_t pong_bytes_ = 0;
  bool has_pong_to_send_ = false;
};

}  // namespace qdt::tunnel
