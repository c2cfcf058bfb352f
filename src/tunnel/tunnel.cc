#include "tunnel/tunnel.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace qdt::tunnel {
namespace {

using QuicBase = BasePlaneOf<plane::QuicPlane>;

constexpr std::size_t kDirectIds = 4;

std::uint64_t as_number(const wire::DirectId& id) {
  return load_be<std::uint64_t>(id.data());
}

// The queue of payloads before the socket: what has been written there is in one line, so a packet
// of another session waits behind all of it if the socket blocks. Four of the kernel's bursts.
constexpr std::size_t kMaxWaitingBytes = 256 * 1024;

// A packet that has waited longer for a client helps nobody any more: its sender has sent it again.
// On a slow path the sender waits longer, and so may a packet, which the window holds back for a
// round trip.
Duration max_wait(const Session& session) {
  return std::clamp(2 * session.base().view().rtt, Duration(1s), Duration(10s));
}

// The meaning of a peer's Close, in words.
std::string explain_close(SessionEnd reason) {
  switch (reason) {
    case SessionEnd::kShutdown: return "the server is shutting down";
    case SessionEnd::kIdle: return "no packet for the server's session_timeout";
    case SessionEnd::kReplaced: return "a newer session of this client took its place";
    case SessionEnd::kExhausted: return "every counter was used";
    case SessionEnd::kKicked: return "the server's operator ended the session";
    case SessionEnd::kUserRemoved: return "the server's operator removed this user";
    case SessionEnd::kUserDisabled: return "the server's operator disabled this user";
    case SessionEnd::kUserExpired: return "this user's time at the server is over";
    case SessionEnd::kDeviceRemoved:
      return "the server's operator removed this device, or gave it another key";
    case SessionEnd::kQuotaUsedUp: return "this user's quota at the server is used up";
    default: return "the peer closed the session";
  }
}

}  // namespace

Tunnel::Tunnel(const Options& options, const quic::TlsServerContext* server_tls,
               TunnelEvents& events, Random& random, Counters& counters, UdpSendQueue& payloads)
    : options_(options),
      events_(events),
      random_(random),
      counters_(counters),
      payloads_(payloads),
      pool_(options.max_packet_bytes, options.max_queued_packets),
      sessions_(options.role),
      forwarder_({.role = options.role}, sessions_, counters, packets_),
      endpoint_(options.endpoint, server_tls, *this, random, counters.drops) {}

Tunnel::~Tunnel() = default;

void Tunnel::receive(const UdpPath& path, Ecn ecn, Bytes payload, Timestamp now) {
  now_ = now;
  Session* session = session_of_direct(payload);
  if (session != nullptr) {
    if (forwarder_.deliver_directly(*session, path, ecn, payload, now)) return;
    return receive_by_quic(*session, path, ecn, payload);
  }
  if (!endpoint_.receive(path, ecn, payload, payloads_, now)) ask_about(path);
}

// A payload for a session whose planes share their IDs, which the direct plane could not open.
void Tunnel::receive_by_quic(Session& session, const UdpPath& path, Ecn ecn, Bytes payload) {
  // Only sessions on a QUIC connection have a direct plane. Both live on until the next call,
  // whatever comes of it.
  const auto& base = static_cast<const QuicBase&>(std::as_const(session).base());
  const quic::Connection& connection = base.plane.connection();
  const std::uint64_t opened = connection.opened_packets();
  endpoint_.receive(path, ecn, payload, payloads_, now_);
  const bool is_forged = opened > 0 && connection.opened_packets() == opened;
  if (is_forged) {
    counters_.drops.count(Drop::kForged);
  } else {
    session.direct()->forgive();
  }
}

// On a client an unknown packet may be the answer of a server that does not know our direct
// packets.
void Tunnel::ask_about(const UdpPath& path) {
  if (options_.role == Role::kServer) return;
  for (const auto& session : sessions_) {
    if (session->direct() == nullptr || session->direct()->path() != path) continue;
    session->direct()->ask_quic(now_);
  }
}

