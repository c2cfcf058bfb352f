#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "access/account.h"
#include "access/byte_share.h"
#include "access/meter.h"
#include "access/rate_parts.h"
#include "access/shared_rate.h"
#include "access/traffic.h"
#include "access/user_table.h"
#include "base/attention.h"
#include "base/bytes.h"
#include "base/ip_address.h"
#include "base/role.h"
#include "base/time.h"
#include "base/token_bucket.h"
#include "base/udp_burst.h"
#include "plane/direct_plane.h"
#include "tunnel/base_plane.h"
#include "tunnel/policer.h"
#include "tunnel/send_limits.h"
#include "tunnel/send_queue.h"
#include "tunnel/session_end.h"
#include "tunnel/session_ring.h"
#include "wire/context_datagram.h"
#include "wire/fragment.h"
#include "wire/handshake.h"
#include "wire/ip_packet.h"

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
  /// Version 2's datagrams on the QUIC plane (QuicPlane::Options); nothing: version 1's.
  std::optional<wire::ContextTerms> contexts;
  RateLimit rate_limit;  ///< inner packets, each direction
  /// The user's; shared, since sessions outlive the table that it came with. Null: a client's own.
  std::shared_ptr<access::Account> account;
  std::shared_ptr<access::Meter> meter;  ///< the device's; null: a client's own
  RateLimit account_rate;         ///< of all sessions of the account together, each direction
  access::BitRates account_bits;  ///< likewise
  std::size_t send_queue = 0;
  std::size_t max_reassembly_bytes = 0;
  std::string client_id;  ///< fit for a log line
  std::string user;       ///< of a server's; empty: the configuration's
  std::string device;     ///< of its; empty: those that have the token
  /// What the device was when it came in, for whoever decides whether it may stay; null: those that
  /// have the token, a client's own.
  std::shared_ptr<const access::Device> proven;
  /// For a session whose peers both have the cap.
  std::optional<plane::DirectPlane::Options> direct;
  /// Packets wait for the direct plane, never taking the QUIC plane instead.
  bool needs_direct = false;
};

/// How many ICMP errors are written for the packets of a session (RFC 4443 section 2.4(f)).
inline constexpr RateLimit kIcmpErrorLimit{.per_second = 100, .burst = 100};

/// A client as the tunnel sees it: a lease, limits, the planes that take its packets to the peer,
/// and the packets that wait for them. Knows planes, but not what they are made of. Notes in
/// `attention` whatever may give it something to send, or another timer. One thread: its shard's.
class Session {
 public:
  Session(const SessionOptions& options, std::unique_ptr<BasePlane> base, PacketPool& pool,
          Counters& counters, Attention<Session>& attention, Timestamp now);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Gives it a direct plane beside the base plane, made of `arguments`; before the first packet.
  template <typename... Arguments>
  void add_direct(Arguments&&... arguments) {
    direct_.emplace(std::forward<Arguments>(arguments)...);
    note_change();
  }

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
  const std::string& user() const { return options_.user; }
  const std::string& device() const { return options_.device; }
  const std::shared_ptr<const access::Device>& proven() const { return options_.proven; }
  const wire::Capabilities& caps() const { return options_.caps; }
  /// The largest packet that the base plane takes in one piece, at most as negotiated: larger ones
  /// are answered or cut. While more is about to be found out about the path, what was believed
  /// before. Where packets may be cut, at least 1280 for IPv6's sake, or as negotiated: what does
  /// not fit then goes in fragments.
  std::size_t tunnel_mtu() const {
    const std::size_t least = cuts_packets() ? wire::kMinIpv6Mtu : 0;
    return std::min(options_.mtu, std::max(packet_limits_.expected, least));
  }
  /// Whether packets that do not fit go in fragments. Else they are dropped.
  bool cuts_packets() const { return packet_limits_.cuts_packets; }
  /// IPv6 needs packets of 1280 bytes (RFC 9484 section 7): in fragments, or whole once that was
  /// seen to work. While a path is searched anew it stays as it was.
  bool carries_ipv6() const { return carries_ipv6_; }
  /// The largest packet that goes in one piece now, however small: what TCP is told.
  std::size_t whole_packet_bytes() const { return std::min(options_.mtu, packet_limits_.whole); }

