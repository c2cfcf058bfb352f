// A client's TUN device, and how it looks after its host's network.

#include "client/client.h"
#include "os/clock.h"
#include "os/process.h"

namespace qdt::client {
namespace {

/// A change that could not be put back for so long is told: the client is degraded.
constexpr Duration kFaultPatience = 1s;

/// How often the status file is written while nothing happens.
constexpr Duration kStatusPeriod = 1s;

}  // namespace

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
  // attempt() gives an attempt up that gets no answer.
  tunnel.endpoint.connection.handshake_timeout = kMaxTimeouts * options_.reconnect.timeout;
  tunnel.endpoint.secret = random_.bytes<32>();
  tunnel.max_packet_bytes = options_.connector.mtu;
  auto shard = shard::Shard::create(
      {.thread_name = "qdt-client", .is_confined = options_.is_confined, .tunnel = tunnel},
      std::move(tun->queues.front()), nullptr, connector_, random_, counters_);
  if (!shard) return fail(shard);
  shard_ = std::move(*shard);
  return {};
}

void Client::keep_host() {
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
  judge(upkeep, ended);
  if (ended < next_status_) return;
  next_status_ = ended + kStatusPeriod;
  write_status();
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

void Client::judge(const os::Upkeep& upkeep, Timestamp now) {
  const bool was_degraded = degraded_since_ != kNever;
  fault_ = upkeep.fault;
  if (fault_.empty() && pace_.is_contested()) {
    fault_ = os::kContestedFault;
  }
  if (fault_.empty()) {
    fault_since_ = degraded_since_ = kNever;
  } else if (fault_since_ == kNever) {
    fault_since_ = now;
  }
  const bool is_degraded =
      !fault_.empty() && (pace_.is_contested() || now - fault_since_ >= kFaultPatience);
  if (is_degraded == was_degraded) return;
  degraded_since_ = is_degraded ? now : kNever;
  if (is_degraded) {
    logger_.warning("degraded: " + fault_);
  } else {
    logger_.info("this host's network is again as it has to be");
  }
  if (is_ready_) os::notify_status(words());
  write_status();
}

}  // namespace qdt::client
