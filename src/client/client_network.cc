// A client's sockets and its ways to the server.

#include <utility>

#include "client/client.h"
#include "os/clock.h"
#include "os/resolver.h"

namespace qdt::client {

void Client::act(const action::Resolve&, Replies&) {
  std::thread([answers = answers_, host = options_.server_host, port = options_.server_port,
               name_servers = host_->name_servers()] {
    answers->post(os::resolve(host, port, name_servers));
  }).detach();
}

event::Resolved Client::take_answer() {
  auto answers = answers_->take();
  Answer answer = answers.empty() ? fail("resolve " + options_.server_host + ": no answer")
                                  : std::move(answers.back());
  Ways ways = find_ways(answer ? *answer : machine_.servers());
  return {std::move(answer), std::move(ways)};
}

Ways Client::find_ways(const std::vector<SocketAddress>& servers) const {
  Ways ways;
  for (const SocketAddress& server : servers) {
    const auto way = os::source_address(server, os::kTunnelMark);
    ways.push_back(way ? std::optional(*way) : std::nullopt);
  }
  return ways;
}

event::NetworkChanged Client::look_at_network() const {
  event::NetworkChanged found{.ways = find_ways(machine_.servers())};
  if (const SocketAddress* server = machine_.session_server()) {
    const auto way = os::source_address(*server, os::kTunnelMark);
    if (way) found.session_way = *way;
    found.own_lease = host_->find_own_lease(*machine_.session_grant());
  }
  return found;
}

// A device that seems to have the session's own address may be the tunnel's, which somebody renamed:
// so this host is looked after first, which gives it its name again.
event::NetworkChanged Client::follow_links() {
  event::NetworkChanged changed = look_at_network();
  if (!changed.own_lease) return changed;
  inbox_.emplace_back(keep_host());
  return look_at_network();
}

void Client::act(const action::OpenSocket& open, Replies& replies) {
  auto socket = os::UdpSocket::open({.local = {*IpAddress::parse("::"), 0},
                                     .mark = os::kTunnelMark,
                                     .offloads = options_.udp_offloads},
                                    logger_);
  if (!socket) {
    replies.emplace_back(event::SocketFailed{open.race, socket.error().message});
    return;
  }
  local_ = socket->local_address();
  refused_before_race_ = counters_.drops.value(Drop::kSocketRefused);
  shard_->post([this, socket = std::move(*socket)](shard::Shard& shard, Timestamp) mutable {
    const auto ok = shard.use_socket(std::move(socket));
    if (!ok) logger_.error(ok.error().message);
  });
  replies.emplace_back(event::SocketOpened{open.race, find_ways(machine_.servers())});
}

void Client::act(const action::StartAttempt& start, Replies& replies) {
  const std::string words = "connecting to " + start.server.to_string();
  if (machine_.reconnect().connects() == 0) {
    logger_.info(words);
  } else {
    logger_.debug(words);
  }
  const auto address = os::source_address(start.server, os::kTunnelMark);
  if (!address) {
    replies.emplace_back(event::NotStarted{start.attempt, address.error().message});
    return;
  }
  const UdpPath path{.local = {*address, local_.port}, .remote = start.server};
  shard_->post([this, path, id = start.attempt, token = resume_->token()](shard::Shard& shard,
                                                                          Timestamp now) {
    connector_.connect(shard.tunnel(), path, id, now, token);
  });
}

void Client::act(const action::Rebind& rebind, Replies& replies) {
  const bool is_v4 = rebind.server.address.is_v4();
  auto socket = os::UdpSocket::open({.local = {is_v4 ? IpAddress{} : *IpAddress::parse("::"), 0},
                                     .remote = rebind.server,
                                     .mark = os::kTunnelMark,
                                     .offloads = options_.udp_offloads},
                                    logger_);
  if (!socket) {
    logger_.debug(rebind.why + ": " + socket.error().message);
    replies.emplace_back(event::Rebound{rebind.attempt, std::nullopt});
    return;
  }
  const UdpPath path{.local = socket->local_address(), .remote = rebind.server};
  logger_.info(rebind.why + ": the session goes on from " + path.local.to_string());
  shard_->post(
      [this, path, socket = std::move(*socket)](shard::Shard& shard, Timestamp now) mutable {
        const auto ok = shard.replace_socket(std::move(socket), now);
        if (!ok) logger_.error(ok.error().message);
        connector_.migrate(shard.tunnel(), path, now);
      });
  replies.emplace_back(event::Rebound{rebind.attempt, path.local.address});
}

}  // namespace qdt::client
