#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/packet_batch.h"
#include "base/random.h"
#include "base/role.h"
#include "base/time.h"
#include "base/udp_burst.h"
#include "plane/quic_plane.h"
#include "quic/endpoint.h"
#include "tunnel/counters.h"
#include "tunnel/forwarder.h"
#include "tunnel/send_queue.h"
#include "tunnel/session.h"
#include "tunnel/session_ring.h"
#include "tunnel/session_table.h"
#include "tunnel/sweep.h"

namespace qdt::tunnel {

class Tunnel;

/// The largest packet that goes in one piece over any path: what `mtu: auto` asks for, in version 2
/// and in version 1.
inline constexpr std::size_t kLargestTunnelMtu = plane::QuicPlane::kLargestPacketBytes;
inline constexpr std::size_t kLargestVersion1Mtu = plane::QuicPlane::kLargestVersion1PacketBytes;

/// The events of a tunnel, for the server or the client. Called on the tunnel's thread from within
/// its functions, never once per packet. A session may be opened or closed, and a connection
/// answered or closed, from within each.
class TunnelEvents {
 public:
  virtual ~TunnelEvents() = default;
  /// The peer's SETTINGS have arrived.
  virtual void on_settings(Tunnel& tunnel, quic::Connection& connection) = 0;
  /// A request (to a server) or an answer (to a client) has its headers, or has grown or ended.
  virtual void on_message(Tunnel& tunnel, quic::Connection& connection, quic::StreamId stream,
                          const quic::Message& message) = 0;
  /// Bytes on a stream that stays open, in version 2 (quic::ConnectionEvents::on_stream_bytes()).
  virtual void on_stream_bytes(Tunnel& /*tunnel*/, quic::Connection& /*connection*/,
                               quic::StreamId /*stream*/, Bytes /*bytes*/) {}
  /// The stream of a request is gone; that of a session reports on_session_closed() instead.
  virtual void on_stream_closed(Tunnel& tunnel, quic::Connection& connection,
                                quic::StreamId stream) = 0;
  /// A path that is new to the connection was tried: the peer answers on it, or it does not.
  virtual void on_path_tried(Tunnel& /*tunnel*/, quic::Connection& /*connection*/,
                             const UdpPath& /*path*/, bool /*is_usable*/) {}
  /// Once a second while there are sessions or connections, and at the time that it returned last,
  /// where that is earlier: to look at what no packet tells of.
  virtual Timestamp on_tick(Tunnel& /*tunnel*/) { return kNever; }
  /// The peer of a session is to be asked to send no faster than this; 0: as fast as it likes. A
  /// second may pass between what brings it about and this.
  virtual void on_peer_rate(Tunnel& /*tunnel*/, Session& /*session*/,
                            std::uint64_t /*bits_per_second*/) {}
  /// The time of Tunnel::wake_at() has come.
  virtual void on_wake(Tunnel& /*tunnel*/) {}
  /// `session` is over and forgotten when this returns. `detail` is empty or has the connection's
  /// words.
  virtual void on_session_closed(Tunnel& tunnel, Session& session, SessionEnd end,
                                 const std::string& detail) = 0;
  /// The connection is over and forgotten soon; its session was reported before.
  virtual void on_connection_closed(Tunnel& tunnel, quic::Connection& connection,
                                    const quic::CloseReason& reason) = 0;
};

/// All of a shard that needs no operating system: connections, sessions, and the path of the
/// packets between them. Payloads, packets and time go in; payloads() and packets() come out, for
/// the shard to take away. The simulator runs two of these. One thread.
class Tunnel final : private quic::ConnectionEvents {
 public:
  struct Options {
    Role role = Role::kServer;
    quic::Endpoint::Options endpoint;
    std::size_t max_packet_bytes = 1350;     ///< the TUN device's MTU
    std::size_t send_batch = 16;             ///< full packets' worth of one session's turn
    std::size_t max_queued_packets = 16384;  ///< in all sessions' send queues together
    Duration session_timeout{};              ///< 0: never
    /// Packets for nobody here go to strays() instead of being dropped: a sibling may own them.
    bool has_siblings = false;
    /// A server's: whether a session, a sibling's too, has this inner address. Asked for packets to
    /// nobody alone.
    std::function<bool(const IpAddress&)> is_lease;
  };

