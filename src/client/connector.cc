#include "client/connector.h"

#include <algorithm>
#include <utility>

namespace qdt::client {
namespace {

// More than any refusal in the protocol's words has.
constexpr std::size_t kMaxRefusalBytes = 256;

// Any web server's answer to somebody without the token, a QDT server's decoy as well: to try again
// helps nobody, and would show that this is no visitor of a web site.
Ending not_admitted(int status) {
  return {Ending::Kind::kRefused,
          "not admitted: the token is wrong, or this is no QDT server (it answered with status " +
              std::to_string(status) +
              "); compare token and server with the server's configuration",
          /*is_lasting=*/true};
}

// A server's refusal for a person: what it said, what that means, what can be done.
Ending explain_refusal(int status, std::string_view body) {
  struct Remedy {
    std::string_view text;
    std::string_view meaning;
    bool is_lasting;
  };
  constexpr Remedy kRemedies[] = {
      {"unauthorized", "the token is wrong", true},
      {"rate limited", "too many attempts; trying again", false},
      {"server busy", "it has as many sessions as it allows; trying again", false},
      {"not ready", "it is starting or its network is down; trying again", false},
      {"address pool exhausted", "it has no address left; trying again", false},
      {"bad request", "it does not understand this client's request", true},
      {"bad nonce", "it does not understand this client's nonce", true},
      {"not http3", "it does not see HTTP/3 datagrams from this client", true},
  };
  for (const auto& [text, meaning, is_lasting] : kRemedies) {
    if (!body.starts_with(text)) continue;
    return {Ending::Kind::kRefused, std::string(text) + ": " + std::string(meaning), is_lasting};
  }
  return not_admitted(status);
}

// In seconds (RFC 9110 section 10.2.3); its other form, a date, depends on two clocks.
std::optional<Duration> parse_retry_after(std::string_view field) {
  constexpr std::size_t kMaxDigits = 6;
  if (field.empty() || field.size() > kMaxDigits) return std::nullopt;
  std::int64_t seconds = 0;
  for (const char digit : field) {
    if (digit < '0' || digit > '9') return std::nullopt;
    seconds = seconds * 10 + (digit - '0');
  }
  return std::chrono::seconds(seconds);
}

Ending refusal(const quic::Message& message) {
  Ending ending = explain_refusal(message.status, message.body);
  if (!ending.is_lasting) ending.retry_after = parse_retry_after(message.header("retry-after"));
  return ending;
}

Ending busy(const std::string& text) {
  return {Ending::Kind::kRefused, "busy: " + text + "; trying again"};
}

Ending unreachable(std::string text) {
  return {Ending::Kind::kUnreachable, std::move(text)};
}

// For a connection that has not become a session.
Ending explain_close(const quic::CloseReason& reason, const SocketAddress& server) {
  using Kind = quic::CloseReason::Kind;
  // A server with too many strangers ends the oldest of them, without another word.
  if (reason.is_orderly) return busy("the server ended the connection before it answered");
  switch (reason.kind) {
    case Kind::kNoAnswer: return {Ending::Kind::kNoAnswer, explain_silence(server)};
    case Kind::kTurnedAway: return busy(reason.text);
    case Kind::kOtherVersion: return {Ending::Kind::kOtherVersion, reason.text};
    case Kind::kUntrusted:
      // A clock without a battery begins in the past, and is set once the network is there.
      if (reason.dates != quic::CertificateDates::kRight) {
        return {Ending::Kind::kUnreachable,
                "the server at " + server.to_string() + " is not trusted: " + reason.text,
                /*is_lasting=*/reason.dates == quic::CertificateDates::kOver};
      }
      return {Ending::Kind::kUnreachable,
              "the server at " + server.to_string() + " is not trusted: " + reason.text,
              /*is_lasting=*/true};
    default: return unreachable(reason.text);
  }
}

// The QUIC connection of a session that has no use for it sees few round trips.
Duration answer_time_of(const quic::Connection& connection) {
  const tunnel::Session* session = tunnel::Tunnel::session_of(connection);
  const plane::DirectPlane* direct = session == nullptr ? nullptr : session->direct();
  const Duration round_trips = direct == nullptr ? Duration::zero() : 2 * direct->rtt();
  return std::max(connection.answer_time(), round_trips);
}

}  // namespace

Connector::Connector(const Options& options, const quic::TlsClientContext& tls,
                     ConnectorEvents& events, Random& random)
    : options_(options), tls_(tls), events_(events), random_(random) {}

quic::Connection& Connector::connect(tunnel::Tunnel& tunnel, const UdpPath& path, AttemptId id,
                                     Timestamp now, const std::string& resume_token) {
  quic::Connection& connection = tunnel.connect(tls_, options_.server_name, path, now);
  attempts_.push_back(
      {.connection = &connection, .id = id, .path = path, .resume_token = resume_token});
  return connection;
}

void Connector::abandon(tunnel::Tunnel& tunnel, Timestamp now) {
  attempts_.clear();
  tunnel.close_all(tunnel::SessionEnd::kDone, "", now);
}

void Connector::set_aside() {
  for (Attempt& attempt : attempts_) {
    if (attempt.state == State::kConnected) attempt.state = State::kSetAside;
  }
}

void Connector::end_set_aside(tunnel::Tunnel& tunnel, Timestamp now) {
  const std::vector<Attempt> attempts = attempts_;
  for (const Attempt& attempt : attempts) {
    if (attempt.state != State::kSetAside) continue;
    std::erase_if(attempts_, [&](const Attempt& one) { return one.id == attempt.id; });
    if (tunnel::Session* session = tunnel::Tunnel::session_of(*attempt.connection)) {
      tunnel.close_session(*session, tunnel::SessionEnd::kDone, now);
    }
  }
}

Connector::Attempt* Connector::find(const quic::Connection& connection) {
  const auto found = std::ranges::find(attempts_, &connection, &Attempt::connection);
  return found == attempts_.end() ? nullptr : &*found;
}

Connector::Attempt* Connector::connected() {
  const auto found = std::ranges::find(attempts_, State::kConnected, &Attempt::state);
  return found == attempts_.end() ? nullptr : &*found;
}

void Connector::migrate(tunnel::Tunnel& tunnel, const UdpPath& path, Timestamp now) {
  Attempt* attempt = connected();
  if (attempt == nullptr) return;
  if (!tunnel.migrate(*attempt->connection, path, now)) {
    return lose(tunnel, *attempt, "it could not move to " + path.local.to_string());
  }
  attempt->path = path;
  liveness_.on_rebound(now);
}

void Connector::lose(tunnel::Tunnel& tunnel, const Attempt& attempt, const std::string& why) {
  quic::Connection& connection = *attempt.connection;
  end(connection, {Ending::Kind::kLost, why});
  if (tunnel::Session* session = tunnel::Tunnel::session_of(connection)) {
    tunnel.close_session(*session, tunnel::SessionEnd::kDone, tunnel.now());
  }
}

Timestamp Connector::on_tick(tunnel::Tunnel& tunnel) {
  for (Attempt& one : attempts_) look_at_path(tunnel, one);
  const Attempt* attempt = connected();
  if (attempt == nullptr) return kNever;
  tell_sizes(*attempt);
  const auto silent_since = attempt->connection->silent_since();
  const Duration answer_time = answer_time_of(*attempt->connection);
  switch (liveness_.look(silent_since, answer_time, tunnel.now())) {
    case Liveness::Action::kNone: break;
    case Liveness::Action::kRebind: events_.on_silence(attempt->id); break;
    case Liveness::Action::kGiveUp: lose(tunnel, *attempt, "the server fell silent"); return kNever;
  }
  return liveness_.due(silent_since, answer_time);
}

void Connector::look_at_path(tunnel::Tunnel& tunnel, Attempt& attempt) {
  quic::Connection& connection = *attempt.connection;
  if (attempt.state == State::kConnected) return;
  const bool is_news = connection.is_handshake_answered() && !attempt.is_answered;
  if (is_news) {
    attempt.is_answered = true;
    events_.on_answer(attempt.id);
  }
  if (attempt.state != State::kConnecting || connection.is_handshake_complete()) return;
  if (!connection.is_path_too_narrow()) return tunnel.ask_small(connection);
  if (!std::exchange(attempt.is_narrow, true)) events_.on_narrow_path(attempt.id);
}

void Connector::tell_sizes(const Attempt& attempt) {
  const quic::Connection& connection = *attempt.connection;
  const tunnel::Session* session = tunnel::Tunnel::session_of(connection);
  if (session == nullptr || !connection.is_path_known()) return;
  const PathSizes sizes{
      .path_mtu = connection.path_mtu() + udp_header_bytes(attempt.path.remote.address),
      .tunnel_mtu = session->tunnel_mtu()};
  if (sizes == told_sizes_) return;
  told_sizes_ = sizes;
  events_.on_path_mtu(attempt.id, sizes);
}

void Connector::end_others(const quic::Connection& winner, Timestamp now) {
  const std::vector<Attempt> attempts = attempts_;
  for (const Attempt& attempt : attempts) {
    if (attempt.connection == &winner || attempt.state == State::kSetAside) continue;
    give_up(*attempt.connection, unreachable("another address answered first"), now);
  }
}

void Connector::on_settings(tunnel::Tunnel& tunnel, quic::Connection& connection) {
  Attempt* attempt = find(connection);
  if (attempt == nullptr || attempt->state != State::kConnecting) return;
  const SocketAddress& server = attempt->path.remote;
  if (!connection.accepts_datagrams()) {
    return give_up(connection,
                   {Ending::Kind::kUnreachable,
                    "not a QDT server: " + server.to_string() + " takes no HTTP/3 datagrams",
                    /*is_lasting=*/true},
                   tunnel.now());
  }
  const bool is_late = std::ranges::any_of(attempts_, [](const Attempt& other) {
    return other.state == State::kAsking || other.state == State::kConnected;
  });
  if (is_late) {
    return give_up(connection, unreachable("another address answered first"), tunnel.now());
  }
  end_others(connection, tunnel.now());

  nonce_ = random_.bytes<wire::kHandshakeNonceBytes>();
  if (options_.caps.direct) direct_ids_ = tunnel.new_direct_ids();
  const std::string body = wire::to_json(wire::ConnectRequest{.client_nonce = nonce_,
                                                              .mtu = options_.mtu,
                                                              .caps = options_.caps,
                                                              .client_id = options_.client_id,
                                                              .platform = options_.platform,
                                                              .resume_token = attempt->resume_token,
                                                              .direct_ids = direct_ids_});
  const auto name = IpAddress::parse(options_.server_name);
  const bool needs_brackets = name && name->is_v6();
  const quic::Request request{
      .method = "POST",
      .authority = needs_brackets ? "[" + options_.server_name + "]" : options_.server_name,
      .path = std::string(wire::kConnectPath),
      .headers = {{std::string(wire::kTokenHeader), options_.token},
                  {"content-type", "application/json"},
                  {"content-length", std::to_string(body.size())}},
      .body = body};
  if (!connection.request(request)) {
    return give_up(connection, unreachable("the server allows no request"), tunnel.now());
  }
  find(connection)->state = State::kAsking;
}

void Connector::on_message(tunnel::Tunnel& tunnel, quic::Connection& connection,
                           quic::StreamId stream, const quic::Message& message) {
  Attempt* attempt = find(connection);
  if (attempt == nullptr) return;
  if (attempt->state == State::kConnected && message.has_ended) {
    // The end of the stream is the end of the session.
    if (tunnel::Session* session = tunnel::Tunnel::session_of(connection)) {
      tunnel.close_session(*session, tunnel::SessionEnd::kDone, tunnel.now());
    }
    return;
  }
  if (attempt->state != State::kAsking) return;
  if (message.status != 200) {
    // The words are still on their way, unless it is a page, which may be long and never end.
    if (!message.has_ended && message.body.size() <= kMaxRefusalBytes) return;
    return give_up(connection, refusal(message), tunnel.now());
  }

  // A page of a web site may be long, and never end: it is no object from its beginning on.
  const bool is_whole =
      message.has_ended || message.is_too_long || attempt->answer_end.has_come(message.body);
  if (!is_whole) return;
  const auto response = wire::parse_connect_response(message.body, options_.caps);
  if (!response && !wire::is_connect_response(message.body)) {
    return give_up(connection, not_admitted(message.status), tunnel.now());
  }
  if (!response) {
    return give_up(connection,
                   {Ending::Kind::kUnreachable, response.error().message, /*is_lasting=*/true},
                   tunnel.now());
  }
  if (options_.needs_direct && !response->caps.direct) {
    return give_up(
        connection,
        {Ending::Kind::kUnreachable, "the server has no direct data plane; set data_plane: auto",
         /*is_lasting=*/true},
        tunnel.now());
  }
  open(tunnel, *attempt, stream, *response);
}

void Connector::open(tunnel::Tunnel& tunnel, Attempt& attempt, quic::StreamId stream,
                     const wire::ConnectResponse& response) {
  std::optional<plane::DirectPlane::Options> direct;
  if (response.caps.direct) {
    direct = {.role = Role::kClient,
              .secrets = plane::DirectPlane::secrets(*attempt.connection, options_.token, nonce_,
                                                     response.server_nonce, response.caps.aead()),
              .own_ids = direct_ids_,
              .peer_ids = response.direct_ids,
              .has_shaper = options_.has_shaper,
              .shares_ids = response.caps.shared_id};
  }
  tunnel.open_session(
      {.role = Role::kClient,
       .id = response.session_id,
       .keys = wire::derive_session_keys(options_.token, nonce_, response.server_nonce,
                                         response.caps.aead()),
       .lease = response.client_ip,
       .lease6 = response.ipv6 ? std::optional(response.ipv6->client_ip) : std::nullopt,
       .mtu = std::min(response.mtu, options_.mtu),
       .caps = response.caps,
       .rate_limit = {},
       .send_queue = options_.send_queue,
       .max_reassembly_bytes = options_.max_reassembly_bytes,
       .client_id = options_.client_id,
       .direct = std::move(direct),
       .needs_direct = options_.needs_direct},
      *attempt.connection, stream, tunnel.now());
  attempt.state = State::kConnected;
  liveness_ = {};
  told_sizes_ = {};
  events_.on_connected(attempt.id, attempt.path, response);
}

void Connector::on_stream_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                                 quic::StreamId) {
  const Attempt* attempt = find(connection);
  if (attempt == nullptr || attempt->state != State::kAsking) return;
  give_up(connection, unreachable("the server ended the request without an answer"), tunnel.now());
}

