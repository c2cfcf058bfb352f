#include "server/reception.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "base/words.h"
#include "server/client_proof.h"

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
    case tunnel::SessionEnd::kKicked: return "ended by the operator";
    case tunnel::SessionEnd::kUserRemoved: return "the user was removed";
    case tunnel::SessionEnd::kUserDisabled: return "the user was disabled";
    case tunnel::SessionEnd::kUserExpired: return "the user's time is over";
    case tunnel::SessionEnd::kDeviceRemoved: return "the device was removed or has another key";
    case tunnel::SessionEnd::kQuotaUsedUp: return "the user's quota is used up";
    case tunnel::SessionEnd::kConnectionLost: return "connection lost";
  }
  return "ended";
}

std::string name_of(const std::string& client_id) {
  return client_id.empty() ? "a client" : client_id;
}

// Longer than a signature takes to be verified, and a server that is busy to do so.
constexpr Duration kProofTime = 2ms;

std::string how_it_came(bool is_version2, const access::Device* device) {
  if (!is_version2) return " by version 1 of the protocol";
  return device == nullptr || device->name.empty() ? "" : " (device " + device->name + ")";
}

// The parts of a request that its answer depends on, to be kept while the answer waits.
quic::Message without_body(const quic::Message& message) {
  quic::Message head;
  head.method = message.method;
  head.path = message.path;
  head.headers = message.headers;
  head.is_too_long = message.is_too_long;
  return head;
}

}  // namespace

Reception::Reception(const Options& options, const Tables& tables,
                     tunnel::HandshakeCounters& handshakes, Random& random, Logger& logger)
    : options_(options),
      tables_(tables),
      users_(tables.admission.users()),
      handshakes_(handshakes),
      random_(random),
      logger_(logger) {
  strangers_.reserve(kMaxNotedStrangers);
}

void Reception::receive(tunnel::Tunnel& tunnel, Exchange& exchange, Request& request,
                        const quic::Message& message) {
  if (request.is_answered) return;
  if (!std::exchange(request.has_head, true)) {
    request.content_length = message.content_length();
    if (!take_head(tunnel, exchange, request, message)) return;
  }
  if (!has_whole_body(request, message)) return;
  request.body = message.body;
  request.has_body = true;
  if (exchange.is_carriage_known()) take_whole(tunnel, exchange, request);
}

void Reception::on_carriage_known(tunnel::Tunnel& tunnel, Exchange& exchange, Request& request) {
  if (request.has_body && !request.is_answered) take_whole(tunnel, exchange, request);
}

void Reception::forget(const Exchange& exchange) {
  waiting_.give_up(exchange);
  questions_.erase(&exchange);
}

// A body is complete when it is as long as announced, or, unannounced, when its JSON object is
// closed: the client keeps its side of the stream open. It may come in as many pieces as it has
// bytes, so what has been looked at is not looked at again.
bool Reception::has_whole_body(Request& request, const quic::Message& message) {
  if (request.version2 || message.has_ended || message.is_too_long) return true;
  if (message.body.size() > wire::kMaxConnectBodyBytes) return true;
  if (request.content_length) return message.body.size() >= *request.content_length;
  return request.end.has_come(message.body);
}

// True when the head is that of a request that may open a session; any other is answered, now or in
// its turn.
bool Reception::take_head(tunnel::Tunnel& tunnel, Exchange& exchange, Request& request,
                          const quic::Message& message) {
  const bool is_version2 = asks_by_version2(message) && exchange.carriage().exporter != nullptr;
  access::Credential credential =
      is_version2 ? shown_by(message, *exchange.carriage().exporter, options_.version2->authorities,
                             options_.version2->identity_key)
                  : access::Credential(options_.takes_version1 ? message.header(wire::kTokenHeader)
                                                               : std::string_view());
  const IpAddress from = exchange.from().address;
  RequestHead head = version1_head(message.method, message.path, credential, from);
  head.asks_for_session &= options_.takes_version1;
  wire::PathScope scope = wire::PathScope::kElsewhere;
  if (is_version2) {
    scope = wire::match_path(message.path, options_.version2->path_template);
    head.asks_for_session = scope != wire::PathScope::kElsewhere;
    head.has_method = true;
  }
  auto decision = judge(head, *users_, tables_.admission, tunnel.now());
  if (std::holds_alternative<Welcome>(decision)) {
    request.credential = std::move(credential);
    if (is_version2)
      request.version2 = read_version2(scope, message.joined(wire::kSessionFieldName));
    return true;
  }
  request.is_answered = true;
  if (const auto* refusal = std::get_if<Refusal>(&decision)) {
    refuse(tunnel, exchange, *refusal);
    return false;
  }
  auto& visit = std::get<Visit>(decision);
  // However long it took to verify a signature: a part of them is refused sooner than the others.
  if (is_version2 && visit.delay) visit.delay = std::max(*visit.delay, kProofTime);
  receive_visitor(tunnel, exchange, visit, message);
  return false;
}

