#include "sim/path/path_world.h"

#include <algorithm>

namespace qdt::testing {
namespace {

// Sorts before all others.
const SocketAddress kTrafficAddress{IpAddress::v4(1), 1};
const SocketAddress kOutsideServer{IpAddress::v4(0xc0000202), 9};
const SocketAddress kOutsideClient{IpAddress::v4(0xc6336409), 9};
constexpr std::size_t kSparseBytes = 100;
constexpr double kSparseMegabits = 50 * 8 * 100 / 1e6;
constexpr double kAsMuchAsItMay = 1e9;

SocketAddress client_address(std::size_t session) {
  return {IpAddress::v4(0xc6336410 + static_cast<std::uint32_t>(session)), 40000};
}

// `values` is not empty.
Duration percentile(std::vector<Duration> values, std::size_t percent) {
  std::ranges::sort(values);
  return values[values.size() * percent / 100];
}

double megabits_at(const std::vector<Phase>& phases, Duration since_start) {
  Duration period{};
  for (const Phase& phase : phases) period += phase.duration;
  Duration rest = since_start % period;
  for (const Phase& phase : phases) {
    if (rest < phase.duration) return phase.megabits_per_second;
    rest -= phase.duration;
  }
  return 0;
}

wire::Capabilities caps_of(Plane plane) {
  wire::Capabilities caps = wire::Capabilities::supported();
  caps.direct = plane == Plane::kDirect;
  return caps;
}

}  // namespace

PathWorld::PathWorld(const PathSetting& setting, Plane plane, std::uint64_t seed)
    : setting_(setting),
      plane_(plane),
      megabits_per_second_(setting.link.megabits_per_second),
      world_(seed),
      server_({.caps = caps_of(plane)}, seed + 1) {
  world_.attach(kTrafficAddress, traffic_);
  world_.attach(kServerAddress, server_, link(setting_.link.rtt / 2));
  server_.on_packet = [this](Bytes packet, Timestamp now) { traffic_.deliver(packet, now); };
  attach_clients();
  attach_outside();
  if (setting_.link.pauses.every == 0ms) return;
  world_.set_pauses(kServerAddress, setting_.link.pauses);
  for (std::size_t i = 0; i < setting_.sessions; ++i) {
    world_.set_pauses(client_address(i), setting_.link.pauses);
  }
}

void PathWorld::attach_clients() {
  for (std::size_t i = 0; i < setting_.sessions; ++i) {
    const Duration rtt =
        i > 0 && setting_.second_rtt > 0ms ? setting_.second_rtt : setting_.link.rtt;
    const Duration up = rtt - setting_.link.rtt / 2;
    Session& session = sessions_.emplace_back();
    session.client = std::make_unique<ClientNode>(
        client::Connector::Options{.caps = caps_of(plane_)}, world_.random().below(1'000'000'000));
    session.path = std::make_unique<TunnelPath>(server_, *session.client);
    session.one_way = setting_.direction == Direction::kUp ? up : setting_.link.rtt / 2;
    session.client->on_packet = server_.on_packet;
    world_.attach(client_address(i), *session.client, link(up));
    if (i > 0) world_.share_queue(client_address(i), client_address(0));
  }
}

void PathWorld::attach_outside() {
  outside_server_.path = {kOutsideServer, kOutsideClient};
  outside_client_.path = {kOutsideClient, kOutsideServer};
  outside_server_.on_packet = outside_client_.on_packet = server_.on_packet;
  world_.attach(kOutsideServer, outside_server_, link(setting_.link.rtt / 2));
  world_.attach(kOutsideClient, outside_client_, link(setting_.link.rtt / 2));
  world_.share_queue(kOutsideServer, kServerAddress);
  world_.share_queue(kOutsideClient, client_address(0));
}

LinkOptions PathWorld::link(Duration delay) const {
  return {.delay = delay,
          .bits_per_second = 1e6 * megabits_per_second_,
          .queue_bytes = setting_.link.buffer_bytes(),
          .loss = setting_.link.loss};
}

void PathWorld::set_rate(double megabits_per_second) {
  megabits_per_second_ = megabits_per_second;
  world_.set_link(kServerAddress, link(setting_.link.rtt / 2));
  world_.set_link(client_address(0), link(setting_.link.rtt / 2));
}

std::optional<PathFigures> PathWorld::run() {
  if (!connect()) return std::nullopt;
  start_traffic();
  measure();
  return figures();
}

bool PathWorld::connect() {
  if (plane_ == Plane::kNone) return true;
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    ClientNode& client = *sessions_[i].client;
    client.connect(client_address(i), kServerAddress, world_.now());
    if (!world_.run_until([&] { return client.response.has_value(); }, 20s)) return false;
  }
  world_.run_for(3s);  // path MTU discovery
  return true;
}

void PathWorld::start_traffic() {
  traffic_start_ = world_.now();
  for (const TrafficPart& part : setting_.traffic.parts) {
    for (std::size_t i = 0; i < part.flows; ++i) add(part);
  }
  add_sparse_flow();
}

InnerPath& PathWorld::path_of(const TrafficPart& part) {
  if (part.is_outside || plane_ == Plane::kNone) return outside_;
  return *sessions_[part.session].path;
}

void PathWorld::add(const TrafficPart& part) {
  const Flow::Options options{.id = static_cast<std::uint32_t>(traffic_.flow_count()),
                              .direction = setting_.direction,
                              .ecn = part.ecn};
  InnerPath& path = path_of(part);
  // Not all at the same time.
  const Timestamp start =
      traffic_start_ + part.start + 10ms * static_cast<int>(traffic_.flow_count());
  switch (part.kind) {
    case TrafficPart::Kind::kPhases:
      keep(std::make_unique<PhasedFlow>(options, path, part.phases, traffic_start_), &part,
           part.session);
      return;
    case TrafficPart::Kind::kCubic:
      keep(std::make_unique<WindowFlow>(options, path, make_cubic(), start), &part, part.session);
      return;
    case TrafficPart::Kind::kBbr:
      keep(std::make_unique<WindowFlow>(options, path, make_bbr(), start), &part, part.session);
      return;
  }
}

void PathWorld::add_sparse_flow() {
  const std::size_t session = setting_.traffic.sparse_session;
  const Flow::Options options{.id = static_cast<std::uint32_t>(traffic_.flow_count()),
                              .direction = setting_.direction,
                              .packet_bytes = kSparseBytes};
  InnerPath& path = plane_ == Plane::kNone ? outside_ : *sessions_[session].path;
  keep(std::make_unique<PhasedFlow>(options, path, std::vector<Phase>{{1s, kSparseMegabits}},
                                    traffic_start_ + 7ms),
       nullptr, session);
}

Flow& PathWorld::keep(std::unique_ptr<Flow> flow, const TrafficPart* part, std::size_t session) {
  const Timestamp from = traffic_start_ + setting_.warm_up;
  flow->measure(from, from + setting_.measured);
  senders_.push_back({flow.get(), part, session});
  return traffic_.add(std::move(flow));
}

void PathWorld::measure() {
  const Timestamp from = traffic_start_ + setting_.warm_up;
  const Timestamp to = from + setting_.measured;
  const SocketAddress sender =
      setting_.direction == Direction::kUp ? client_address(0) : kServerAddress;
  traffic_.sample_each_millisecond(from, to,
                                   [this, sender] { queue_.push_back(world_.backlog(sender)); });
  for (const RateChange& change : setting_.changes) {
    world_.run_for(from + change.at - world_.now());
    set_rate(change.megabits_per_second);
  }
  world_.run_for(to - world_.now());
  traffic_.stop();
  world_.run_for(setting_.link.rtt + 1s);  // what is still under way
}

double PathWorld::offered(std::size_t session, Duration since_start) const {
  double megabits = 0;
  for (const Sender& sender : senders_) {
    if (!is_inside(sender) || sender.session != session) continue;
    if (!sender.part) {
      megabits += kSparseMegabits;
    } else if (sender.part->kind == TrafficPart::Kind::kPhases) {
      megabits += megabits_at(sender.part->phases, since_start);
    } else {
      megabits += kAsMuchAsItMay;
    }
  }
  return megabits;
}

// `from` and `to` are of the measurement.
double PathWorld::wanted_bits(Duration from, Duration to) const {
  constexpr Duration kStep = 10ms;
  double bits = 0;
  for (Duration at = from; at < to; at += kStep) {
    double rate = setting_.link.megabits_per_second;
    for (const RateChange& change : setting_.changes) {
      if (change.at <= at) rate = change.megabits_per_second;
    }
    double wanted = 0;
    for (std::size_t i = 0; i < sessions_.size(); ++i) wanted += offered(i, setting_.warm_up + at);
    bits += 1e6 * std::min(rate, wanted) * std::chrono::duration<double>(kStep).count();
  }
  return bits;
}

PathFigures PathWorld::figures() const {
  PathFigures figures;
  double inside = 0;
  for (const Sender& sender : senders_) {
    const double bits = 8 * static_cast<double>(sender.flow->figures().delivered_bytes);
    if (is_inside(sender)) {
      inside += bits;
    } else {
      figures.outside_megabits +=
          bits / 1e6 / std::chrono::duration<double>(setting_.measured).count();
    }
  }
  figures.goodput = inside / wanted_bits(0s, setting_.measured);
  figures.worst_second = worst_second();
  figures.weakest_session = weakest_session();
  figures.queue_p50 = percentile(queue_, 50);
  figures.queue_p95 = percentile(queue_, 95);
  add_sparse_figures(figures);
  return figures;
}

double PathWorld::worst_second() const {
  double worst = 1;
  for (std::size_t second = 0; second + 1 <= static_cast<std::size_t>(setting_.measured / 1s);
       ++second) {
    double bits = 0;
    for (const Sender& sender : senders_) {
      const auto& by_second = sender.flow->figures().delivered_bytes_by_second;
      if (is_inside(sender) && second < by_second.size()) {
        bits += 8 * static_cast<double>(by_second[second]);
      }
    }
    const Duration from = static_cast<int>(second) * Duration(1s);
    worst = std::min(worst, bits / wanted_bits(from, from + 1s));
  }
  return worst;
}

double PathWorld::weakest_session() const {
  if (sessions_.size() < 2) return 1;
  const double fair = setting_.link.megabits_per_second / static_cast<double>(sessions_.size());
  double weakest = 1;
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    double bits = 0;
    for (const Sender& sender : senders_) {
      if (!is_inside(sender) || sender.session != i) continue;
      bits += 8 * static_cast<double>(sender.flow->figures().delivered_bytes);
    }
    const double wanted = std::min(fair, offered(i, setting_.warm_up));
    if (wanted <= 0) continue;
    const double reached = bits / 1e6 / std::chrono::duration<double>(setting_.measured).count();
    weakest = std::min(weakest, reached / wanted);
  }
  return weakest;
}

void PathWorld::add_sparse_figures(PathFigures& figures) const {
  const Sender& sparse = senders_.back();
  const FlowFigures& flow = sparse.flow->figures();
  figures.sparse_loss =
      1 - static_cast<double>(flow.delivered_packets) / static_cast<double>(flow.sent_packets);
  if (flow.delays.empty()) {
    figures.sparse_p50 = figures.sparse_p95 = Duration::max();
    return;
  }
  figures.sparse_p50 = percentile(flow.delays, 50) - sessions_[sparse.session].one_way;
  figures.sparse_p95 = percentile(flow.delays, 95) - sessions_[sparse.session].one_way;
}

}  // namespace qdt::testing
