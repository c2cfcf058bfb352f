#include "server/http3_exchange.h"

#include <utility>
#include <variant>

#include "wire/direct_packet.h"
#include "wire/handshake.h"
#include "wire/session_field.h"

namespace qdt::server {

Carriage Http3Exchange::carriage() const {
  return {.has_datagrams = connection_.accepts_datagrams(),
          .has_session = tunnel::Tunnel::session_of(connection_) != nullptr,
          .can_share_ids = connection_.peer_id().id.bytes().size() == wire::kDirectIdBytes,
          .exporter = &connection_.exporter()};
}

void Http3Exchange::respond(const quic::Response& response) {
  connection_.respond(stream_, response);
}

void Http3Exchange::close() {
  connection_.close("", tunnel_.now());
}

void Http3Exchange::add_direct(Grant& grant, const std::optional<wire::DirectSecrets>& secrets,
                               tunnel::SessionOptions& options) {
  if (!secrets) return;
  grant.response.direct_ids = tunnel_.new_direct_ids();
  options.direct = {.role = Role::kServer,
                    .secrets = *secrets,
                    .own_ids = grant.response.direct_ids,
                    .peer_ids = grant.request.direct_ids,
                    .has_shaper = options_.has_shaper,
                    .shares_ids = grant.response.caps.shared_id};
}

void Http3Exchange::open(Grant& grant, const SettledSession& session,
                         tunnel::SessionOptions& options) {
  if (const auto* version1 = std::get_if<Version1Session>(&session)) {
    open_version1(grant, *version1, options);
  } else {
    open_version2(grant, std::get<Version2Session>(session), options);
  }
}

void Http3Exchange::open_version1(Grant& grant, const Version1Session& session,
                                  tunnel::SessionOptions& options) {
  add_direct(grant, session.direct, options);
  options.keys = session.keys;
  tunnel_.open_session(options, connection_, stream_, tunnel_.now());
  connection_.respond(stream_, {.status = 200,
                                .headers = {{"content-type", "application/json"}},
                                .body = wire::to_json(grant.response),
                                .keeps_stream_open = true});
}

void Http3Exchange::open_version2(Grant& grant, const Version2Session& session,
                                  tunnel::SessionOptions& options) {
  add_direct(grant, session.terms.direct, options);
  options.contexts = session.terms.contexts;
  tunnel::Session& opened = tunnel_.open_session(options, connection_, stream_, tunnel_.now());

  quic::Response response{
      .status = 200, .headers = {{"capsule-protocol", "?1"}}, .keeps_stream_open = true};
  if (session.has_field) {
    response.headers.emplace_back(
        wire::kSessionFieldName,
        wire::write_session_field(version2_answer(grant, session, connection_.exporter())));
  }
  signalling_.emplace(grant.response);
  // The client may have sent more than it may before its answer: it hears so, and has no session.
  const bool is_open = connection_.respond(stream_, response) &&
                       connection_.send(stream_, signalling_->first_capsules());
  if (!is_open) return connection_.close("too much before the answer", tunnel_.now());
  if (const auto rate = opened.take_peer_rate()) ask_for_rate(*rate);
}

void Http3Exchange::use_routes(std::span<const Prefix> pushed) {
  if (signalling_) tell(signalling_->use_routes(pushed));
}

void Http3Exchange::ask_for_rate(std::uint64_t bits_per_second) {
  if (signalling_) tell(IpSignalling::rate_capsule(bits_per_second));
}

void Http3Exchange::tell(std::vector<std::uint8_t> capsule) {
  if (capsule.empty() || connection_.send(stream_, std::move(capsule))) return;
  connection_.close("the client does not take capsules", tunnel_.now());
}

Result<std::optional<Bytes>> Http3Exchange::receive(Bytes& bytes) {
  if (!signalling_) return std::nullopt;
  std::vector<std::uint8_t> answer;
  const auto datagram = signalling_->receive(bytes, answer);
  if (!datagram) return fail(datagram);
  if (answer.empty() || connection_.send(stream_, std::move(answer))) return *datagram;
  return fail("the client does not take the answers to its capsules");
}

}  // namespace qdt::server