Session* Tunnel::session_of_direct(Bytes payload) {
  if (sessions_.size() == 0) return nullptr;
  const auto id = wire::direct_id_of(payload);
  if (!id) return nullptr;
  const std::uint64_t number = as_number(*id);
  if (last_direct_session_ != nullptr && number == last_direct_id_) return last_direct_session_;
  Session* session = nullptr;
  if (const auto found = by_direct_id_.find(number); found != by_direct_id_.end()) {
    session = found->second;
  } else if (const quic::Connection* connection = endpoint_.find(*id)) {
    session = session_of(*connection);
    const bool shares =
        session != nullptr && session->direct() != nullptr && session->direct()->shares_ids();
    if (!shares) return nullptr;
  }
  if (session == nullptr) return nullptr;
  last_direct_id_ = number;
  last_direct_session_ = session;
  return session;
}

void Tunnel::set_timers() {
  while (Session* session = attention_.take()) {
    attention_.set_timer(*session, session->next_timeout());
  }
}

void Tunnel::forward_one(Bytes packet) {
  const auto drop = forwarder_.forward(packet, payloads_, now_);
  if (!drop) return;
  if (*drop != Drop::kNoSession) return counters_.drops.count(*drop);
  if (!options_.has_siblings || !strays_.has_room(packet.size())) return drop_unowned(packet);
  strays_.push(packet);
}

// Others, who may have forged their address, hear nothing.
void Tunnel::drop_unowned(Bytes packet) {
  counters_.drops.count(Drop::kNoSession);
  const auto ip = wire::parse_ip_packet(packet);
  const bool is_clients = ip && options_.is_lease && options_.is_lease(ip->source);
  if (is_clients) forwarder_.answer_no_session(*ip, now_);
}

Timestamp Tunnel::next_timeout() const {
  return std::min({endpoint_.next_timeout(), next_tick_, next_wake_, attention_.next_timeout()});
}

void Tunnel::handle_timeouts(Timestamp now) {
  now_ = now;
  endpoint_.handle_timeouts(now);
  while (Session* due = attention_.take_due(now)) {
    attention_.note(*due);
    if (!due->base().deliver_due(forwarder_, *due, now)) end_by_peer(*due);
  }
  if (next_wake_ <= now) {
    next_wake_ = kNever;
    events_.on_wake(*this);
  }
  if (next_tick_ <= now) tick(now);
}

bool Tunnel::send_packets(Timestamp now) {
  now_ = now;
  ended_.clear();
  // A connection that was heard from, or whose timer came, may take what waits again.
  endpoint_.for_each_noted([this](quic::Connection& connection) {
    Session* session = session_of(connection);
    if (session != nullptr && session->wants_turn(now_)) ready_.push(*session);
  });
  attention_.for_each([this](Session& session) {
    if (session.wants_turn(now_)) ready_.push(session);
  });
  const bool is_done = send_backlog(now);
  if (is_done) set_timers();
  return is_done;
}

bool Tunnel::send_rest(Timestamp now) {
  now_ = now;
  const bool is_done = endpoint_.write(payloads_, now);
  count_connections();
  return is_done;
}

// At each turn, since there is no tick while nobody has a session.
void Tunnel::count_connections() {
  counters_.connections.set(endpoint_.connection_count());
  counters_.ended_connections.set(endpoint_.farewell_count());
  const quic::Endpoint::StrangerCounts strangers = endpoint_.strangers();
  counters_.strangers.set(strangers.connections);
  counters_.stranger_bytes.set(strangers.bytes);
  counters_.strangers_gave_way.set(strangers.gave_way);
  counters_.strangers_out_of_time.set(strangers.out_of_time);
  counters_.strangers_too_large.set(strangers.too_large);
}

// Round robin by bytes: each session with something to send gets as many as send_batch full packets
// have, then the next.
bool Tunnel::send_backlog(Timestamp now) {
  const std::size_t turn_bytes = options_.send_batch * options_.max_packet_bytes;
  while (!ready_.empty() && payloads_.waiting_bytes() < kMaxWaitingBytes) {
    Session& session = ready_.front();
    const Session::Progress progress = session.flush(turn_bytes, payloads_, now);
    switch (progress) {
      case Session::Progress::kTurnOver: ready_.rotate(); break;
      case Session::Progress::kFull: return false;  // its turn goes on from there
      case Session::Progress::kIdle:
      case Session::Progress::kBlocked: ready_.remove(session); break;
    }
  }
  return ready_.empty();
}

