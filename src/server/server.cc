#include "server/server.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <utility>

#include "os/clock.h"
#include "os/steering.h"
#include "os/taken_networks.h"
#include "server/limit_walk.h"
#include "server/pool_overlap.h"
#include "shard/ask.h"

namespace qdt::server {
namespace {

// So many sessions are looked at between two batches of a shard: packets wait for some tens of
// microseconds, however many sessions there are.
constexpr std::size_t kFactsPerStep = 32;
constexpr std::size_t kLooksPerStep = 1024;

// The leases that are kept for the clients of one address; 0: any number.
std::size_t max_kept(const access::ClientShares::Options& shares) {
  return shares.max_of_client > 0 ? shares.max_of_address : 0;
}

// Between batches of the shard, until `step` returns true.
template <typename Step>
void repeat(shard::Shard& shard, Step step) {
  shard.post([step = std::move(step)](shard::Shard& one, Timestamp now) mutable {
    if (step(one, now)) return;
    repeat(one, std::move(step));
  });
}

Moment now() {
  return {os::now(), std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())};
}

std::vector<os::TunAddress> tun_addresses(const Offer& offer) {
  std::vector<os::TunAddress> addresses = {{offer.gateway, offer.pool.length()}};
  if (offer.ipv6) addresses.push_back({offer.ipv6->gateway, offer.ipv6->prefix.length()});
  return addresses;
}

os::NatOptions nat_options(const Server::Options& options) {
  const Offer& offer = options.reception.offer;
  os::NatOptions nat{.pool = offer.pool, .external_interface = options.external_interface};
  if (options.has_nat6 && offer.ipv6) nat.pool6 = offer.ipv6->prefix;
  return nat;
}

}  // namespace

os::HostPlan Server::host_plan(const Options& options) {
  const Offer& offer = options.reception.offer;
  const LeasePool pool(offer.pool, offer.gateway, options.shard_count, offer.ipv6);
  os::HostPlan plan{.role = os::HostPlan::Role::kServer,
                    .program = "qdt-server",
                    .tun = {.name = options.tun_name,
                            .queues = options.shard_count,
                            .use_offloads = options.use_tun_offloads},
                    .is_steered = options.shard_count > 1,
                    .ipv6_difference = pool.ipv6_difference(),
                    .addresses = tun_addresses(offer),
                    .access = options.access,
                    .lease_path = options.lease_path,
                    .no_leases = to_text({}, {})};
  if (!options.has_nat) return plan;
  plan.leftover_nat = os::LeftoverNat::kKept;
  plan.nat = nat_options(options);
  return plan;
}

Result<std::unique_ptr<Server>> Server::open(const Options& options,
                                             const quic::TlsServerContext& tls, Random& random,
                                             os::HostControl& host, Logger& logger) {
  std::unique_ptr<Server> server(new Server(options, random, host, logger));
  if (auto ok = server->set_up(tls); !ok) return fail(ok);
  return server;
}

Result<void> Server::check_networks(const Options& options) {
  const auto networks = os::taken_networks(options.tun_name);
  if (!networks) return fail(networks);
  const Offer& offer = options.reception.offer;
  if (const auto overlap =
          find_pool_overlap("pool_cidr", offer.pool, !options.has_nat, *networks)) {
    return fail(*overlap);
  }
  if (!offer.ipv6) return {};
  const bool is_routed_here = !options.has_nat || !options.has_nat6;
  const auto overlap =
      find_pool_overlap("pool_cidr6", offer.ipv6->prefix, is_routed_here, *networks);
  return overlap ? fail(*overlap) : Result<void>();
}

Server::Server(const Options& options, Random& random, os::HostControl& host, Logger& logger)
    : options_(options),
      random_(random),
      host_(host),
      logger_(logger),
      admission_([&] {
        access::Admission::Options admission = options.admission;
        admission.seed = random.number();
        return admission;
      }()),
      users_(admission_.users()),
      leases_(options.reception.offer.pool, options.reception.offer.gateway, options.shard_count,
              options.reception.offer.ipv6),
      book_(leases_, options.lease_grace, max_kept(options.admission.shares)),
      lease_file_(
          options.lease_path, book_, [this] { return host_.open_lease_file(); }, logger),
      handshake_log_(logger) {}

Server::~Server() {
  admission_.set_ready(false);
  for (const auto& shard : shards_)
    shard->stop(tunnel::SessionEnd::kShutdown, "the server is shutting down");
  for (std::thread& thread : threads_) thread.join();
  if (!threads_.empty()) save_leases();
  tell_failures();
}

