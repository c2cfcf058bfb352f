// A client's TUN device, and how it looks after its host's network.

#include "client/client.h"
#include "os/clock.h"

namespace qdt::client {

os::HostPlan Client::host_plan(const Options& options) {
  const HostSetup::Options& host = options.host;
  os::HostPlan plan{
      .role = os::HostPlan::Role::kClient,
      .program = "qdt-client",
      .tun = {.name = host.tun_name, .use_offloads = options.use_tun_offloads},
      .takes_everything = host.routing == Routing::kEverything,
      .up = host.up,
      .down = host.down,
  };
  if (host.routing == Routing::kNothing) plan.routes = host.routes;
  if (host.has_kill_switch) {
    plan.kill_switch = {.tun_name = host.tun_name,
                        .allows_lan = host.kill_switch_allows_lan,
                        .outside = host.exclude};
  }
  return plan;
}

Result<void> Client::make_shard() {
  auto tun = host_control_.open_tun();
  if (!tun) return fail(tun);

  tunnel::Tunnel::Options tunnel{.role = Role::kClient};
  tunnel.endpoint.connection.keep_alive = options_.keep_alive;
  tunnel.endpoint.connection.congestion = options_.congestion;
  // The machine gives an attempt up that gets no answer.
  tunnel.endpoint.connection.handshake_timeout = Machine::kMaxTimeouts * options_.reconnect.timeout;
  tunnel.endpoint.secret = random_.bytes<32>();
  tunnel.max_packet_bytes = options_.connector.mtu;
  auto shard = shard::Shard::create(
      {.thread_name = "qdt-client", .is_confined = options_.is_confined, .tunnel = tunnel},
      std::move(tun->queues.front()), nullptr, connector_, random_, counters_);
  if (!shard) return fail(shard);
  shard_ = std::move(*shard);
  return {};
}

event::HostLooked Client::keep_host() {
  const Timestamp begun = os::now();
  watch_->take();
  watch_host(true);
  os::Upkeep upkeep = host_->keep();
  if (upkeep.lacks_device) {
    const auto restored = restore_device();
    if (restored) {
      upkeep = host_->keep();
      upkeep.count(os::HostPart::kDevice);
    } else {
      upkeep.add_fault("the device " + options_.host.tun_name +
                       " was deleted: " + restored.error().message);
    }
  }
  const Timestamp ended = os::now();
  pace_.on_kept(begun, ended, upkeep);
  const bool is_contested = pace_.is_contested();
  const bool has_words = !upkeep.fault.empty() || !is_contested;
  return {has_words ? upkeep.fault : os::kContestedFault, is_contested};
}

Result<void> Client::restore_device() {
  auto tun = host_control_.open_tun();
  if (!tun) return fail(tun);
  shard_->post(
      [this, queue = std::move(tun->queues.front())](shard::Shard& shard, Timestamp) mutable {
        const auto ok = shard.use_tun(std::move(queue));
        if (!ok) logger_.error(ok.error().message);
      });
  logger_.warning("somebody deleted the device " + options_.host.tun_name + "; it is made again");
  return host_->adopt_device();
}

void Client::act(const action::SetUpHost& set_up, Replies& replies) {
  replies.emplace_back(keep_host());  // the device may have gone while there was no session
  const auto ok = host_->apply(set_up.grant, set_up.server);
  if (ok) {
    replies.emplace_back(event::HostReady{set_up.attempt});
  } else if (is_told_to_stop()) {
    replies.emplace_back(event::Stop{});
  } else if (const auto why = host_control_.has_ended()) {
    replies.emplace_back(event::HostProcessEnded{*why});
  } else {
    replies.emplace_back(event::HostFailed{set_up.attempt, ok.error().message});
  }
}

void Client::act(const action::FollowNetworks& follow, Replies&) {
  host_->follow_networks(follow.grant);
}

void Client::act(const action::ReleaseLease&, Replies&) {
  if (const auto ok = host_->release_lease(); !ok) logger_.warning(ok.error().message);
}

void Client::act(const action::FollowPath& follow, Replies&) {
  const auto ok = host_->follow_path(follow.sizes.path_mtu, follow.sizes.tunnel_mtu);
  if (!ok) logger_.warning(ok.error().message);
  write_status();
}

}  // namespace qdt::client