quic::Connection& Tunnel::connect(const quic::TlsClientContext& tls, const std::string& server_name,
                                  const UdpPath& path, Timestamp now) {
  if (next_tick_ == kNever) next_tick_ = now + kTick;
  return endpoint_.connect(tls, server_name, path, now);
}

bool Tunnel::migrate(quic::Connection& connection, const UdpPath& path, Timestamp now) {
  now_ = now;
  if (!connection.migrate(path, now)) return false;
  Session* session = session_of(connection);
  if (session != nullptr && session->direct() != nullptr) {
    session->direct()->migrate(path, now);
    // The server has no ID for the new path before a packet of the connection came by it.
    if (session->direct()->shares_ids()) {
      const bool has_room = connection.write(payloads_, now);
      if (has_room) session->ping_by_base(payloads_, now);
    }
  }
  return true;
}

std::vector<wire::DirectId> Tunnel::new_direct_ids() {
  std::vector<wire::DirectId> ids(kDirectIds);
  for (wire::DirectId& id : ids) append(id, endpoint_.new_id().bytes());
  return ids;
}

Session& Tunnel::open_session(const SessionOptions& options, std::unique_ptr<BasePlane> base,
                              Timestamp now) {
  Session& session = sessions_.add(
      std::make_unique<Session>(options, std::move(base), pool_, counters_, attention_, now));
  session.tunnel = this;
  if (next_tick_ == kNever) next_tick_ = now + kTick;
  counters_.sessions.set(sessions_.size());
  return session;
}

Session& Tunnel::open_session(const SessionOptions& options, quic::Connection& connection,
                              quic::StreamId stream, Timestamp now) {
  assert(session_of(connection) == nullptr);
  const plane::QuicPlane::Options quic{.role = options.role,
                                       .id = options.id,
                                       .keys = options.keys,
                                       .caps = options.caps,
                                       .contexts = options.contexts};
  Session& session =
      open_session(options, std::make_unique<QuicBase>(quic, connection, stream), now);
  if (options.direct) {
    session.add_direct(*options.direct, connection, random_, now);
    for (const wire::DirectId& id : session.direct()->own_ids()) {
      by_direct_id_[as_number(id)] = &session;
    }
  }
  connection.owner = &session;
  connection.set_datagram_sink(stream, {[](void* context, Bytes datagram) {
                                          auto& receiver = *static_cast<Session*>(context);
                                          receiver.tunnel->receive_datagram(receiver, datagram);
                                        },
                                        &session});
  return session;
}

void Tunnel::receive_datagram(Session& session, Bytes datagram) {
  receive(session, static_cast<QuicBase&>(session.base()).plane, datagram, now_);
}

const plane::QuicPlane* Tunnel::quic_plane_of(const Session& session) {
  const auto* base = dynamic_cast<const QuicBase*>(&session.base());
  return base == nullptr ? nullptr : &base->plane;
}

void Tunnel::end_by_peer(Session& session) {
  end_session(session, SessionEnd::kDone, explain_close(session.peer_reason));
  session.base().close("session closed", now_);
}

void Tunnel::close_session(Session& session, SessionEnd end, Timestamp now) {
  now_ = now;
  session.send_close(end, payloads_, now);
  end_session(session, end, "");
  session.base().close("session closed", now);
}

void Tunnel::close_all(SessionEnd end, std::string_view text, Timestamp now) {
  while (sessions_.size() > 0) close_session(**sessions_.begin(), end, now);
  endpoint_.close_all(text, now);
}

void Tunnel::end_session(Session& session, SessionEnd end, const std::string& detail) {
  session.base().detach();
  ready_.remove(session);
  session.retire();
  if (const plane::DirectPlane* direct = session.direct()) {
    for (const wire::DirectId& id : direct->own_ids()) by_direct_id_.erase(as_number(id));
    last_direct_session_ = nullptr;
  }
  count_sending(session, now_);
  counters_.session_ends[index_of(end)].add(1);
  session.tell_account(now_);
  ended_.push_back(sessions_.remove(session));
  counters_.sessions.set(sessions_.size());
  events_.on_session_closed(*this, session, end, detail);
}