Result<void> Server::set_up(const quic::TlsServerContext& tls) {
  // The port first: the fault most likely to be met changes nothing on the host.
  std::vector<os::UdpSocket> sockets;
  local_address_ = options_.address;
  if (options_.shard_count > 1) {
    // Shards share the port, with whoever else shares it: make sure that nobody has it.
    const auto alone = os::UdpSocket::open({.local = local_address_}, logger_);
    if (!alone) return fail(alone);
  }
  for (std::size_t i = 0; i < options_.shard_count; ++i) {
    auto socket = os::UdpSocket::open({.local = local_address_,
                                       .is_shared = options_.shard_count > 1,
                                       .offloads = options_.udp_offloads},
                                      logger_);
    if (!socket) return fail(socket);
    local_address_ = socket->local_address();  // :0 becomes one port for all shards
    sockets.push_back(std::move(*socket));
  }

  if (auto ok = check_networks(options_); !ok) return ok;
  auto network = host_.open_network();
  if (!network) return fail(network);
  network_ = std::move(*network);
  auto watch = os::HostWatch::open();
  if (!watch) return fail(watch);
  watch_ = std::move(*watch);
  auto tun = host_.open_tun();
  if (!tun) return fail(tun);
  if (options_.shard_count > 1) steer(sockets.front());
  if (auto ok = set_up_host(); !ok) return fail(ok);
  if (options_.lease_grace > Duration::zero()) lease_file_.load(now());

  for (std::size_t i = 0; i < options_.shard_count; ++i) {
    if (auto ok = add_shard(std::move(sockets[i]), std::move(tun->queues[i]), tls); !ok) {
      return fail(ok);
    }
  }
  return {};
}

// A host that refuses costs speed, not service.
void Server::steer(const os::UdpSocket& socket) {
  if (const auto ok = os::steer_payloads(socket, options_.shard_count); !ok) {
    logger_.warning(ok.error().message +
                    "; shards hand payloads over to one another, which is slower");
  }
}

Result<void> Server::set_up_host() {
  const Offer& offer = options_.reception.offer;
  const std::vector<os::TunAddress> addresses = tun_addresses(offer);
  if (auto ok = network_->configure_tun(addresses, offer.mtu); !ok) return fail(ok);
  if (auto ok = network_->limit_clients(options_.access); !ok) return fail(ok);
  if (auto ok = network_->enable_forwarding(); !ok) return fail(ok);
  if (offer.ipv6) {
    if (auto ok = network_->enable_ipv6_forwarding(); !ok) return fail(ok);
  }
  if (options_.has_nat) {
    if (auto ok = network_->install_nat(nat_options(options_)); !ok) return fail(ok);
  }
  for (const std::string& obstacle : network_->forwarding_obstacles()) logger_.warning(obstacle);
  return {};
}

Result<void> Server::add_shard(os::UdpSocket socket, os::TunQueue tun,
                               const quic::TlsServerContext& tls) {
  const std::size_t index = shards_.size();
  Reception::Options reception = options_.reception;
  reception.offer.shard = index;
  reception.failures = &handshake_log_;
  reception.offer.caps.resume = options_.lease_grace > Duration::zero();
  reception.proxy = &decoy_proxy_;
  reception.post = [this, index](std::move_only_function<void(tunnel::Tunnel&)> task) {
    shards_[index]->post(
        [task = std::move(task)](shard::Shard& shard, Timestamp) mutable { task(shard.tunnel()); });
  };
  reception.end_elsewhere = [this](const LeaseBook::Holder& replaced, const IpAddress& lease) {
    end_replaced(replaced, lease);
  };
  services_.push_back(std::make_unique<ConnectService>(
      options_.exchange, reception,
      Tables{.admission = admission_, .leases = leases_, .book = book_}, handshakes_, random_,
      logger_));
  counters_.push_back(std::make_unique<tunnel::Counters>());

  tunnel::Tunnel::Options tunnel = options_.tunnel;
  tunnel.role = Role::kServer;
  tunnel.endpoint.shard = index;
  tunnel.endpoint.shard_count = options_.shard_count;
  tunnel.max_packet_bytes = reception.offer.mtu;
  tunnel.has_siblings = options_.shard_count > 1;
  tunnel.is_lease = [this](const IpAddress& address) { return leases_.owner(address).has_value(); };
  auto shard = shard::Shard::create(
      {.thread_name = "qdt-shard-" + std::to_string(index),
       .is_confined = options_.is_confined,
       .index = index,
       .tunnel = tunnel,
       .send_datagram_queue = options_.send_datagram_queue,
       .owner_of_lease = [this](const IpAddress& lease) { return leases_.owner(lease); }},
      std::move(tun), &tls, *services_.back(), random_, *counters_.back());
  if (!shard) return fail(shard);
  if (auto ok = (*shard)->use_socket(std::move(socket)); !ok) return fail(ok);
  shards_.push_back(std::move(*shard));
  return {};
}