std::expected<wire::ConnectRequest, HandshakeResult> Reception::read_version1(
    std::string_view body) const {
  auto request = wire::parse_connect_request(body);
  if (request) request->mtu = std::min(request->mtu, options_.version1_mtu);
  return request;
}

bool Reception::asks_by_version2(const quic::Message& message) const {
  return options_.version2 && message.protocol == wire::kConnectIpProtocol;
}

void Reception::take_whole(tunnel::Tunnel& tunnel, Exchange& exchange, Request& request) {
  request.is_answered = true;
  const std::string body = std::exchange(request.body, {});
  const access::Credential credential = std::exchange(request.credential, {});
  const auto version2 = std::exchange(request.version2, std::nullopt);
  // The users may be others than when the head came.
  const auto who = users_->find(credential);
  if (!who) return refuse(tunnel, exchange, {.result = HandshakeResult::kUnauthorized, .why = {}});
  const bool is_ticket = who.device != nullptr && who.device->is_ticket;
  const bool brings_device = version2 && *version2 && (*version2)->enrol;
  if (is_ticket || brings_device) {
    if (is_ticket && brings_device) return enrol(tunnel, exchange, who, **version2);
    return refuse(
        tunnel, exchange,
        {.result = HandshakeResult::kBadRequest,
         .why = is_ticket ? "a link without a device's key" : "a device's key without a link"});
  }
  const auto asked = [&]() -> std::expected<wire::ConnectRequest, HandshakeResult> {
    if (!version2) return read_version1(body);
    if (!*version2) return std::unexpected(version2->error());
    return (*version2)->request;
  }();
  if (version2 && *version2) {
    if (const auto refusal = refuse_unsealed(**version2, who.device)) {
      return refuse(tunnel, exchange, *refusal);
    }
  }
  auto granted = grant({.asked = asked,
                        .user = who.user,
                        .from = exchange.from().address,
                        .carriage = exchange.carriage(),
                        .address = who.device != nullptr ? who.device->address : std::nullopt},
                       options_.offer, tables_, random_, tunnel.now());
  if (!granted) return refuse(tunnel, exchange, granted.error());
  open(tunnel, exchange, who, credential, version2 ? std::optional(**version2) : std::nullopt,
       *granted);
  handshakes_.count(HandshakeResult::kOk);
}

void Reception::enrol(tunnel::Tunnel& tunnel, Exchange& exchange,
                      const access::UserTable::Match& who, const Version2Request& asked) {
  if (!options_.enroller) {
    return refuse(tunnel, exchange, {.result = HandshakeResult::kNotReady, .why = {}});
  }
  const std::uint64_t question = ++last_question_;
  questions_[&exchange] = question;
  options_.enroller(
      {.user = who->name,
       .ticket = who.device->name,
       .key = *asked.enrol,
       .name = asked.request.client_id,
       .platform = asked.request.platform,
       .from = exchange.from().address},
      [this, exchange = &exchange, question, nonce = asked.request.client_nonce,
       key = *who.device->key](HandshakeResult result) {
        options_.post([this, exchange, question, nonce, key, result](tunnel::Tunnel& one) {
          if (is_still_asked(exchange, question)) {
            answer_enrolment(one, *exchange, result, nonce, key);
          }
        });
      });
}