  // --- towards the peer ---

  enum class Progress {
    kIdle,      ///< nothing is left to send
    kTurnOver,  ///< more is left, but it is another session's turn
    kBlocked,   ///< the plane takes no more until it has heard from the peer or its timer
    kFull,      ///< `out` is full
  };
  /// Whether packets go to the base plane, which takes those of a batch together, with
  /// send_batch(); else with send(), one by one.
  bool takes_batches() const {
    return !is_blocked_ && queue_.empty() && !is_direct() && !options_.needs_direct &&
           !send_bytes_.is_limited();
  }
  /// Sends packets now, as far as the base plane takes them; the rest waits its flows' turns. Small
  /// ones wait for others to join them, until flush(), which has to follow. Returns how many were
  /// dropped because there is no room.
  std::size_t send_batch(std::span<const Bytes> packets, UdpSendQueue& out, Timestamp now);
  /// The same for one packet, and for the direct plane. False: it was dropped.
  bool send(const wire::IpPacket& packet, UdpSendQueue& out, Timestamp now);
  /// Sends what waits. A turn is `turn_bytes` of sealed packets, and as a packet is not cut for
  /// it, the next one is shorter by what was too much; one that a full `out` has interrupted goes
  /// on. Nothing is saved by a session that has nothing to send or may not.
  Progress flush(std::size_t turn_bytes, UdpSendQueue& out, Timestamp now);
  bool has_backlog(Timestamp now) const {
    return !queue_.empty() || base_->has_something(now) || (direct_ && direct_->has_something(now));
  }
  /// Looks at what may have changed since the last time; whether flush() has something to send.
  bool wants_turn(Timestamp now) {
    note_limits();
    return has_backlog(now);
  }
  /// When flush() will have something to send by itself, or deliver_due() something to deliver.
  Timestamp next_timeout() const {
    return std::min({base_->next_timeout(), base_->next_delivery(),
                     direct_ ? direct_->next_timeout() : kNever,
                     is_held_back_ && !queue_.empty() ? send_bytes_.ready_at() : kNever});
  }
  /// Leaves a packet for flush(): one of our own, from within whatever comes from the peer.
  void send_later(const wire::IpPacket& packet, Timestamp now) {
    note_change();
    push(packet, now);
  }
  /// Whether an ICMP error may be written for a packet of the session's now; if so, it counts.
  bool may_tell_error(Timestamp now) { return error_limit_.take(now); }
  std::size_t queued_packets() const { return queue_.size(); }
  /// Drops what has waited since before `time`.
  void drop_older_than(Timestamp time) {
    if (!queue_.empty()) queue_.drop_older_than(time);
  }
  /// Gives back the memory of busier times. About once a second.
  void shrink(Timestamp now) {
    queue_.shrink();
    if (direct_) direct_->shrink(now);
  }
  /// How long its queue has stood since the last call (SendQueue).
  Duration take_standing_delay() { return queue_.take_standing_delay(); }
  /// The same of the direct plane's path, while that is in use.
  Duration take_path_queue() {
    return is_direct() ? direct_->take_standing_queue() : Duration::zero();
  }
  /// The limit that kept it from sending more, and for how long, since the last call.
  std::array<Duration, kSendLimits> take_limits(Timestamp now) { return limits_.take(now); }
  /// Bytes that the peer has got or that are lost since the last call.
  std::uint64_t take_delivered_bytes();

  /// Tells a peer that understands it that the session ends; base().close() follows.
  void send_close(SessionEnd reason, UdpSendQueue& out, Timestamp now);
  /// Sends a Ping on the base plane now, if that takes it.
  void ping_by_base(UdpSendQueue& out, Timestamp now);

  // --- from the peer ---

  wire::Reassembler reassembler;
  SessionEnd peer_reason = SessionEnd::kDone;  ///< of its Close, once that has come

