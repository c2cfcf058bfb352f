// A CUBIC flow in the tunnel and one past it share a bottleneck with a long buffer. Whoever comes
// first has the queue for as long as this lasts, so each does, and the mean over several head
// starts counts, beside what the same flow gets without a tunnel.

#include <gtest/gtest.h>

#include "sim/path/path_world.h"

namespace qdt::testing {
namespace {

constexpr int kHeadStarts = 4;

enum class First { kInside, kOutside };

// The rate of the inner flow, in Mbit/s.
double mean_share(Plane plane, First first) {
  const PathLink link{20, 30ms, 0, 500ms};
  double sum = 0;
  for (int i = 0; i < kHeadStarts; ++i) {
    Traffic traffic = beside_cubic(cubic(), 1);
    TrafficPart& second = traffic.parts[first == First::kInside ? 1 : 0];
    second.start = 500ms + i * 400ms;
    PathSetting setting = over(link, traffic);
    setting.warm_up = 3s + second.start;
    setting.measured = 40s;
    const auto figures = PathWorld(setting, plane, 1 + i).run();
    if (!figures) {
      ADD_FAILURE() << "no session";
      return 0;
    }
    sum += figures->goodput * link.megabits_per_second;
  }
  return sum / kHeadStarts;
}

void expect_share(First first, double least) {
  const double without = mean_share(Plane::kNone, first);
  const double direct = mean_share(Plane::kDirect, first);
  std::cout << "without a tunnel " << without << ", in it " << direct << " Mbit/s\n";
  EXPECT_GE(direct, least * without);
}

TEST(HeadStart, WhoComesSecondGetsAsMuchAsWithoutATunnel) {
  expect_share(First::kOutside, 0.93);
}

// Without a tunnel the first one has half a second's worth in the buffer by then. In it the queue
// was short, and with it the window that the other one meets.
TEST(HeadStart, WhoComesFirstIsNotPushedAside) {
  expect_share(First::kInside, 0.6);
}

}  // namespace
}  // namespace qdt::testing