void Reception::answer_enrolment(tunnel::Tunnel& tunnel, Exchange& exchange, HandshakeResult result,
                                 const wire::HandshakeNonce& client_nonce,
                                 const wire::Ed25519PublicKey& ticket_key) {
  if (result != HandshakeResult::kEnrolled)
    return refuse(tunnel, exchange, {.result = result, .why = {}});
  wire::SessionAnswer answer{
      .nonce = random_.bytes<wire::kHandshakeNonceBytes>(), .mtu = options_.offer.mtu, .key = {}};
  prove(answer, options_.version2->identity, client_nonce, ticket_key,
        *exchange.carriage().exporter);
  handshakes_.count(result);
  exchange.respond(
      {.status = 200,
       .headers = {{std::string(wire::kSessionFieldName), wire::write_session_field(answer)}}});
}

void Reception::open(tunnel::Tunnel& tunnel, Exchange& exchange,
                     const access::UserTable::Match& who, const access::Credential& credential,
                     const std::optional<Version2Request>& version2, Grant& granted) {
  const wire::Exporter* exporter = exchange.carriage().exporter;
  SettledSession session;
  if (version2) {
    session = settle_version2(*version2, who, credential, options_.version2->identity, *exporter,
                              granted);
  } else {
    session = settle_version1(granted, credential, exporter);
  }
  end_replaced(tunnel, granted);
  const wire::ConnectResponse& response = granted.response;
  tunnel::SessionOptions options{
      .role = Role::kServer,
      .id = response.session_id,
      .lease = response.client_ip,
      .lease6 = response.ipv6 ? std::optional(response.ipv6->client_ip) : std::nullopt,
      .mtu = response.mtu,
      .caps = response.caps,
      .rate_limit = granted.user->limits.session_rate,
      .account = granted.user->account,
      .meter = granted.user->meter_of(who.device),
      .account_rate = granted.user->limits.rate,
      .account_bits = granted.user->limits.bits,
      .send_queue = options_.send_queue,
      .max_reassembly_bytes = options_.max_reassembly_bytes,
      .client_id = granted.request.client_id,
      .user = granted.user->name,
      .device = who.device != nullptr ? who.device->name : std::string(),
      .proven = std::shared_ptr<const access::Device>(who.user, who.device),
      .needs_direct = options_.offer.needs_direct};
  const std::string from = exchange.from().to_string();
  exchange.open(granted, session, options);
  logger_.info("session of " + name_of(granted.request.client_id) + " from " + from +
                   how_it_came(version2.has_value(), who.device) + " opened with " +
                   response.client_ip.to_string() +
                   (response.ipv6 ? " and " + response.ipv6->client_ip.to_string() : ""),
               {{"session", wire::session_id_text(response.session_id)},
                {"client", granted.request.client_id},
                {"address", from}});
}

// The lease has a new owner already: what is for it goes there.
void Reception::end_replaced(tunnel::Tunnel& tunnel, const Grant& granted) {
  const IpAddress& lease = granted.response.client_ip;
  if (granted.replaced && granted.replaced->shard != options_.offer.shard) {
    options_.end_elsewhere(*granted.replaced, lease);
  }
  // The replaced one, or one that lost the lease to another shard, whose mail has not come yet.
  if (tunnel::Session* session = tunnel.sessions().find(lease)) {
    tunnel.close_session(*session, tunnel::SessionEnd::kReplaced, tunnel.now());
  }
}

void Reception::refuse(tunnel::Tunnel& tunnel, Exchange& exchange, const Refusal& refusal) {
  const wire::HandshakeStatus status = wire::handshake_status(refusal.result);
  quic::HeaderFields headers = {{"content-type", "text/plain"}};
  if (refusal.result == HandshakeResult::kRateLimited) {
    headers.emplace_back("retry-after", std::to_string(tables_.admission.retry_after().count()));
  }
  handshakes_.count(refusal.result);
  note_failure(exchange.from(), refusal.why.empty() ? status.label : refusal.why, tunnel.now());
  exchange.respond(
      {.status = status.status, .headers = std::move(headers), .body = std::string(status.body)});
}

