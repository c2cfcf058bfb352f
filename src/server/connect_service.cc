#include "server/connect_service.h"

#include <algorithm>
#include <chrono>

#include "base/words.h"

namespace qdt::server {
namespace {

using wire::HandshakeResult;

std::string_view describe(tunnel::SessionEnd end) {
  switch (end) {
    case tunnel::SessionEnd::kDone: return "closed by the client";
    case tunnel::SessionEnd::kShutdown: return "the server is shutting down";
    case tunnel::SessionEnd::kIdle: return "no packet for session_timeout";
    case tunnel::SessionEnd::kReplaced: return "replaced by a newer session of the client";
    case tunnel::SessionEnd::kExhausted: return "every counter was used";
    case tunnel::SessionEnd::kConnectionLost: return "connection lost";
  }
  return "ended";
}

// The reason why a handshake did not complete.
std::string failure(const quic::CloseReason& reason) {
  using Kind = quic::CloseReason::Kind;
  const bool is_silence = reason.kind == Kind::kNoAnswer || reason.kind == Kind::kIdle;
  if (is_silence) return "the client began and fell silent";
  return reason.kind == Kind::kPeer ? "the client gave up: " + reason.text : reason.text;
}

// The parts of a request that its answer depends on, to be kept while the answer waits.
quic::Message without_body(const quic::Message& message) {
  quic::Message head;
  head.method = message.method;
  head.path = message.path;
  head.headers = message.headers;
  return head;
}

}  // namespace

ConnectService::ConnectService(const Options& options, Admission& admission, LeasePool& leases,
                               LeaseBook& book, tunnel::HandshakeCounters& handshakes,
                               Random& random, Logger& logger)
    : options_(options),
      admission_(admission),
      users_(admission.users()),
      leases_(leases),
      book_(book),
      handshakes_(handshakes),
      random_(random),
      logger_(logger) {
  strangers_.reserve(kMaxNotedStrangers);
}

void ConnectService::on_message(tunnel::Tunnel& tunnel, quic::Connection& connection,
                                quic::StreamId stream, const quic::Message& message) {
  const auto [entry, is_new] = pending_[&connection].try_emplace(stream);
  Pending& pending = entry->second;
  if (pending.is_answered) return;

  if (is_new && !may_go_on(tunnel, connection, stream, message, pending)) {
    // The connection may have ended, and the entry with it.
    if (!connection.is_closed()) pending_[&connection][stream].is_answered = true;
    return;
  }
  if (is_new) pending.content_length = message.content_length();
  if (!has_whole_body(pending, message)) return;
  pending.body = message.body;
  pending.has_body = true;
  if (connection.has_settings()) admit(tunnel, connection, stream, pending);
}

// A body is complete when it is as long as announced, or, unannounced, when its JSON object is
// closed: the client keeps its side of the stream open. It may come in as many pieces as it has
// bytes, so what has been looked at is not looked at again.
bool ConnectService::has_whole_body(Pending& pending, const quic::Message& message) {
  if (message.has_ended || message.is_too_long) return true;
  if (message.body.size() > wire::kMaxConnectBodyBytes) return true;
  if (pending.content_length) return message.body.size() >= *pending.content_length;
  return pending.end.has_come(message.body);
}

// True when the headers are those of a request that may open a session; any other is answered, now
// or in its turn. The work is the same for every path, so that time does not tell one from another.
bool ConnectService::may_go_on(tunnel::Tunnel& tunnel, quic::Connection& connection,
                               quic::StreamId stream, const quic::Message& message,
                               Pending& pending) {
  access::Credential credential(message.header(wire::kTokenHeader));
  const auto verdict = admission_.judge_request(
      *users_, message.method, credential, connection.home_path().remote.address, tunnel.now());
  const bool is_handshake = message.path == wire::kConnectPath;
  if (is_handshake && verdict.result == HandshakeResult::kOk) {
    pending.user = verdict.user;
    pending.credential = std::move(credential);
    return true;
  }
  if (is_handshake && verdict.is_proven()) {
    refuse(tunnel, connection, stream, verdict.result);
    return false;
  }
  const auto result = is_handshake ? std::optional(verdict.result) : std::nullopt;
  const auto delay = verdict.delay;
  if (delay == Duration::zero()) {
    answer_stranger(tunnel, connection, stream, message, result);
  } else if (delay && waiting_.add({.connection = &connection,
                                    .stream = stream,
                                    .result = result,
                                    .request = without_body(message)},
                                   tunnel.now() + *delay)) {
    tunnel.wake_at(next_wake());
  } else {
    note_stranger(tunnel, connection, result);
    tunnel.close(connection, "");
  }
  return false;
}

void ConnectService::on_wake(tunnel::Tunnel& tunnel) {
  while (const auto answer = waiting_.take_due(tunnel.now())) {
    answer_stranger(tunnel, *answer->connection, answer->stream, answer->request, answer->result);
  }
  if (tell_at_ <= tunnel.now()) tell_strangers(tunnel.now());
  tunnel.wake_at(next_wake());
}

// Answers a request that did not show the token: alike, and in the same time, whatever it asked
// for. `result` says why it opens no session, if it asked for one.
void ConnectService::answer_stranger(tunnel::Tunnel& tunnel, quic::Connection& connection,
                                     quic::StreamId stream, const quic::Message& request,
                                     std::optional<HandshakeResult> result) {
  if (options_.decoy) {
    if (options_.decoy->upstream()) {
      ask_upstream(connection, stream, request);
    } else {
      const auto date = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
      tunnel.respond(connection, stream, options_.decoy->answer(request, date));
    }
    note_stranger(tunnel, connection, result);
    return;
  }
  if (result) return refuse(tunnel, connection, stream, *result);
  tunnel.respond(
      connection, stream,
      {.status = 404, .headers = {{"content-type", "text/plain"}}, .body = "not found\n"});
}

void ConnectService::ask_upstream(quic::Connection& connection, quic::StreamId stream,
                                  const quic::Message& request) {
  const std::uint64_t question = ++last_question_;
  pending_[&connection][stream].question = question;
  options_.proxy->ask(*options_.decoy->upstream(), request, connection.home_path().remote.address,
                      [this, &connection, stream, question](quic::Response response) {
                        options_.post([this, connection = &connection, stream, question,
                                       response = std::move(response)](tunnel::Tunnel& tunnel) {
                          pass_on(tunnel, connection, stream, question, response);
                        });
                      });
}

// The connection may be gone by now, and another be in its place.
void ConnectService::pass_on(tunnel::Tunnel& tunnel, quic::Connection* connection,
                             quic::StreamId stream, std::uint64_t question,
                             const quic::Response& response) {
  const auto requests = pending_.find(connection);
  if (requests == pending_.end()) return;
  const auto pending = requests->second.find(stream);
  if (pending == requests->second.end() || pending->second.question != question) return;
  tunnel.respond(*connection, stream, response);
}

void ConnectService::on_settings(tunnel::Tunnel& tunnel, quic::Connection& connection) {
  const auto requests = pending_.find(&connection);
  if (requests == pending_.end()) return;
  for (auto& [stream, pending] : requests->second) {
    if (pending.has_body && !pending.is_answered) admit(tunnel, connection, stream, pending);
  }
}

void ConnectService::admit(tunnel::Tunnel& tunnel, quic::Connection& connection,
                           quic::StreamId stream, Pending& pending) {
  pending.is_answered = true;
  const HandshakeResult result = open(tunnel, connection, stream, pending);
  pending.body.clear();
  pending.credential = {};
  if (result != HandshakeResult::kOk) {
    return refuse(tunnel, connection, stream, result, pending.why);
  }
  handshakes_.count(result);
}

HandshakeResult ConnectService::open(tunnel::Tunnel& tunnel, quic::Connection& connection,
                                     quic::StreamId stream, Pending& pending) {
  if (!connection.accepts_datagrams()) return HandshakeResult::kNotHttp3;
  const auto request = wire::parse_connect_request(pending.body);
  if (!request) return request.error();
  const bool has_session = tunnel::Tunnel::session_of(connection) != nullptr;
  if (has_session) return HandshakeResult::kBadRequest;

  wire::Capabilities caps = request->caps & options_.caps;
  caps.shared_id &= connection.peer_id().id.bytes().size() == wire::kDirectIdBytes;
  if (options_.needs_direct && !caps.direct) return HandshakeResult::kBadRequest;
  const auto token = caps.resume ? std::optional(request->resume_token) : std::nullopt;
  const bool replaces = token && book_.is_in_use(*token);
  const wire::SessionId session_id = random_.number();
  if (!admission_.shares().take(session_id, connection.home_path().remote.address,
                                request->client_id, replaces)) {
    pending.why = "busy: max_sessions_per_client is met";
    return HandshakeResult::kBusy;
  }
  access::Account& account = *pending.user->account;
  const access::UserLimits& limits = pending.user->limits;
  if (!account.reserve_session(limits.max_sessions, replaces)) {
    admission_.shares().give_back(session_id);
    pending.why = "busy: max_sessions of its user is met";
    return HandshakeResult::kBusy;
  }
  if (!admission_.reserve_session(replaces)) {
    account.release_session();
    admission_.shares().give_back(session_id);
    return HandshakeResult::kBusy;
  }
  const auto grant = book_.acquire({.shard = options_.shard, .session = session_id}, token, random_,
                                   tunnel.now(), connection.home_path().remote.address);
  if (!grant) {
    admission_.release_session();
    account.release_session();
    admission_.shares().give_back(session_id);
    return HandshakeResult::kPoolExhausted;
  }
  end_replaced(tunnel, *grant);

  wire::ConnectResponse response{.session_id = session_id,
                                 .server_nonce = random_.bytes<wire::kHandshakeNonceBytes>(),
                                 .mtu = std::min(options_.mtu, request->mtu),
                                 .client_ip = grant->address,
                                 .gateway_ip = options_.gateway,
                                 .cidr = options_.pool,
                                 .dns = options_.dns,
                                 .caps = caps,
                                 .routes = options_.routes,
                                 .dns_domains = options_.dns_domains,
                                 .resume_token = grant->token};
  lend_ipv6(response);
  std::optional<plane::DirectPlane::Options> direct;
  if (caps.direct) {
    response.direct_ids = tunnel.new_direct_ids();
    direct = {.role = Role::kServer,
              .secrets = plane::DirectPlane::secrets(connection, pending.credential.token(),
                                                     request->client_nonce, response.server_nonce,
                                                     caps.aead()),
              .own_ids = response.direct_ids,
              .peer_ids = request->direct_ids,
              .has_shaper = options_.has_shaper,
              .shares_ids = caps.shared_id};
  }
  tunnel.open_session(
      {.role = Role::kServer,
       .id = response.session_id,
       .keys = wire::derive_session_keys(pending.credential.token(), request->client_nonce,
                                         response.server_nonce, response.caps.aead()),
       .lease = grant->address,
       .lease6 = response.ipv6 ? std::optional(response.ipv6->client_ip) : std::nullopt,
       .mtu = response.mtu,
       .caps = response.caps,
       .rate_limit = limits.session_rate,
       .account = pending.user->account,
       .account_rate = limits.rate,
       .send_queue = options_.send_queue,
       .max_reassembly_bytes = options_.max_reassembly_bytes,
       .client_id = request->client_id,
       .direct = std::move(direct),
       .needs_direct = options_.needs_direct},
      connection, stream, tunnel.now());
  connection.respond(stream, {.status = 200,
                              .headers = {{"content-type", "application/json"}},
                              .body = wire::to_json(response),
                              .keeps_stream_open = true});
  logger_.info("session of " + (request->client_id.empty() ? "a client" : request->client_id) +
               " from " + connection.home_path().remote.to_string() + " opened with " +
               grant->address.to_string() +
               (response.ipv6 ? " and " + response.ipv6->client_ip.to_string() : ""));
  return HandshakeResult::kOk;
}

// Beside the IPv4 lease, for who can have one; name servers only where the client reaches them.
void ConnectService::lend_ipv6(wire::ConnectResponse& response) const {
  response.caps.ipv6 &= options_.ipv6 && response.mtu >= wire::kMinIpv6Mtu;
  if (response.caps.ipv6) {
    response.ipv6 = {.client_ip = *leases_.ipv6_of(response.client_ip),
                     .gateway_ip = options_.ipv6->gateway,
                     .cidr = options_.ipv6->prefix};
  } else {
    std::erase_if(response.dns, [](const IpAddress& server) { return server.is_v6(); });
  }
}

// The lease has a new owner already: what is for it goes there.
void ConnectService::end_replaced(tunnel::Tunnel& tunnel, const LeaseBook::Grant& grant) {
  if (grant.replaced && grant.replaced->shard != options_.shard) {
    options_.end_elsewhere(*grant.replaced, grant.address);
  }
  // The replaced one, or one that lost the lease to another shard, whose mail has not come yet.
  if (tunnel::Session* session = tunnel.sessions().find(grant.address)) {
    tunnel.close_session(*session, tunnel::SessionEnd::kReplaced, tunnel.now());
  }
}

void ConnectService::refuse(tunnel::Tunnel& tunnel, quic::Connection& connection,
                            quic::StreamId stream, HandshakeResult result, std::string_view why) {
  const wire::HandshakeStatus status = wire::handshake_status(result);
  quic::HeaderFields headers = {{"content-type", "text/plain"}};
  if (result == HandshakeResult::kRateLimited) {
    headers.emplace_back("retry-after", std::to_string(admission_.retry_after().count()));
  }
  tunnel.respond(
      connection, stream,
      {.status = status.status, .headers = std::move(headers), .body = std::string(status.body)});
  count_refusal(tunnel, connection, result, why);
}

void ConnectService::count_refusal(const tunnel::Tunnel& tunnel, const quic::Connection& connection,
                                   HandshakeResult result, std::string_view why) {
  handshakes_.count(result);
  note_failure(tunnel, connection,
               std::string(why.empty() ? wire::handshake_status(result).label : why));
}

void ConnectService::note_failure(const tunnel::Tunnel& tunnel, const quic::Connection& connection,
                                  std::string reason) {
  if (options_.failures == nullptr) return;
  options_.failures->add(connection.home_path().remote, std::move(reason), tunnel.now());
}

// The log's part takes a third of a microsecond for a handshake and nothing for another path: a
// thousand answers would show that (Mann and Whitney's test), so it is done later.
void ConnectService::note_stranger(tunnel::Tunnel& tunnel, const quic::Connection& connection,
                                   std::optional<HandshakeResult> result) {
  if (result) handshakes_.count(*result);
  if (strangers_.size() >= kMaxNotedStrangers) tell_strangers(tunnel.now());
  strangers_.push_back({connection.home_path().remote, result});
  if (tell_at_ != kNever) return;
  tell_at_ = tunnel.now() + kTellDelay;
  tunnel.wake_at(next_wake());
}

void ConnectService::tell_strangers(Timestamp now) {
  for (const auto& [client, result] : strangers_) {
    if (!result || options_.failures == nullptr) continue;
    options_.failures->add(client, std::string(wire::handshake_status(*result).label), now);
  }
  strangers_.clear();
  tell_at_ = kNever;
}

void ConnectService::on_stream_closed(tunnel::Tunnel&, quic::Connection& connection,
                                      quic::StreamId stream) {
  forget(connection, stream);
  waiting_.give_up(connection, stream);
}

void ConnectService::forget(const quic::Connection& connection, quic::StreamId stream) {
  const auto requests = pending_.find(&connection);
  if (requests == pending_.end()) return;
  requests->second.erase(stream);
  if (requests->second.empty()) pending_.erase(requests);
}

void ConnectService::on_path_tried(tunnel::Tunnel&, quic::Connection& connection,
                                   const UdpPath& path, bool is_usable) {
  const tunnel::Session* session = tunnel::Tunnel::session_of(connection);
  if (session == nullptr) return;
  logger_.debug("session with " + session->lease().to_string() +
                (is_usable ? " moved to " : " does not answer from ") + path.remote.to_string());
}

void ConnectService::on_session_closed(tunnel::Tunnel& tunnel, tunnel::Session& session,
                                       tunnel::SessionEnd end, const std::string& detail) {
  forget(session.connection(), session.stream());
  book_.release(session.lease(), session.id(), tunnel.now());
  admission_.release_session();
  session.account()->release_session();
  admission_.shares().give_back(session.id());
  const std::string client = session.client_id().empty() ? "a client" : session.client_id();
  const std::string reason = detail.empty() ? std::string(describe(end)) : detail;
  logger_.info("session of " + client + " with " + session.lease().to_string() +
               " ended: " + reason + " (after " + in_words(tunnel.now() - session.opened_at()) +
               "; " + bytes_in_words(session.bytes_up) + " from it, " +
               bytes_in_words(session.bytes_down) + " to it)");
}

void ConnectService::on_connection_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                                          const quic::CloseReason& reason) {
  const bool has_failed =
      !connection.is_handshake_complete() && reason.kind != quic::CloseReason::Kind::kLocal;
  if (has_failed) note_failure(tunnel, connection, failure(reason));
  waiting_.forget(connection);
  pending_.erase(&connection);
}

}  // namespace qdt::server