void Connector::on_session_closed(tunnel::Tunnel&, tunnel::Session& session, tunnel::SessionEnd,
                                  const std::string& detail) {
  // The client that took its place would lose it again if we asked for it back at once.
  const bool was_replaced = session.peer_reason == tunnel::SessionEnd::kReplaced;
  const plane::QuicPlane* quic = tunnel::Tunnel::quic_plane_of(session);
  if (quic == nullptr) return;
  end(quic->connection(),
      {Ending::Kind::kLost, detail.empty() ? "the session ended" : detail, was_replaced});
}

void Connector::on_connection_closed(tunnel::Tunnel&, quic::Connection& connection,
                                     const quic::CloseReason& reason) {
  if (const Attempt* attempt = find(connection)) {
    end(connection, explain_close(reason, attempt->path.remote));
  }
}

void Connector::give_up(quic::Connection& connection, const Ending& ending, Timestamp now) {
  end(connection, ending);
  connection.close("", now);
}

void Connector::end(const quic::Connection& connection, const Ending& ending) {
  const Attempt* attempt = find(connection);
  if (attempt == nullptr) return;
  const AttemptId id = attempt->id;
  std::erase_if(attempts_, [&](const Attempt& one) { return one.id == id; });
  events_.on_ended(id, ending);
}

}  // namespace qdt::client
