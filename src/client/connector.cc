#include "client/connector.h"

#include <algorithm>
#include <utility>

#include "client/answer_words.h"
#include "wire/session_terms.h"

namespace qdt::client {
namespace {

// A server that assigns and advertises by itself does so right behind its answer.
constexpr Duration kPatienceForCapsules = 1s;

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
    : options_(options),
      tls_(tls),
      events_(events),
      random_(random),
      identity_(options.identity               ? *options.identity
                : options.auth == Auth::kToken ? Identity()
                                               : identity_of(options.token)) {}

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
  for (Attempt& one : attempts_) ask_again(one);
  for (std::size_t i = 0; i < attempts_.size(); ++i) press_for_addresses(tunnel, attempts_[i]);
  const Attempt* attempt = connected();
  if (attempt == nullptr) return kNever;
  tell_sizes(*attempt);
  tell_routes(tunnel, *attempt);
  attempt = connected();
  if (attempt == nullptr) return kNever;
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

// A server may advertise as often as it likes: the host's routes follow once a second.
void Connector::tell_routes(tunnel::Tunnel& tunnel, const Attempt& attempt) {
  if (!attempt.version2) return;
  Version2& version2 = *attempt.version2;
  const auto& routes = version2.signalling.routes();
  if (!routes || *routes == version2.routes) return;
  version2.routes = *routes;
  const auto response = lease_of(*version2.answer, version2.lent, version2.routes);
  if (!response) return lose(tunnel, attempt, response.error().message);
  events_.on_routes(attempt.id, *response);
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
  attempt = find(connection);  // the others' ends moved it

  const bool is_version2 =
      options_.auth != Auth::kToken && connection.peer_takes_extended_connect();
  if (!is_version2) {
    if (const auto ending = refuse_version1(*attempt)) {
      return give_up(connection, *ending, tunnel.now());
    }
  }
  nonce_ = random_.bytes<wire::kHandshakeNonceBytes>();
  if (options_.caps.direct) direct_ids_ = tunnel.new_direct_ids();
  const auto stream =
      is_version2 ? ask_by_version2(*attempt, connection) : ask_by_version1(*attempt, connection);
  if (!stream) {
    return give_up(connection, unreachable("the server allows no request"), tunnel.now());
  }
  attempt->state = State::kAsking;
  attempt->stream = *stream;
}

// A man in the middle whose certificate is accepted may pretend to be a server that knows version 1
// alone: then he would be sent the token. So it goes only where the certificate is known.
std::optional<Ending> Connector::refuse_version1(const Attempt& attempt) const {
  if (options_.auth == Auth::kToken) return std::nullopt;
  const std::string server = "the server at " + attempt.path.remote.to_string();
  const std::string old = server + " speaks version 1 alone, or is no QDT server";
  const auto stop = [&](const std::string& text) {
    return Ending{Ending::Kind::kUnreachable, text, /*is_lasting=*/true};
  };
  if (options_.auth == Auth::kProof) {
    return stop(old + ", and auth: proof takes no other than version 2");
  }
  if (options_.identity) {
    return stop(old +
                ": there this client's key, or the server's, cannot be used; ask for a newer "
                "server, or set token and take key and server_key out");
  }
  if (had_version2_) {
    return stop(server +
                " spoke version 2 before, and now version 1 alone: somebody may be in "
                "between; where it really is an older server now, start the client anew");
  }
  if (!options_.knows_certificate) {
    return stop(old +
                ": version 1 would show it the token, and its certificate is not verified; "
                "set tls_fingerprint, or auth: token if everybody on the way may see it");
  }
  return std::nullopt;
}

std::optional<quic::StreamId> Connector::ask_by_version1(const Attempt& attempt,
                                                         quic::Connection& connection) {
  const std::string body = wire::to_json(wire::ConnectRequest{.client_nonce = nonce_,
                                                              .mtu = mtu_of(attempt),
                                                              .caps = options_.caps,
                                                              .client_id = options_.client_id,
                                                              .platform = options_.platform,
                                                              .resume_token = attempt.resume_token,
                                                              .direct_ids = direct_ids_});
  return connection.request({.method = "POST",
                             .authority = authority().host,
                             .path = std::string(wire::kConnectPath),
                             .headers = {{std::string(wire::kTokenHeader), options_.token},
                                         {"content-type", "application/json"},
                                         {"content-length", std::to_string(body.size())}},
                             .body = body});
}

std::optional<quic::StreamId> Connector::ask_by_version2(Attempt& attempt,
                                                         quic::Connection& connection) {
  attempt.version2 = std::make_shared<Version2>();
  Version2& version2 = *attempt.version2;
  wire::SessionCaps caps = wire::to_session_caps(options_.caps);
  caps.sealed = identity_.psk.has_value() && identity_.needs_sealed;
  version2.asked = {.nonce = nonce_,
                    .caps = caps,
                    .mtu = mtu_of(attempt),
                    .direct_ids = direct_ids_,
                    .resume_token = attempt.resume_token,
                    .name = options_.client_id,
                    .platform = options_.platform};
  return connection.request(version2_request(identity_, authority(), options_.path_template,
                                             connection.exporter(), version2.asked));
}

void Connector::on_message(tunnel::Tunnel& tunnel, quic::Connection& connection,
                           quic::StreamId stream, const quic::Message& message) {
  Attempt* attempt = find(connection);
  if (attempt == nullptr || attempt->stream != stream) return;
  // Before there is a session it may be the page of some web server.
  const bool is_cut_short = attempt->state == State::kConnected && message.has_ended &&
                            attempt->version2 && !attempt->version2->signalling.may_end();
  if (is_cut_short) {
    return end_malformed(tunnel, *attempt, "the server ended the request inside a capsule");
  }
  if (attempt->state == State::kConnected && message.has_ended) {
    // The end of the stream is the end of the session.
    if (tunnel::Session* session = tunnel::Tunnel::session_of(connection)) {
      tunnel.close_session(*session, tunnel::SessionEnd::kDone, tunnel.now());
    }
    return;
  }
  if (attempt->state != State::kAsking) return;
  // Version 2: any success (RFC 9484 section 4.4).
  const bool is_granted = attempt->version2 ? message.status / 100 == 2 : message.status == 200;
  if (!is_granted) {
    // The words are still on their way, unless it is a page, which may be long and never end.
    if (!message.has_ended && message.body.size() <= kMaxRefusalBytes) return;
    return take_refusal(tunnel, *attempt, message);
  }
  if (attempt->version2) return take_version2(tunnel, *attempt, message);
  take_version1(tunnel, *attempt, message);
}

// Some HTTP/3 libraries announce extended CONNECT by themselves, with a server of version 1 behind
// them that knows of no such request.
void Connector::take_refusal(tunnel::Tunnel& tunnel, Attempt& attempt,
                             const quic::Message& message) {
  quic::Connection& connection = *attempt.connection;
  const bool may_be_old = attempt.version2 != nullptr && !is_in_own_words(message.body) &&
                          !refuse_version1(attempt).has_value();
  if (!may_be_old) {
    return give_up(connection,
                   explain_refusal(message, options_.identity ? Shown::kKey : Shown::kToken),
                   tunnel.now());
  }
  connection.finish(attempt.stream);
  attempt.version2.reset();
  attempt.stream = -1;
  ask_again(attempt);
}

// A server that allows one request at a time, as ours does, allows the next once it has heard that
// this one is over.
void Connector::ask_again(Attempt& attempt) {
  if (attempt.state != State::kAsking || attempt.stream != -1) return;
  if (const auto stream = ask_by_version1(attempt, *attempt.connection)) attempt.stream = *stream;
}

void Connector::take_version1(tunnel::Tunnel& tunnel, Attempt& attempt,
                              const quic::Message& message) {
  quic::Connection& connection = *attempt.connection;
  // A page of a web site may be long, and never end: it is no object from its beginning on.
  const bool is_whole =
      message.has_ended || message.is_too_long || attempt.answer_end.has_come(message.body);
  if (!is_whole) return;
  const auto response = wire::parse_connect_response(message.body, options_.caps);
  if (!response && !wire::is_connect_response(message.body)) {
    return give_up(connection, not_admitted(message.status, Shown::kToken), tunnel.now());
  }
  if (!response) {
    return give_up(connection,
                   {Ending::Kind::kUnreachable, response.error().message, /*is_lasting=*/true},
                   tunnel.now());
  }
  tunnel::SessionOptions options;
  options.keys = wire::derive_session_keys(options_.token, nonce_, response->server_nonce,
                                           response->caps.aead());
  if (response->caps.direct) {
    options.direct.emplace();
    options.direct->secrets = plane::DirectPlane::secrets(
        connection, options_.token, nonce_, response->server_nonce, response->caps.aead());
  }
  open(tunnel, attempt, *response, std::move(options));
}

// The answer's head has come, or the server has ended its side.
void Connector::take_version2(tunnel::Tunnel& tunnel, Attempt& attempt,
                              const quic::Message& message) {
  quic::Connection& connection = *attempt.connection;
  if (message.has_ended) {
    return give_up(connection, unreachable("the server ended the request without a session"),
                   tunnel.now());
  }
  Version2& version2 = *attempt.version2;
  if (version2.answer) return;
  auto answer = believe(message.joined(wire::kSessionFieldName), identity_, connection.exporter(),
                        version2.asked);
  if (!answer) {
    return give_up(
        connection,
        {Ending::Kind::kUnreachable,
         "not trusted: the server at " + attempt.path.remote.to_string() +
             ", or somebody before it, is not who it should be: " + answer.error().message,
         /*is_lasting=*/true},
        tunnel.now());
  }
  version2.answer = std::move(*answer);
  version2.answered_at = tunnel.now();
}

void Connector::on_stream_bytes(tunnel::Tunnel& tunnel, quic::Connection& connection,
                                quic::StreamId stream, Bytes bytes) {
  Attempt* attempt = find(connection);
  if (attempt == nullptr || !attempt->version2 || attempt->stream != stream) return;
  const std::shared_ptr<Version2> version2 = attempt->version2;  // a datagram may end the attempt
  const auto ok = take_signalling(tunnel, connection, stream, version2->signalling, bytes);
  attempt = find(connection);
  if (attempt == nullptr) return;
  if (!ok) return end_malformed(tunnel, *attempt, ok.error().message);
  const IpSignalling& signalling = version2->signalling;
  if (attempt->state == State::kConnected && *signalling.lent() != version2->lent) {
    return lose(tunnel, *attempt, "the server has changed this client's addresses");
  }
  const bool is_complete = version2->answer && signalling.lent() && signalling.routes();
  if (attempt->state == State::kAsking && is_complete) return open_version2(tunnel, *attempt);
  use_send_rate(connection, *version2);
}

void Connector::use_send_rate(quic::Connection& connection, Version2& version2) {
  tunnel::Session* session = tunnel::Tunnel::session_of(connection);
  if (session == nullptr) return;
  if (const auto rate = version2.signalling.take_send_rate()) session->use_send_rate(*rate);
}

Result<void> Connector::take_signalling(tunnel::Tunnel& tunnel, quic::Connection& connection,
                                        quic::StreamId stream, IpSignalling& signalling,
                                        Bytes bytes) {
  std::vector<std::uint8_t> answer;
  while (true) {
    const auto datagram = signalling.receive(bytes, answer);
    if (!datagram) return fail(datagram);
    if (!*datagram) break;
    if (tunnel::Session* session = tunnel::Tunnel::session_of(connection)) {
      tunnel.receive_datagram(*session, **datagram);
    }
  }
  if (answer.empty() || connection.send(stream, std::move(answer))) return {};
  return fail("the server does not take the answers to its capsules");
}

// RFC 9297 section 3.3 has an error of the stream. Nothing else is on this connection.
void Connector::end_malformed(tunnel::Tunnel& tunnel, const Attempt& attempt,
                              const std::string& why) {
  quic::Connection& connection = *attempt.connection;
  const bool is_session = attempt.state == State::kConnected;
  end(connection, {is_session ? Ending::Kind::kLost : Ending::Kind::kUnreachable, why,
                   /*is_lasting=*/!is_session});
  connection.close("malformed capsule", tunnel.now(), quic::kH3MessageError);
}

// Ours assigns unasked, and routes come with it. Others may wait to be asked, or advertise nothing.
void Connector::press_for_addresses(tunnel::Tunnel& tunnel, Attempt& attempt) {
  if (attempt.state != State::kAsking || !attempt.version2 || !attempt.version2->answer) return;
  Version2& version2 = *attempt.version2;
  if (tunnel.now() - version2.answered_at < kPatienceForCapsules) return;
  if (version2.signalling.lent()) return open_version2(tunnel, attempt);
  if (std::exchange(version2.has_asked_for_addresses, true)) return;
  if (!attempt.connection->send(attempt.stream, IpSignalling::request_for_addresses())) {
    give_up(*attempt.connection, unreachable("the server ended the request without a session"),
            tunnel.now());
  }
}

void Connector::open_version2(tunnel::Tunnel& tunnel, Attempt& attempt) {
  const std::shared_ptr<Version2> version2 = attempt.version2;
  quic::Connection& connection = *attempt.connection;
  const wire::SessionAnswer& answer = *version2->answer;
  version2->lent = *version2->signalling.lent();
  version2->routes = version2->signalling.routes().value_or(std::vector<wire::IpRange>());
  const auto response = lease_of(answer, version2->lent, version2->routes);
  if (!response) {
    return give_up(connection,
                   {Ending::Kind::kUnreachable, response.error().message, /*is_lasting=*/true},
                   tunnel.now());
  }
  const wire::SessionTerms terms = wire::settle_terms(
      connection.exporter(), answer.caps, identity_.psk, version2->asked.nonce, answer.nonce);
  tunnel::SessionOptions options;
  options.contexts = terms.contexts;
  if (terms.direct) options.direct = {.secrets = *terms.direct};
  had_version2_ = true;
  open(tunnel, attempt, *response, std::move(options));
  use_send_rate(connection, *version2);
}

void Connector::open(tunnel::Tunnel& tunnel, Attempt& attempt,
                     const wire::ConnectResponse& response, tunnel::SessionOptions options) {
  if (options_.needs_direct && !response.caps.direct) {
    return give_up(
        *attempt.connection,
        {Ending::Kind::kUnreachable, "the server has no direct data plane; set data_plane: auto",
         /*is_lasting=*/true},
        tunnel.now());
  }
  if (options.direct) {
    options.direct->role = Role::kClient;
    options.direct->own_ids = direct_ids_;
    options.direct->peer_ids = response.direct_ids;
    options.direct->has_shaper = options_.has_shaper;
    options.direct->shares_ids = response.caps.shared_id;
  }
  options.role = Role::kClient;
  options.id = response.session_id;
  options.lease = response.client_ip;
  if (response.ipv6) options.lease6 = response.ipv6->client_ip;
  options.mtu = std::min(response.mtu, mtu_of(attempt));
  options.caps = response.caps;
  options.send_queue = options_.send_queue;
  options.max_reassembly_bytes = options_.max_reassembly_bytes;
  options.client_id = options_.client_id;
  options.needs_direct = options_.needs_direct;
  tunnel.open_session(options, *attempt.connection, attempt.stream, tunnel.now());
  attempt.state = State::kConnected;
  liveness_ = {};
  told_sizes_ = {};
  events_.on_connected(attempt.id, attempt.path, response);
}

void Connector::on_stream_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                                 quic::StreamId stream) {
  Attempt* attempt = find(connection);
  if (attempt == nullptr || attempt->state != State::kAsking) return;
  if (attempt->stream == -1) ask_again(*attempt);
  if (attempt->stream != stream) return;
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

void Connector::end(const quic::Connection& connection, Ending ending) {
  const Attempt* attempt = find(connection);
  if (attempt == nullptr) return;
  const AttemptId id = attempt->id;
  std::erase_if(attempts_, [&](const Attempt& one) { return one.id == id; });
  const bool is_asked_again = ending.kind == Ending::Kind::kRefused && !ending.is_lasting;
  if (is_asked_again) ending.text += "; trying again";
  events_.on_ended(id, ending);
}

}  // namespace qdt::client