  /// `server_tls` is null on a client. Payloads for the network go to `payloads`. What is referred
  /// to outlives the tunnel.
  Tunnel(const Options& options, const quic::TlsServerContext* server_tls, TunnelEvents& events,
         Random& random, Counters& counters, UdpSendQueue& payloads);
  ~Tunnel() override;

  // --- in ---

  /// A payload from the network. Ask has_room() first.
  void receive(const UdpPath& path, Ecn ecn, Bytes payload, Timestamp now);
  /// A payload for `plane`, the base plane of `session`, by a way that the tunnel does not know of.
  template <plane::Base P>
  void receive(Session& session, P& plane, Bytes payload, Timestamp now) {
    now_ = now;
    attention_.note(session);  // it may have something to send now
    if (forwarder_.deliver(session, plane, payload, now) == Forwarder::Outcome::kClosed) {
      end_by_peer(session);
    }
  }
  /// A datagram of a session that rests on a QUIC connection, from the context ID on: in version 2
  /// one may come in a capsule on the session's stream (RFC 9297 section 3.5). It may end session
  /// and connection.
  void receive_datagram(Session& session, Bytes datagram);
  /// Packets from the TUN device, or strays from a sibling, as many of the batch as `takes` is true
  /// for. They stay where they are until this returns.
  template <typename Packets, typename Takes>
  void forward(const Packets& packets, Takes&& takes, Timestamp now) {
    now_ = now;
    for (const auto packet : packets) {
      if (takes(packet)) forward_one(packet);
    }
    forwarder_.end_batch(payloads_, now);
  }
  void forward(Bytes packet, Timestamp now) {
    forward(std::span(&packet, 1), [](Bytes) { return true; }, now);
  }
  /// A packet for one of several sessions that a client has: a real one has one.
  void forward_by(Session& session, Bytes packet, Timestamp now) {
    now_ = now;
    if (const auto drop = forwarder_.forward_by(session, packet, payloads_, now)) {
      counters_.drops.count(*drop);
    }
    forwarder_.end_batch(payloads_, now);
  }
  /// Counts a packet from the TUN device that is for nobody, here or elsewhere. A client that sent
  /// it is told by ICMP.
  void drop_unowned(Bytes packet);
  Timestamp next_timeout() const;
  void handle_timeouts(Timestamp now);

  // --- out ---

  /// Writes what there is to send: send_packets(), then send_rest(). False when payloads() was
  /// full: take them away, call again.
  [[nodiscard]] bool send(Timestamp now) { return send_packets(now) && send_rest(now); }
  /// Inner packets: what somebody waits for. The same promise.
  [[nodiscard]] bool send_packets(Timestamp now);
  /// Acknowledgements and whatever else the connections have to say; sets their timers. The same
  /// promise.
  [[nodiscard]] bool send_rest(Timestamp now);
  /// For the network. Call send() before looking.
  UdpSendQueue& payloads() { return payloads_; }
  /// For the TUN device.
  PacketBatch& packets() { return packets_; }
  /// For the siblings that own their destinations; only with `has_siblings`.
  PacketBatch& strays() { return strays_; }
  /// Whether packets() can take what one more payload may bring.
  bool has_room() const {
    return packets_.has_room(kMaxPacketBytes) &&
           packets_.size() + kMaxPacketsPerPayload <= PacketBatch::kMaxPackets;
  }

  // --- control ---

