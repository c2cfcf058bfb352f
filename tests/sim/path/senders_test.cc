// The simulated senders by themselves, over the bare path: what is known of the real ones.

#include <gtest/gtest.h>

#include "sim/path/path_world.h"

namespace qdt::testing {
namespace {

PathFigures without_tunnel(const PathLink& link, const Traffic& traffic) {
  const PathFigures figures = *PathWorld(over(link, traffic), Plane::kNone, 1).run();
  std::cout << over(link, traffic).name() << ": " << figures << "\n";
  return figures;
}

TEST(BareSender, CubicFillsLinkAndBuffer) {
  const PathFigures figures = without_tunnel({20, 30ms}, cubic());
  EXPECT_GT(figures.goodput, 0.95);
  EXPECT_GT(figures.queue_p95, 150ms);
}

TEST(BareSender, CubicTakesLossForCongestion) {
  EXPECT_LT(without_tunnel({100, 40ms, 0.01}, cubic()).goodput, 0.08);
}

TEST(BareSender, BbrFillsTheLinkAndNotTheBuffer) {
  const PathFigures figures = without_tunnel({100, 40ms}, bbr());
  EXPECT_GT(figures.goodput, 0.95);
  EXPECT_LT(figures.queue_p95, 40ms);
}

TEST(BareSender, BbrIgnoresLoss) {
  EXPECT_GT(without_tunnel({100, 40ms, 0.03}, bbr()).goodput, 0.9);
}

TEST(BareSender, TwoKindsShareABottleneck) {
  const PathFigures figures = without_tunnel({20, 30ms}, beside_cubic(cubic(), 1));
  EXPECT_GT(figures.goodput, 0.3);
  EXPECT_GT(figures.outside_megabits, 6);
}

}  // namespace
}  // namespace qdt::testing