  // --- both ---

  /// Whether one more packet may go to the peer, or has been taken from it, within the limits of
  /// the session and of its user.
  bool may_send(Timestamp now) { return send_limit_.take(now) && send_share_.take(now); }
  bool may_receive(Timestamp now) { return receive_limit_.take(now) && receive_share_.take(now); }
  /// Whether a packet from the peer keeps within the bits of its user. If it comes too soon, its
  /// flow is to slow down: it is marked where the flow understands that, else it is to be dropped.
  bool keeps_to_rate(MutableBytes packet, Timestamp now);
  /// Other limits from now on.
  void use_limits(const access::UserLimits& limits, Timestamp now);
  /// The rate that the peer has asked this side to send at, in bits a second; 0: any.
  void use_send_rate(std::uint64_t bits_per_second);
  std::uint64_t send_rate() const { return send_rate_; }
  /// The rate that the peer is to be asked for, in bits a second, 0 for any; nothing: it has been
  /// told.
  std::optional<std::uint64_t> take_peer_rate();
  bool has_peer_rate() const { return !is_peer_rate_told_; }
  Timestamp last_packet;  ///< inner packet, either way
  /// The forwarder counts the session's packets here.
  access::Traffic::Way& sent() {
    return options_.role == Role::kServer ? traffic_.down : traffic_.up;
  }
  access::Traffic::Way& received() {
    return options_.role == Role::kServer ? traffic_.up : traffic_.down;
  }
  /// All that it has carried, and what was discarded of it.
  access::Traffic traffic() const;
  /// Adds what has come since the last time to the account of its user and to the meter of its
  /// device. About once a second.
  void tell_account(Timestamp now);
  /// Bytes a second that it carried lately, each way.
  struct Rates {
    std::uint64_t up = 0;
    std::uint64_t down = 0;
  };
  Rates rates() const { return rates_; }

  BasePlane& base() {
    note_change();
    return *base_;
  }
  const BasePlane& base() const { return *base_; }
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
  void note_limits();
  Timestamp heard_at() const;
  bool is_direct() const { return direct_ && direct_->is_usable(); }
  plane::Step send_queued(UdpSendQueue& out, Timestamp now);
  bool push(const wire::IpPacket& packet, Timestamp now);
  void note_step(plane::Step step, Timestamp now);
  void use_bits(const access::BitRates& bits, Timestamp now);
  void divide_rate(const access::RateParts::Use& use, Timestamp now);

  SessionOptions options_;
  Attention<Session>& attention_;
  Timestamp opened_at_;

  access::Traffic traffic_;  // but for what its queue has dropped
  access::Traffic told_;     // to the account and the meter
  Timestamp told_at_;
  Timestamp seen_at_;  // as the meter was told
  Rates rates_;        // of what was told
  TokenBucket send_limit_;
  TokenBucket receive_limit_;
  access::RateShare send_share_;
  access::RateShare receive_share_;
  access::ByteShare send_bytes_;
  access::SharedRate own_bytes_;  // a client's own, for its one session
  std::uint64_t send_rate_ = 0;   // that the peer has asked for
  Policer policer_;
  access::RateParts::Use use_;   // told to the account
  std::uint64_t peer_rate_ = 0;  // that the peer is to keep to
  bool is_peer_rate_told_ = true;
  std::unique_ptr<BasePlane> base_;
  std::optional<plane::DirectPlane> direct_;
  plane::PacketLimits packet_limits_;  // the base plane's, which every packet asks for
  bool carries_ipv6_ = false;
  TokenBucket error_limit_{kIcmpErrorLimit};
  SendQueue queue_;
  plane::Cut cut_;           // the packet at hand
  std::int64_t credit_ = 0;  // bytes that are left of its turn
  SendLimits limits_;
  std::uint64_t counted_delivered_bytes_ = 0;
  bool is_blocked_ = false;
  bool is_held_back_ = false;  // by send_bytes_
  bool is_over_ = false;
};

}  // namespace qdt::tunnel