  /// A server's, for connections from now on.
  void use_certificate(std::shared_ptr<const quic::TlsServerContext> server) {
    endpoint_.use_certificate(std::move(server));
  }
  quic::Connection& connect(const quic::TlsClientContext& tls, const std::string& server_name,
                            const UdpPath& path, Timestamp now);
  /// Takes a client's connection to another local address or port (Connection::migrate()).
  bool migrate(quic::Connection& connection, const UdpPath& path, Timestamp now);
  /// Finds out whether a server that does not answer the handshake hears small payloads
  /// (quic::Connection::is_path_too_narrow()).
  void ask_small(quic::Connection& connection) { endpoint_.ask_small(connection, payloads_); }
  /// Begins a session that rests on `base`. A lease has one at most.
  Session& open_session(const SessionOptions& options, std::unique_ptr<BasePlane> base,
                        Timestamp now);
  /// Makes `stream` of `connection` a session: it rests on a QuicPlane, and has a direct plane
  /// where the options say so. A connection has one at most.
  Session& open_session(const SessionOptions& options, quic::Connection& connection,
                        quic::StreamId stream, Timestamp now);
  /// Connection IDs for the direct plane of a session that is about to be opened.
  std::vector<wire::DirectId> new_direct_ids();
  /// Ends a session and its connection, telling a peer that understands why.
  void close_session(Session& session, SessionEnd end, Timestamp now);
  /// Ends everything.
  void close_all(SessionEnd end, std::string_view text, Timestamp now);
  /// Calls on_wake() once, at `time` or sooner if it was asked for then.
  void wake_at(Timestamp time) { next_wake_ = std::min(next_wake_, time); }

  std::size_t shard_of_payload(Bytes payload) const { return endpoint_.shard_of_payload(payload); }
  const SessionTable& sessions() const { return sessions_; }
  std::size_t connection_count() const { return endpoint_.connection_count(); }
  /// The session of a connection, if it has one.
  static Session* session_of(const quic::Connection& connection) {
    return static_cast<Session*>(connection.owner);
  }
  /// The plane of a session on a QUIC connection; null for others.
  static const plane::QuicPlane* quic_plane_of(const Session& session);
  /// The time of the call that the tunnel is in.
  Timestamp now() const { return now_; }

 private:
  static constexpr std::size_t kMaxPacketsPerPayload = 32;
  static constexpr Duration kTick = Sweep::kPeriod;

  // quic::ConnectionEvents
  void on_settings(quic::Connection& connection) override;
  void on_message(quic::Connection& connection, quic::StreamId stream,
                  const quic::Message& message) override;
  void on_stream_bytes(quic::Connection& connection, quic::StreamId stream, Bytes bytes) override;
  void on_stream_closed(quic::Connection& connection, quic::StreamId stream) override;
  void on_path_tried(quic::Connection& connection, const UdpPath& path, bool is_usable) override;
  void on_closed(quic::Connection& connection, const quic::CloseReason& reason) override;

  Session* session_of_direct(Bytes payload);
  void receive_by_quic(Session& session, const UdpPath& path, Ecn ecn, Bytes payload);
  void forward_one(Bytes packet);
  void end_by_peer(Session& session);
  void ask_about(const UdpPath& path);
  void set_timers();
  bool send_backlog(Timestamp now);
  void end_session(Session& session, SessionEnd end, const std::string& detail);
  void tick(Timestamp now);
  void look_at(Session& session, Timestamp now);
  std::uint64_t count_sending(Session& session, Timestamp now);
  void count_connections();

  Options options_;
  TunnelEvents& events_;
  Random& random_;
  Counters& counters_;
  Timestamp now_;
  Timestamp next_tick_ = kNever;
  Timestamp next_wake_ = kNever;

  UdpSendQueue& payloads_;
  PacketBatch packets_;
  PacketBatch strays_;
  PacketPool pool_;
  Attention<Session> attention_;
  SessionTable sessions_;
  // Ended from within a callback of their own connection: forgotten when no function of theirs can
  // be on the stack.
  std::vector<std::unique_ptr<Session>> ended_;
  SessionRing ready_;  // with something to send, in the order of their turns
  // State of the direct planes.
  std::unordered_map<std::uint64_t, Session*> by_direct_id_;  // of those with IDs of their own
  std::uint64_t last_direct_id_ = 0;                          // a burst's payloads have one ID
  Session* last_direct_session_ = nullptr;
  Sweep sweep_;
  Timestamp counted_at_;
  Forwarder forwarder_;
  quic::Endpoint endpoint_;  // last: its connections refer to the rest
};

}  // namespace qdt::tunnel