void Server::run() {
  start_proxy(options_.reception.decoy.get());
  std::vector<shard::Mailbox<shard::Mail>*> mailboxes;
  for (const auto& shard : shards_) mailboxes.push_back(&shard->mailbox());
  for (const auto& shard : shards_) {
    shard->set_siblings(mailboxes);
    threads_.emplace_back([&shard = *shard] { shard.run(); });
  }
  check_host(os::now());
}

// Called by a shard, about another: shards_ does not change while they run.
void Server::end_replaced(const LeaseBook::Holder& replaced, const IpAddress& lease) {
  shards_[replaced.shard]->post([lease, id = replaced.session](shard::Shard& shard, Timestamp now) {
    tunnel::Session* session = shard.tunnel().sessions().find(lease);
    if (session == nullptr || session->id() != id) return;
    shard.tunnel().close_session(*session, tunnel::SessionEnd::kReplaced, now);
  });
}

// From the end to the beginning: where a session ends meanwhile, the last one takes its place
// (SessionTable), and that one has been looked at. It may be looked at again.
Result<std::vector<tunnel::SessionFacts>> Server::sessions(Timestamp deadline) const {
  struct Part {
    std::vector<tunnel::SessionFacts> sessions;
    std::optional<std::size_t> left;  // to be looked at
  };
  auto parts = shard::ask<Part>(
      shards_,
      [](shard::Shard& shard, Timestamp now, Part& part) {
        const tunnel::SessionTable& table = shard.tunnel().sessions();
        std::size_t left = std::min(part.left.value_or(table.size()), table.size());
        for (std::size_t n = 0; n < kFactsPerStep && left > 0; ++n) {
          part.sessions.push_back(tunnel::facts_of(table.at(--left), now));
        }
        part.left = left;
        return left == 0;
      },
      deadline);
  if (!parts) return fail(parts);
  std::vector<tunnel::SessionFacts> all;
  for (Part& part : *parts) std::ranges::move(part.sessions, std::back_inserter(all));
  std::ranges::sort(all, {}, &tunnel::SessionFacts::id);
  const auto twice = std::ranges::unique(all, {}, &tunnel::SessionFacts::id);
  all.erase(twice.begin(), twice.end());
  return all;
}

Result<tunnel::SessionFacts> Server::kick(wire::SessionId session, Timestamp deadline) const {
  struct Part {
    std::optional<tunnel::SessionFacts> kicked;
    std::optional<std::size_t> left;
  };
  auto parts = shard::ask<Part>(
      shards_,
      [session](shard::Shard& shard, Timestamp now, Part& part) {
        const tunnel::SessionTable& table = shard.tunnel().sessions();
        std::size_t left = std::min(part.left.value_or(table.size()), table.size());
        for (std::size_t n = 0; n < kLooksPerStep && left > 0; ++n) {
          tunnel::Session& seen = table.at(--left);
          if (seen.id() != session) continue;
          part.kicked = tunnel::facts_of(seen, now);
          shard.tunnel().close_session(seen, tunnel::SessionEnd::kKicked, now);
          return true;
        }
        part.left = left;
        return left == 0;
      },
      deadline);
  if (!parts) return fail(parts);
  for (Part& part : *parts) {
    if (part.kicked) return std::move(*part.kicked);
  }
  return fail("end session " + wire::session_id_text(session) + ": there is none",
              ErrorCode::kNotFound);
}

void Server::tell_failures() {
  handshake_log_.tell(os::now());
}

void Server::save_leases() {
  if (options_.lease_grace > Duration::zero()) lease_file_.save(now());
}

void Server::use_certificate(const std::shared_ptr<const quic::TlsServerContext>& tls) {
  for (const auto& shard : shards_) {
    shard->post([tls](shard::Shard& one, Timestamp) { one.tunnel().use_certificate(tls); });
  }
}

// Most servers need no threads for it.
void Server::start_proxy(const Decoy* decoy) {
  if (decoy != nullptr && decoy->upstream()) decoy_proxy_.run();
}

void Server::use_decoy(const std::shared_ptr<const Decoy>& decoy) {
  start_proxy(decoy.get());
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    shards_[i]->post(
        [&service = *services_[i], decoy](shard::Shard&, Timestamp) { service.use_decoy(decoy); });
  }
}

