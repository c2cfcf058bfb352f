#include "server/http3_exchange.h"

#include "wire/direct_packet.h"
#include "wire/handshake.h"

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

void Http3Exchange::open(Grant& grant, tunnel::SessionOptions& options) {
  if (grant.direct) {
    grant.response.direct_ids = tunnel_.new_direct_ids();
    options.direct = {.role = Role::kServer,
                      .secrets = *grant.direct,
                      .own_ids = grant.response.direct_ids,
                      .peer_ids = grant.request.direct_ids,
                      .has_shaper = options_.has_shaper,
                      .shares_ids = grant.response.caps.shared_id};
  }
  tunnel_.open_session(options, connection_, stream_, tunnel_.now());
  connection_.respond(stream_, {.status = 200,
                                .headers = {{"content-type", "application/json"}},
                                .body = wire::to_json(grant.response),
                                .keeps_stream_open = true});
}

}  // namespace qdt::server