void Reception::on_session_closed(tunnel::Tunnel& tunnel, tunnel::Session& session,
                                  tunnel::SessionEnd end, const std::string& detail) {
  give_back(session.id(), session.lease(), *session.account(), tables_, tunnel.now());
  const std::string reason = detail.empty() ? std::string(describe(end)) : detail;
  logger_.info("session of " + name_of(session.client_id()) + " with " +
                   session.lease().to_string() + " ended: " + reason + " (after " +
                   in_words(tunnel.now() - session.opened_at()) + "; " +
                   bytes_in_words(session.traffic().up.bytes) + " from it, " +
                   bytes_in_words(session.traffic().down.bytes) + " to it)",
               {{"session", wire::session_id_text(session.id())},
                {"client", session.client_id()},
                {"reason", reason}});
}

// --- visitors ---

void Reception::receive_visitor(tunnel::Tunnel& tunnel, Exchange& exchange, const Visit& visit,
                                const quic::Message& request) {
  if (visit.delay == Duration::zero()) {
    answer_visitor(tunnel, exchange, request, visit.result);
  } else if (visit.delay && waiting_.add({.connection = exchange.connection(),
                                          .exchange = &exchange,
                                          .result = visit.result,
                                          .request = without_body(request)},
                                         tunnel.now() + *visit.delay)) {
    tunnel.wake_at(next_wake());
  } else {
    note_stranger(tunnel, exchange.from(), visit.result);
    exchange.close();
  }
}

void Reception::on_wake(tunnel::Tunnel& tunnel) {
  while (const auto answer = waiting_.take_due(tunnel.now())) {
    answer_visitor(tunnel, *answer->exchange, answer->request, answer->result);
  }
  if (tell_at_ <= tunnel.now()) tell_strangers(tunnel.now());
  tunnel.wake_at(next_wake());
}

// Answers a request that did not show the token: alike, and in the same time, whatever it asked
// for. `result` says why it opens no session, if it asked for one.
void Reception::answer_visitor(tunnel::Tunnel& tunnel, Exchange& exchange,
                               const quic::Message& request,
                               std::optional<HandshakeResult> result) {
  if (options_.decoy) {
    if (options_.decoy->upstream() && !request.is_too_long) {
      ask_upstream(exchange, request);
    } else {
      const auto date = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
      exchange.respond(options_.decoy->answer(request, date));
    }
    return note_stranger(tunnel, exchange.from(), result);
  }
  if (result) return refuse(tunnel, exchange, {*result});
  exchange.respond(
      {.status = 404, .headers = {{"content-type", "text/plain"}}, .body = "not found\n"});
}

void Reception::ask_upstream(Exchange& exchange, const quic::Message& request) {
  const std::uint64_t question = ++last_question_;
  questions_[&exchange] = question;
  options_.proxy->ask(
      *options_.decoy->upstream(), request, exchange.from().address,
      [this, exchange = &exchange, question](quic::Response response) {
        options_.post([this, exchange, question, response = std::move(response)](tunnel::Tunnel&) {
          if (is_still_asked(exchange, question)) exchange->respond(response);
        });
      });
}

// The exchange may be gone by now, and another be in its place.
bool Reception::is_still_asked(Exchange* exchange, std::uint64_t question) {
  const auto found = questions_.find(exchange);
  if (found == questions_.end() || found->second != question) return false;
  questions_.erase(found);
  return true;
}

void Reception::note_failure(const SocketAddress& client, std::string_view reason, Timestamp now) {
  if (options_.failures == nullptr) return;
  options_.failures->add(client, std::string(reason), now);
}

// The log's part takes a third of a microsecond for a handshake and nothing for another path: a
// thousand answers would show that (Mann and Whitney's test), so it is done later.
void Reception::note_stranger(tunnel::Tunnel& tunnel, const SocketAddress& client,
                              std::optional<HandshakeResult> result) {
  if (result) handshakes_.count(*result);
  if (strangers_.size() >= kMaxNotedStrangers) tell_strangers(tunnel.now());
  strangers_.push_back({client, result});
  if (tell_at_ != kNever) return;
  tell_at_ = tunnel.now() + kTellDelay;
  tunnel.wake_at(next_wake());
}

void Reception::tell_strangers(Timestamp now) {
  for (const auto& [client, result] : strangers_) {
    if (result) note_failure(client, wire::handshake_status(*result).label, now);
  }
  strangers_.clear();
  tell_at_ = kNever;
}

}  // namespace qdt::server
