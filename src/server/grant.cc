#include "server/grant.h"

#include <algorithm>
#include <string>

namespace qdt::server {
namespace {

using wire::HandshakeResult;

// The places of a session besides its lease: all of them, or none.
std::optional<Refusal> take_places(wire::SessionId session, const SessionRequest& asked,
                                   std::string_view client_id, bool replaces,
                                   access::Admission& admission) {
  if (!admission.shares().take(session, asked.from, client_id, replaces)) {
    return Refusal{HandshakeResult::kBusy, "busy: max_sessions_per_client is met"};
  }
  access::Account& account = *asked.user->account;
  if (!account.reserve_session(asked.user->limits.max_sessions, replaces)) {
    admission.shares().give_back(session);
    return Refusal{HandshakeResult::kBusy, "busy: its user has as many sessions as it may"};
  }
  if (!admission.reserve_session(replaces)) {
    account.release_session();
    admission.shares().give_back(session);
    return Refusal{HandshakeResult::kBusy};
  }
  return std::nullopt;
}

void give_back_places(wire::SessionId session, access::Account& account,
                      access::Admission& admission) {
  admission.release_session();
  account.release_session();
  admission.shares().give_back(session);
}

// Beside the IPv4 lease, for those who can have one; name servers only where the client reaches
// them.
void lend_ipv6(wire::ConnectResponse& response, const Offer& offer, const LeasePool& leases) {
  response.caps.ipv6 &= offer.ipv6 && response.mtu >= wire::kMinIpv6Mtu;
  if (response.caps.ipv6) {
    response.ipv6 = {.client_ip = *leases.ipv6_of(response.client_ip),
                     .gateway_ip = offer.ipv6->gateway,
                     .cidr = offer.ipv6->prefix};
  } else {
    std::erase_if(response.dns, [](const IpAddress& server) { return server.is_v6(); });
  }
}

}  // namespace

std::variant<Welcome, Refusal, Visit> judge(const RequestHead& head, const access::UserTable& users,
                                            access::Admission& admission, Timestamp now) {
  auto verdict = admission.judge(users, head.has_method, head.credential, head.from, now);
  const bool is_handshake = head.asks_for_session;
  if (is_handshake && verdict.result == HandshakeResult::kOk) {
    return Welcome{std::move(verdict.who)};
  }
  if (is_handshake && verdict.is_proven()) return Refusal{verdict.result};
  return Visit{.result = is_handshake ? std::optional(verdict.result) : std::nullopt,
               .delay = verdict.delay};
}

std::expected<Grant, Refusal> grant(const SessionRequest& asked, const Offer& offer,
                                    const Tables& tables, Random& random, Timestamp now) {
  const auto refuse = [](HandshakeResult result) { return std::unexpected(Refusal{result}); };
  if (!asked.carriage.has_datagrams) return refuse(HandshakeResult::kNotHttp3);
  const auto& request = asked.asked;
  if (!request) return refuse(request.error());
  if (asked.carriage.has_session) return refuse(HandshakeResult::kBadRequest);

  wire::Capabilities caps = request->caps & offer.caps;
  caps.direct &= asked.carriage.exporter != nullptr;
  caps.shared_id &= caps.direct && asked.carriage.can_share_ids;
  if (offer.needs_direct && !caps.direct) return refuse(HandshakeResult::kBadRequest);

  const auto token = caps.resume ? std::optional(request->resume_token) : std::nullopt;
  const bool is_fixed = asked.address && tables.leases.is_fixed(*asked.address);
  const bool replaces = is_fixed ? tables.book.is_in_use(*asked.address)
                                 : token && tables.book.is_in_use(*token, asked.user->name);
  const wire::SessionId session = random.number();
  if (const auto refusal =
          take_places(session, asked, request->client_id, replaces, tables.admission)) {
    return std::unexpected(*refusal);
  }
  const LeaseBook::Holder holder{
      .shard = offer.shard, .session = session, .user = asked.user->name};
  const auto lease =
      is_fixed ? tables.book.acquire_fixed(holder, *asked.address, token.has_value(), random)
               : tables.book.acquire(holder, token, random, now, asked.from);
  if (!lease) {
    give_back_places(session, *asked.user->account, tables.admission);
    if (!is_fixed) return refuse(HandshakeResult::kPoolExhausted);
    return std::unexpected(
        Refusal{HandshakeResult::kBusy, "busy: its address is another session's for a moment"});
  }

  Grant grant{.response = {.session_id = session,
                           .server_nonce = random.bytes<wire::kHandshakeNonceBytes>(),
                           .mtu = std::min(offer.mtu, request->mtu),
                           .client_ip = lease->address,
                           .gateway_ip = offer.gateway,
                           .cidr = offer.pool,
                           .dns = offer.pushed.dns,
                           .caps = caps,
                           .routes = offer.pushed.routes,
                           .dns_domains = offer.pushed.dns_domains,
                           .resume_token = lease->token},
              .user = asked.user,
              .replaced = lease->replaced};
  lend_ipv6(grant.response, offer, tables.leases);
  grant.request = *request;
  return grant;
}

Version1Session settle_version1(const Grant& grant, const access::Credential& credential,
                                const wire::Exporter* exporter) {
  const std::string_view token = credential.token();
  const auto& client_nonce = grant.request.client_nonce;
  const auto& server_nonce = grant.response.server_nonce;
  const wire::AeadAlgorithm aead = grant.response.caps.aead();
  Version1Session session{
      .keys = wire::derive_session_keys(token, client_nonce, server_nonce, aead), .direct = {}};
  if (grant.response.caps.direct) {
    session.direct = wire::derive_direct_secrets(exporter->derive(wire::kDirectExporterLabel),
                                                 token, client_nonce, server_nonce, aead);
  }
  return session;
}

void give_back(wire::SessionId session, const IpAddress& lease, access::Account& account,
               const Tables& tables, Timestamp now) {
  tables.book.release(lease, session, now);
  give_back_places(session, account, tables.admission);
}

}  // namespace qdt::server
