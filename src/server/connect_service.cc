#include "server/connect_service.h"

namespace qdt::server {
namespace {

// The reason why a handshake did not complete.
std::string failure(const quic::CloseReason& reason) {
  using Kind = quic::CloseReason::Kind;
  const bool is_silence = reason.kind == Kind::kNoAnswer || reason.kind == Kind::kIdle;
  if (is_silence) return "the client began and fell silent";
  return reason.kind == Kind::kPeer ? "the client gave up: " + reason.text : reason.text;
}

}  // namespace

void ConnectService::on_message(tunnel::Tunnel& tunnel, quic::Connection& connection,
                                quic::StreamId stream, const quic::Message& message) {
  const Http3Exchange exchange(exchange_, tunnel, connection, stream);
  const auto entry = streams_[&connection].try_emplace(stream, exchange).first;
  reception_.receive(tunnel, entry->second.exchange, entry->second.request, message);
  if (!message.has_ended || !entry->second.exchange.has_signalling()) return;
  // Whoever ends the stream of a session ends the session.
  if (entry->second.exchange.may_end()) return end_session(tunnel, connection);
  end_malformed(tunnel, connection, "the client ended the request inside a capsule");
}

void ConnectService::on_stream_bytes(tunnel::Tunnel& tunnel, quic::Connection& connection,
                                     quic::StreamId stream, Bytes bytes) {
  // A datagram may end the session, and with it the exchange.
  while (Http3Exchange* exchange = exchange_on(connection, stream)) {
    const auto datagram = exchange->receive(bytes);
    if (!datagram) return end_malformed(tunnel, connection, datagram.error().message);
    if (!*datagram) return;
    tunnel::Session* session = tunnel::Tunnel::session_of(connection);
    if (session == nullptr) return;
    tunnel.receive_datagram(*session, **datagram);
  }
}

void ConnectService::tell_routes(tunnel::Session& session) {
  if (Http3Exchange* exchange = exchange_of(session)) {
    exchange->use_routes(reception_.pushed().routes);
  }
}

void ConnectService::on_peer_rate(tunnel::Tunnel&, tunnel::Session& session,
                                  std::uint64_t bits_per_second) {
  Http3Exchange* exchange = exchange_of(session);
  if (exchange == nullptr) return;
  logger_.debug("session with " + session.lease().to_string() + " is asked to send at " +
                std::to_string(bits_per_second / 1000) + " kbit/s");
  exchange->ask_for_rate(bits_per_second);
}

Http3Exchange* ConnectService::exchange_of(tunnel::Session& session) {
  const plane::QuicPlane* plane = tunnel::Tunnel::quic_plane_of(session);
  if (plane == nullptr) return nullptr;
  const auto streams = streams_.find(&plane->connection());
  if (streams == streams_.end()) return nullptr;
  for (auto& [stream, one] : streams->second) {
    if (one.exchange.has_signalling()) return &one.exchange;
  }
  return nullptr;
}

Http3Exchange* ConnectService::exchange_on(const quic::Connection& connection,
                                           quic::StreamId stream) {
  const auto streams = streams_.find(&connection);
  if (streams == streams_.end()) return nullptr;
  const auto found = streams->second.find(stream);
  return found == streams->second.end() ? nullptr : &found->second.exchange;
}

void ConnectService::end_session(tunnel::Tunnel& tunnel, quic::Connection& connection) {
  if (tunnel::Session* session = tunnel::Tunnel::session_of(connection)) {
    tunnel.close_session(*session, tunnel::SessionEnd::kDone, tunnel.now());
  }
}

// RFC 9297 section 3.3 has an error of the stream. Nothing else is on this connection.
void ConnectService::end_malformed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                                   const std::string& why) {
  logger_.info("the session of " + connection.home_path().remote.to_string() + " ends: " + why);
  connection.close("malformed capsule", tunnel.now(), quic::kH3MessageError);
}

void ConnectService::on_settings(tunnel::Tunnel& tunnel, quic::Connection& connection) {
  const auto streams = streams_.find(&connection);
  if (streams == streams_.end()) return;
  for (auto& [stream, one] : streams->second) {
    reception_.on_carriage_known(tunnel, one.exchange, one.request);
  }
}

void ConnectService::on_stream_closed(tunnel::Tunnel&, quic::Connection& connection,
                                      quic::StreamId stream) {
  const auto streams = streams_.find(&connection);
  if (streams == streams_.end()) return;
  const auto found = streams->second.find(stream);
  if (found == streams->second.end()) return;
  reception_.forget(found->second.exchange);
  streams->second.erase(found);
  if (streams->second.empty()) streams_.erase(streams);
}

void ConnectService::on_path_tried(tunnel::Tunnel&, quic::Connection& connection,
                                   const UdpPath& path, bool is_usable) {
  const tunnel::Session* session = tunnel::Tunnel::session_of(connection);
  if (session == nullptr) return;
  logger_.debug("session with " + session->lease().to_string() +
                (is_usable ? " moved to " : " does not answer from ") + path.remote.to_string());
}

void ConnectService::on_connection_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                                          const quic::CloseReason& reason) {
  const bool has_failed =
      !connection.is_handshake_complete() && reason.kind != quic::CloseReason::Kind::kLocal;
  if (has_failed) {
    reception_.note_failure(connection.home_path().remote, failure(reason), tunnel.now());
  }
  const auto streams = streams_.extract(&connection);
  if (!streams.empty()) {
    for (const auto& [stream, one] : streams.mapped()) reception_.forget(one.exchange);
  }
  reception_.forget_connection(&connection);
}

}  // namespace qdt::server
