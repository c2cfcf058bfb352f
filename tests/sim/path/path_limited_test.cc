// Senders that want less than the path takes, all the time or in turn with more: nothing of it is
// lost or late, and the path is all theirs again when they want it.

#include "sim/path/path_sim.h"

namespace qdt::testing {
namespace {

class LimitedPath : public PathSim {};

// Whole periods.
PathCase lasting(PathCase path, Duration warm_up, Duration measured) {
  path.setting.warm_up = warm_up;
  path.setting.measured = measured;
  return path;
}

PathCase limited_to(double megabits_per_second, const PathLink& link, const PathPromise& quic) {
  return {over(link, limited(megabits_per_second)), quic};
}

// A second of as much as there is, a second of silence.
PathCase on_off(const PathLink& link, const PathPromise& quic) {
  const Traffic traffic = phases("on_off", {{1s, 1.25 * link.megabits_per_second}, {1s, 0}});
  return lasting({over(link, traffic), quic}, 4s, 6s);
}

// Segments of a film: a tenth of the time three quarters of the link.
PathCase film(const PathLink& link, const PathPromise& quic) {
  const Traffic traffic = phases("film", {{200ms, 0.75 * link.megabits_per_second}, {1800ms, 0}});
  return lasting({over(link, traffic), quic}, 4s, 8s);
}

// 4 s of a tenth of the link, 4 s of all of it.
PathCase alternating(const PathLink& link, const PathPromise& quic) {
  const Traffic traffic = phases(
      "alternating", {{4s, 0.1 * link.megabits_per_second}, {4s, 1.25 * link.megabits_per_second}});
  return lasting({over(link, traffic), quic}, 8s, 32s);
}

const std::vector<PathCase> kCases = {
    limited_to(0.5, {1, 40ms},
               {.goodput = 0.99,
                .queue_p95 = 140ms,
                .sparse_p95 = 140ms,
                .sparse_loss = 0.03,
                .worst_second = 0.98}),
    limited_to(1, {10, 300ms, 0.05},
               {.goodput = 0.93,
                .queue_p95 = 15ms,
                .sparse_p95 = 35ms,
                .sparse_loss = 0.08,
                .worst_second = 0.83}),
    limited_to(5, {10, 40ms},
               {.goodput = 0.98,
                .queue_p95 = 15ms,
                .sparse_p95 = 18ms,
                .sparse_loss = 0.03,
                .worst_second = 0.97}),
    limited_to(5, {10, 40ms, 0.01},
               {.goodput = 0.97,
                .queue_p95 = 15ms,
                .sparse_p95 = 18ms,
                .sparse_loss = 0.04,
                .worst_second = 0.95}),
    limited_to(8, {10, 20ms},
               {.goodput = 0.98,
                .queue_p95 = 25ms,
                .sparse_p95 = 30ms,
                .sparse_loss = 0.03,
                .worst_second = 0.95}),
    limited_to(10, {100, 40ms},
               {.goodput = 0.99,
                .queue_p95 = 3ms,
                .sparse_p95 = 6ms,
                .sparse_loss = 0.03,
                .worst_second = 0.98}),
    limited_to(10, {100, 40ms, 0.01},
               {.goodput = 0.97,
                .queue_p95 = 3ms,
                .sparse_p95 = 6ms,
                .sparse_loss = 0.04,
                .worst_second = 0.96}),
    limited_to(10, {100, 40ms, 0.03},
               {.goodput = 0.95,
                .queue_p95 = 3ms,
                .sparse_p95 = 6ms,
                .sparse_loss = 0.06,
                .worst_second = 0.94}),
    limited_to(10, {100, 40ms, 0.05},
               {.goodput = 0.93,
                .queue_p95 = 3ms,
                .sparse_p95 = 6ms,
                .sparse_loss = 0.10,
                .worst_second = 0.91}),
    limited_to(10, {1000, 20ms, 0.01},
               {.goodput = 0.97,
                .queue_p95 = 3ms,
                .sparse_p95 = 6ms,
                .sparse_loss = 0.04,
                .worst_second = 0.96}),
    limited_to(80, {100, 40ms},
               {.goodput = 0.98,
                .queue_p95 = 4ms,
                .sparse_p95 = 7ms,
                .sparse_loss = 0.03,
                .worst_second = 0.97}),
    limited_to(80, {100, 1ms},
               {.goodput = 0.98,
                .queue_p95 = 5ms,
                .sparse_p95 = 8ms,
                .sparse_loss = 0.03,
                .worst_second = 0.97}),
    limited_to(500, {1000, 10ms},
               {.goodput = 0.99,
                .queue_p95 = 3ms,
                .sparse_p95 = 6ms,
                .sparse_loss = 0.03,
                .worst_second = 0.98}),
    on_off({10, 40ms}, {.goodput = 0.81,
                        .queue_p95 = 45ms,
                        .sparse_p95 = 50ms,
                        .sparse_loss = 0.03,
                        .worst_second = 0.85}),
    on_off({20, 30ms, 0, 500ms}, {.goodput = 0.81,
                                  .queue_p95 = 35ms,
                                  .sparse_p95 = 40ms,
                                  .sparse_loss = 0.03,
                                  .worst_second = 0.85}),
    on_off({100, 40ms}, {.goodput = 0.81,
                         .queue_p95 = 50ms,
                         .sparse_p95 = 55ms,
                         .sparse_loss = 0.03,
                         .worst_second = 0.81}),
    on_off({100, 40ms, 0.01}, {.goodput = 0.73,
                               .queue_p95 = 45ms,
                               .sparse_p95 = 50ms,
                               .sparse_loss = 0.04,
                               .worst_second = 0.66}),
    film({50, 40ms}, {.goodput = 0.99,
                      .queue_p95 = 4ms,
                      .sparse_p95 = 7ms,
                      .sparse_loss = 0.03,
                      .worst_second = 0.98}),
    film({50, 40ms, 0.01}, {.goodput = 0.97,
                            .queue_p95 = 4ms,
                            .sparse_p95 = 7ms,
                            .sparse_loss = 0.04,
                            .worst_second = 0.94}),
    alternating({20, 40ms}, {.goodput = 0.80,
                             .queue_p95 = 45ms,
                             .sparse_p95 = 50ms,
                             .sparse_loss = 0.03,
                             .worst_second = 0.60}),
    alternating({100, 40ms, 0.01}, {.goodput = 0.14,
                                    .queue_p95 = 45ms,
                                    .sparse_p95 = 50ms,
                                    .sparse_loss = 0.04,
                                    .worst_second = 0.05}),
};

TEST_P(LimitedPath, KeepsItsPromise) {
  expect_over_quic();
}
INSTANTIATE_TEST_SUITE_P(Quic, LimitedPath, ::testing::ValuesIn(runnable(kCases)), name_of);

}  // namespace
}  // namespace qdt::testing
