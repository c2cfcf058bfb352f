#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>
#include <tuple>
#include <vector>

#include "sim/path/path_world.h"

namespace qdt::testing {

/// A setting over one of the data planes.
using PathRun = std::tuple<Plane, PathCase>;

/// A table of settings, each a test of its own over either data plane. A few of each table, named
/// there, are instantiated as `Representative`, and always run; all others as `Others`. Promises
/// leave some room for chance (three seeds were measured, 200 where that was too few); a comment
/// "short: A to B" above a setting says that the goodput measured over the QUIC plane, A to B, is
/// less than what users need there, so that the promise only keeps it from getting worse.
class PathSim : public ::testing::TestWithParam<PathRun> {
 protected:
  /// Runs the setting, and holds its figures against what the plane promises.
  void expect_promise() {
    const auto& [plane, path] = GetParam();
    expect(path.setting, plane, plane == Plane::kQuic ? path.quic : path.direct);
  }

 private:
  // Over lossy paths chance moves a figure by a tenth and more, whatever the code is. So where the
  // first seed falls short, the means of nine have to keep the promise: they tell a worse
  // controller from a bad draw. QDT_SIM_SEED chooses one seed, which is run alone.
  void expect(const PathSetting& setting, Plane plane, const PathPromise& promise) {
    constexpr std::uint64_t kSeeds = 9;
    const char* chosen = std::getenv("QDT_SIM_SEED");
    const std::uint64_t first = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 1;
    std::vector<PathFigures> runs;
    std::string broken;
    for (std::uint64_t seed = first; seed < first + kSeeds; ++seed) {
      const auto figures = PathWorld(setting, plane, seed).run();
      ASSERT_TRUE(figures) << "no session; seed " << seed;
      std::cout << setting.name() << " seed " << seed << ": " << *figures << "\n";
      runs.push_back(*figures);
      broken = broken_promises(mean(runs), promise);
      if (seed == first && (broken.empty() || chosen != nullptr)) break;
    }
    EXPECT_EQ(broken, "") << "mean of " << runs.size() << ": " << mean(runs);
  }

  static PathFigures mean(const std::vector<PathFigures>& runs) {
    PathFigures sum;
    for (const PathFigures& run : runs) {
      sum.goodput += run.goodput;
      sum.worst_second += run.worst_second;
      sum.queue_p50 += run.queue_p50;
      sum.queue_p95 += run.queue_p95;
      sum.sparse_p50 += run.sparse_p50;
      sum.sparse_p95 += run.sparse_p95;
      sum.sparse_loss += run.sparse_loss;
      sum.weakest_session += run.weakest_session;
      sum.outside_megabits += run.outside_megabits;
    }
    const auto count = static_cast<std::int64_t>(runs.size());
    for (double* figure : {&sum.goodput, &sum.worst_second, &sum.sparse_loss, &sum.weakest_session,
                           &sum.outside_megabits}) {
      *figure /= static_cast<double>(count);
    }
    for (Duration* figure : {&sum.queue_p50, &sum.queue_p95, &sum.sparse_p50, &sum.sparse_p95}) {
      *figure /= count;
    }
    return sum;
  }

  static std::string broken_promises(const PathFigures& figures, const PathPromise& promise) {
    std::string broken;
    const auto hold = [&broken](const char* name, bool is_kept) {
      if (!is_kept) broken += std::string(" ") + name;
    };
    hold("goodput", figures.goodput >= promise.goodput);
    hold("worst_second", figures.worst_second >= promise.worst_second);
    hold("weakest_session", figures.weakest_session >= promise.weakest_session);
    hold("outside_megabits", figures.outside_megabits >= promise.outside_megabits);
    hold("queue_p95", figures.queue_p95 <= promise.queue_p95);
    hold("sparse_p95", figures.sparse_p95 <= promise.sparse_p95);
    hold("sparse_loss", figures.sparse_loss <= promise.sparse_loss);
    return broken;
  }
};

/// The settings of a table that this build runs: all of them, but with a sanitizer, which makes the
/// engine ten times slower, only those of at most 60 Mbit (about 6,000 packets), and where there
/// are none, the shortest.
inline std::vector<PathCase> runnable(std::vector<PathCase> cases) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  const auto megabits = [](const PathCase& path) {
    const Duration duration = path.setting.warm_up + path.setting.measured;
    return path.setting.link.megabits_per_second * std::chrono::duration<double>(duration).count();
  };
  const double limit = std::max(60.0, megabits(*std::ranges::min_element(cases, {}, megabits)));
  std::erase_if(cases, [&](const PathCase& path) { return megabits(path) > limit; });
#endif
  return cases;
}

/// The cases of a table with these names, as PathSetting::name() has them. They stand for the table
/// where there is no time for all of it.
inline std::vector<PathCase> named(const std::vector<std::string>& names,
                                   const std::vector<PathCase>& cases) {
  std::vector<PathCase> found;
  for (const std::string& name : names) {
    const auto path =
        std::ranges::find(cases, name, [](const PathCase& c) { return c.setting.name(); });
    if (path == cases.end()) {
      std::cerr << "no path is named " << name << "\n";
      std::abort();
    }
    found.push_back(*path);
  }
  return found;
}

/// The other cases of the table.
inline std::vector<PathCase> all_but(const std::vector<std::string>& names,
                                     std::vector<PathCase> cases) {
  std::erase_if(cases, [&](const PathCase& path) {
    return std::ranges::find(names, path.setting.name()) != names.end();
  });
  return cases;
}

inline auto both_planes(const std::vector<PathCase>& cases) {
  return ::testing::Combine(::testing::Values(Plane::kQuic, Plane::kDirect),
                            ::testing::ValuesIn(runnable(cases)));
}

inline std::string name_of(const ::testing::TestParamInfo<PathRun>& info) {
  const auto& [plane, path] = info.param;
  return (plane == Plane::kQuic ? "quic_" : "direct_") + path.setting.name();
}

/// The tests of a table. `representative` has the names of those that always run.
#define QDT_PATH_TESTS(Name, representative, cases)                                         \
  class Name : public PathSim {};                                                           \
  TEST_P(Name, KeepsItsPromise) {                                                           \
    expect_promise();                                                                       \
  }                                                                                         \
  INSTANTIATE_TEST_SUITE_P(Representative, Name, both_planes(named(representative, cases)), \
                           name_of);                                                        \
  INSTANTIATE_TEST_SUITE_P(Others, Name, both_planes(all_but(representative, cases)), name_of)

// --- rows of tables ---

inline PathCase transfer(const PathLink& link, const Traffic& traffic, const PathPromise& quic,
                         const PathPromise& direct) {
  return {over(link, traffic), quic, direct};
}

/// More than the link carries, all the time.
inline PathCase steady(const PathLink& link, const PathPromise& quic, const PathPromise& direct) {
  return transfer(link, greedy(link), quic, direct);
}

inline PathCase down(PathCase path) {
  path.setting.direction = Direction::kDown;
  return path;
}

}  // namespace qdt::testing