void Server::use_users(const access::UserTable::Snapshot& users) {
  users_ = users;
  const LimitWalk limits(LimitWalk::limits_of(*users));
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    shards_[i]->post(
        [&service = *services_[i], users](shard::Shard&, Timestamp) { service.use_users(users); });
    repeat(*shards_[i], [walk = limits](shard::Shard& shard, Timestamp now) mutable {
      return walk.step(shard.tunnel().sessions(), now);
    });
  }
}

void Server::use_users(const access::UserTable::Snapshot& users, const EndWalk::Ends& ends,
                       const std::vector<IpAddress>& addresses) {
  // Before any shard lends by the new table.
  auto fixed = book_.fix(addresses);
  address_fault_.look(
      fixed.size() == addresses.size()
          ? Result<void>()
          : fail(std::to_string(addresses.size() - fixed.size()) +
                 " devices have an address that is not in the pool, or is the server's own"),
      "; they get any other", "the addresses of all devices are in the pool", logger_);
  use_users(users);
  const EndWalk walk_of_all(EndWalk::rights_of(*users, ends, std::move(fixed)));
  for (const auto& shard : shards_) {
    repeat(*shard, [walk = walk_of_all](shard::Shard& one, Timestamp now) mutable {
      return walk.step(one.tunnel(), now);
    });
  }
}

void Server::use_limits(const access::Admission::Options& options) {
  admission_.use_limits(options);
  book_.use_max_kept(max_kept(options.shares));
}

void Server::use_pushed(const Pushed& pushed) {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    ConnectService& service = *services_[i];
    shards_[i]->post([&service, pushed](shard::Shard&, Timestamp) { service.use_pushed(pushed); });
    repeat(*shards_[i], [&service, walk = SessionWalk()](shard::Shard& shard, Timestamp) mutable {
      return walk.step(shard.tunnel().sessions(),
                       [&](tunnel::Session& session) { service.tell_routes(session); });
    });
  }
}

void Server::check_host(Timestamp now) {
  if (now < pace_.due()) return;
  watch_->take();
  os::Upkeep upkeep = network_->keep();
  if (upkeep.lacks_device) {
    const auto restored = restore_device();
    if (restored) {
      upkeep = network_->keep();
      upkeep.count(os::HostPart::kDevice);
    } else {
      upkeep.add_fault("the TUN device " + options_.tun_name +
                       " was deleted: " + restored.error().message);
    }
  }
  for (std::size_t i = 0; i < os::kHostParts; ++i) repairs_[i] += upkeep.repairs[i];
  pace_.on_kept(now, os::now(), upkeep);
  if (upkeep.fault.empty() && pace_.is_contested()) {
    upkeep.fault = os::kContestedFault;
  }
  judge(upkeep);
}

std::optional<os::PollHandle> Server::host_notices() const {
  if (pace_.has_notice()) return std::nullopt;
  return watch_->poll_handle();
}

void Server::on_host_notice(Timestamp now) {
  pace_.on_notice(now);
}

Result<void> Server::restore_device() {
  auto tun = host_.open_tun();
  if (!tun) return fail(tun);
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    shards_[i]->post(
        [this, queue = std::move(tun->queues[i])](shard::Shard& shard, Timestamp) mutable {
          const auto ok = shard.use_tun(std::move(queue));
          if (!ok) logger_.error(ok.error().message);
        });
  }
  logger_.warning("somebody deleted the device " + options_.tun_name + "; it is made again");
  return network_->adopt_device();
}

void Server::judge(const os::Upkeep& upkeep) {
  {
    const std::scoped_lock lock(obstacle_mutex_);
    if (obstacle_ == upkeep.fault) return;
    obstacle_ = upkeep.fault;
  }
  const bool is_ready = upkeep.fault.empty();
  admission_.set_ready(is_ready);
  if (is_ready) {
    logger_.info("ready: clients are taken on " + local_address().to_string());
  } else {
    logger_.error("not ready, clients are refused: " + upkeep.fault);
  }
}

std::optional<std::string> Server::obstacle() const {
  const std::scoped_lock lock(obstacle_mutex_);
  return obstacle_.empty() ? std::nullopt : std::optional(obstacle_);
}

os::HostRepairs Server::host_repairs() const {
  os::HostRepairs repairs{};
  for (std::size_t i = 0; i < os::kHostParts; ++i) repairs[i] = repairs_[i].load();
  return repairs;
}

std::vector<const tunnel::Counters*> Server::counters() const {
  std::vector<const tunnel::Counters*> counters;
  for (const auto& shard : counters_) counters.push_back(shard.get());
  return counters;
}

}  // namespace qdt::server
