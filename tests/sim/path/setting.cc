#include "sim/path/setting.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace qdt::testing {
namespace {

std::string rate_name(double megabits_per_second) {
  if (megabits_per_second >= 1000) return fmt::format("{}G", megabits_per_second / 1000);
  if (megabits_per_second < 1) return fmt::format("{}k", megabits_per_second * 1000);
  return fmt::format("{}M", megabits_per_second);
}

// "1pct", and "0p1pct" for a tenth of it.
std::string percent_name(double share) {
  std::string name = fmt::format("{:.3g}pct", 100 * share);
  std::ranges::replace(name, '.', 'p');
  return name;
}

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

std::string PathSetting::name() const {
  std::string name = fmt::format("{}_{}ms", rate_name(link.megabits_per_second), link.rtt / 1ms);
  if (second_rtt > 0ms) name += fmt::format("_and_{}ms", second_rtt / 1ms);
  if (link.loss > 0) name += "_" + percent_name(link.loss);
  if (link.buffer != PathLink{}.buffer) name += fmt::format("_buffer{}ms", link.buffer / 1ms);
  if (link.pauses.every > 0ms) {
    name += fmt::format("_pauses{}ms_each{}ms", link.pauses.longest / 1ms, link.pauses.every / 1ms);
  }
  name += "_" + traffic.name;
  if (direction == Direction::kDown) name += "_down";
  return name;
}

std::ostream& operator<<(std::ostream& out, const PathFigures& figures) {
  out << fmt::format(
      "goodput {:.3f} worst second {:.3f} queue {:.1f}/{:.1f} ms sparse +{:.1f}/+{:.1f} ms lost "
      "{:.3f}",
      figures.goodput, figures.worst_second, milliseconds(figures.queue_p50),
      milliseconds(figures.queue_p95), milliseconds(figures.sparse_p50),
      milliseconds(figures.sparse_p95), figures.sparse_loss);
  if (figures.weakest_session < 1) out << fmt::format(" weakest {:.3f}", figures.weakest_session);
  if (figures.outside_megabits > 0) out << fmt::format(" outside {:.1f}", figures.outside_megabits);
  return out;
}

Traffic greedy(const PathLink& link) {
  return phases("greedy", {{1s, 1.25 * link.megabits_per_second}});
}

Traffic limited(double megabits_per_second) {
  return phases(fmt::format("limited{}", rate_name(megabits_per_second)),
                {{1s, megabits_per_second}});
}

Traffic phases(std::string name, std::vector<Phase> phases) {
  return {std::move(name), {{.phases = std::move(phases)}}};
}

Traffic cubic(std::size_t flows) {
  return {fmt::format("cubic{}", flows), {{.kind = TrafficPart::Kind::kCubic, .flows = flows}}};
}

Traffic cubic_with_ecn(std::size_t flows) {
  return {fmt::format("cubic{}_ecn", flows),
          {{.kind = TrafficPart::Kind::kCubic, .flows = flows, .ecn = true}}};
}

Traffic bbr(std::size_t flows) {
  return {fmt::format("bbr{}", flows), {{.kind = TrafficPart::Kind::kBbr, .flows = flows}}};
}

Traffic beside_cubic(Traffic inside, std::size_t flows) {
  inside.name += fmt::format("_beside_cubic{}", flows);
  inside.parts.push_back({.kind = TrafficPart::Kind::kCubic, .flows = flows, .is_outside = true});
  return inside;
}

Traffic in_two_sessions(const Traffic& first, const Traffic& second) {
  Traffic both{.name = first.name + "_and_" + second.name, .sparse_session = 1};
  both.parts = first.parts;
  for (TrafficPart part : second.parts) {
    part.session = 1;
    both.parts.push_back(part);
  }
  return both;
}

PathSetting over(const PathLink& link, Traffic traffic) {
  const double seconds = std::clamp(600 / link.megabits_per_second, 2.0, 10.0);
  const bool is_fast = link.megabits_per_second >= 300;
  PathSetting setting{.link = link, .traffic = std::move(traffic)};
  setting.warm_up = std::max<Duration>(is_fast ? 2s : 4s, 25 * link.rtt);
  setting.measured = std::max<Duration>(
      Duration(static_cast<std::int64_t>(seconds)) * 1'000'000'000, 10 * link.rtt);
  return setting;
}

}  // namespace qdt::testing