// Looks at what no packet tells of: at every session once a second, at a slice of them at a time,
// so that thousands do not keep a packet waiting together.
void Tunnel::tick(Timestamp now) {
  if (sweep_.is_over()) sweep_.begin(sessions_.size(), now);
  std::vector<Session*> idle;
  std::vector<Session*> told;
  // From the end: where a session goes, the last one, which was looked at, takes its place.
  for (std::size_t count = sweep_.take_slice(sessions_.size()); count > 0; --count) {
    Session& session = sessions_.at(sweep_.next());
    look_at(session, now);
    const bool is_idle = options_.session_timeout > Duration::zero() &&
                         now - session.last_packet >= options_.session_timeout;
    if (is_idle) {
      idle.push_back(&session);
    } else if (session.has_peer_rate()) {
      told.push_back(&session);
    }
  }
  // To tell one may end it, but no other.
  for (Session* session : told) {
    if (const auto rate = session->take_peer_rate()) events_.on_peer_rate(*this, *session, *rate);
  }
  for (Session* session : idle) close_session(*session, SessionEnd::kIdle, now);
  if (!sweep_.is_over()) {
    next_tick_ = sweep_.next_slice(now);
    return;
  }
  sweep_.sums().publish(counters_, now - counted_at_);
  counted_at_ = now;
  // While there is nothing to look after, the shard sleeps.
  next_tick_ = std::max(now, std::min(events_.on_tick(*this), sweep_.began() + kTick));
  if (endpoint_.connection_count() == 0 && sessions_.size() == 0) next_tick_ = kNever;
}

void Tunnel::look_at(Session& session, Timestamp now) {
  if (const std::size_t expired = session.reassembler.expire(now); expired > 0) {
    forwarder_.drop_received(session, Drop::kReassemblyTimeout, expired);
  }
  // A client's own packets are its own affair, and wait while it looks for the server.
  const bool is_server = options_.role == Role::kServer;
  if (is_server && session.queued_packets() > 0) session.drop_older_than(now - max_wait(session));
  const std::uint64_t delivered_bytes = count_sending(session, now);
  session.tell_account(now);
  session.shrink(now);
  sweep_.sums().add(session, delivered_bytes);
}

// Adds what `session` has done since the last time to the counters; returns the bytes delivered.
std::uint64_t Tunnel::count_sending(Session& session, Timestamp now) {
  const auto times = session.take_limits(now);
  for (std::size_t i = 0; i < times.size(); ++i) {
    counters_.limited_nanoseconds[i].add(static_cast<std::uint64_t>(times[i].count()));
  }
  const std::uint64_t delivered_bytes = session.take_delivered_bytes();
  counters_.delivered_bytes.add(delivered_bytes);
  return delivered_bytes;
}

void Tunnel::on_settings(quic::Connection& connection) {
  events_.on_settings(*this, connection);
}

void Tunnel::on_message(quic::Connection& connection, quic::StreamId stream,
                        const quic::Message& message) {
  events_.on_message(*this, connection, stream, message);
}

void Tunnel::on_stream_bytes(quic::Connection& connection, quic::StreamId stream, Bytes bytes) {
  events_.on_stream_bytes(*this, connection, stream, bytes);
}

void Tunnel::on_stream_closed(quic::Connection& connection, quic::StreamId stream) {
  Session* session = session_of(connection);
  if (session == nullptr || quic_plane_of(*session)->stream() != stream) {
    events_.on_stream_closed(*this, connection, stream);
    return;
  }
  end_session(*session, SessionEnd::kDone, "the peer closed the session's stream");
  connection.close("session closed", now_);
}

void Tunnel::on_path_tried(quic::Connection& connection, const UdpPath& path, bool is_usable) {
  Session* session = session_of(connection);
  if (is_usable && session != nullptr && session->direct() != nullptr) {
    session->direct()->on_connection_path(path, now_);
  }
  events_.on_path_tried(*this, connection, path, is_usable);
}

void Tunnel::on_closed(quic::Connection& connection, const quic::CloseReason& reason) {
  if (Session* session = session_of(connection)) {
    end_session(*session, SessionEnd::kConnectionLost, reason.text);
  }
  events_.on_connection_closed(*this, connection, reason);
}

}  // namespace qdt::tunnel
