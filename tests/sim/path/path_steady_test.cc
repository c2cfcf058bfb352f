// A sender that always has more than the path takes: the link is full, and its queue short.

#include "sim/path/path_sim.h"

namespace qdt::testing {
namespace {

// Twice as much as the link carries, over so short a queue that half of it is lost without delay.
PathCase flood(const PathLink& link, const PathPromise& quic, const PathPromise& direct) {
  const Traffic traffic = phases("flood", {{1s, 2 * link.megabits_per_second}});
  return transfer(link, traffic, quic, direct);
}

const std::vector<PathCase> kCases = {
    steady({1, 20ms},
           {.goodput = 0.77, .queue_p95 = 310ms, .sparse_p95 = 310ms, .sparse_loss = 0.03},
           {.goodput = 0.90, .queue_p95 = 40ms, .sparse_p95 = 55ms, .sparse_loss = 0.03}),
    steady({1, 100ms},
           {.goodput = 0.75, .queue_p95 = 150ms, .sparse_p95 = 180ms, .sparse_loss = 0.03},
           {.goodput = 0.89, .queue_p95 = 50ms, .sparse_p95 = 65ms, .sparse_loss = 0.03}),
    steady({2, 40ms, 0, 500ms},
           {.goodput = 0.77, .queue_p95 = 70ms, .sparse_p95 = 90ms, .sparse_loss = 0.03},
           {.goodput = 0.90, .queue_p95 = 35ms, .sparse_p95 = 45ms, .sparse_loss = 0.03}),
    steady({5, 1ms}, {.goodput = 0.81, .queue_p95 = 30ms, .sparse_p95 = 35ms, .sparse_loss = 0.03},
           {.goodput = 0.91, .queue_p95 = 25ms, .sparse_p95 = 25ms, .sparse_loss = 0.03}),
    steady({5, 60ms}, {.goodput = 0.75, .queue_p95 = 65ms, .sparse_p95 = 70ms, .sparse_loss = 0.03},
           {.goodput = 0.91, .queue_p95 = 30ms, .sparse_p95 = 35ms, .sparse_loss = 0.03}),
    steady({10, 1ms}, {.goodput = 0.81, .queue_p95 = 15ms, .sparse_p95 = 18ms, .sparse_loss = 0.03},
           {.goodput = 0.91, .queue_p95 = 19ms, .sparse_p95 = 20ms, .sparse_loss = 0.03}),
    steady({10, 20ms},
           {.goodput = 0.77, .queue_p95 = 25ms, .sparse_p95 = 30ms, .sparse_loss = 0.03},
           {.goodput = 0.91, .queue_p95 = 25ms, .sparse_p95 = 25ms, .sparse_loss = 0.03}),
    // short: 0.84 to 0.84
    steady({10, 40ms},
           {.goodput = 0.74, .queue_p95 = 45ms, .sparse_p95 = 50ms, .sparse_loss = 0.03},
           {.goodput = 0.91, .queue_p95 = 25ms, .sparse_p95 = 30ms, .sparse_loss = 0.03}),
    // short: 0.83 to 0.83
    steady({10, 100ms},
           {.goodput = 0.72, .queue_p95 = 110ms, .sparse_p95 = 110ms, .sparse_loss = 0.03},
           {.goodput = 0.91, .queue_p95 = 30ms, .sparse_p95 = 30ms, .sparse_loss = 0.03}),
    steady({10, 300ms, 0, 500ms},
           {.goodput = 0.76, .queue_p95 = 320ms, .sparse_p95 = 330ms, .sparse_loss = 0.03},
           {.goodput = 0.90, .queue_p95 = 40ms, .sparse_p95 = 40ms, .sparse_loss = 0.03}),
    // short: 0.83 to 0.83
    steady({20, 30ms, 0, 500ms},
           {.goodput = 0.73, .queue_p95 = 35ms, .sparse_p95 = 40ms, .sparse_loss = 0.03},
           {.goodput = 0.92, .queue_p95 = 30ms, .sparse_p95 = 30ms, .sparse_loss = 0.03}),
    // short: 0.83 to 0.83
    steady({20, 30ms, 0, 30ms},
           {.goodput = 0.72, .queue_p95 = 35ms, .sparse_p95 = 40ms, .sparse_loss = 0.03},
           {.goodput = 0.91, .queue_p95 = 30ms, .sparse_p95 = 30ms, .sparse_loss = 0.03}),
    // short: 0.82 to 0.82
    steady({50, 20ms},
           {.goodput = 0.72, .queue_p95 = 25ms, .sparse_p95 = 30ms, .sparse_loss = 0.03},
           {.goodput = 0.91, .queue_p95 = 20ms, .sparse_p95 = 20ms, .sparse_loss = 0.03}),
    // short: 0.82 to 0.83
    steady({50, 100ms},
           {.goodput = 0.72, .queue_p95 = 110ms, .sparse_p95 = 110ms, .sparse_loss = 0.03},
           {.goodput = 0.91, .queue_p95 = 25ms, .sparse_p95 = 25ms, .sparse_loss = 0.03}),
    steady({100, 1ms}, {.goodput = 0.80, .queue_p95 = 6ms, .sparse_p95 = 9ms, .sparse_loss = 0.03},
           {.goodput = 0.92, .queue_p95 = 18ms, .sparse_p95 = 18ms, .sparse_loss = 0.03}),
    steady({100, 5ms},
           {.goodput = 0.79, .queue_p95 = 10ms, .sparse_p95 = 13ms, .sparse_loss = 0.03},
           {.goodput = 0.92, .queue_p95 = 18ms, .sparse_p95 = 19ms, .sparse_loss = 0.03}),
    // short: 0.83 to 0.83
    steady({100, 40ms},
           {.goodput = 0.73, .queue_p95 = 45ms, .sparse_p95 = 50ms, .sparse_loss = 0.03},
           {.goodput = 0.92, .queue_p95 = 25ms, .sparse_p95 = 25ms, .sparse_loss = 0.03}),
    // short: 0.83 to 0.83
    steady({100, 40ms, 0, 500ms},
           {.goodput = 0.73, .queue_p95 = 45ms, .sparse_p95 = 50ms, .sparse_loss = 0.03},
           {.goodput = 0.92, .queue_p95 = 25ms, .sparse_p95 = 25ms, .sparse_loss = 0.03}),
    // short: 0.83 to 0.84
    steady({100, 50ms, 0, 50ms},
           {.goodput = 0.73, .queue_p95 = 55ms, .sparse_p95 = 60ms, .sparse_loss = 0.03},
           {.goodput = 0.91, .queue_p95 = 25ms, .sparse_p95 = 25ms, .sparse_loss = 0.03}),
    steady({100, 300ms, 0, 500ms},
           {.goodput = 0.77, .queue_p95 = 340ms, .sparse_p95 = 350ms, .sparse_loss = 0.03},
           {.goodput = 0.87, .queue_p95 = 45ms, .sparse_p95 = 45ms, .sparse_loss = 0.03}),
    flood({100, 40ms, 0, 4ms},
          {.goodput = 0.75, .queue_p95 = 6ms, .sparse_p95 = 9ms, .sparse_loss = 0.03},
          {.goodput = 0.92, .queue_p95 = 6ms, .sparse_p95 = 6ms, .sparse_loss = 0.03}),
    steady({300, 1ms}, {.goodput = 0.77, .queue_p95 = 6ms, .sparse_p95 = 9ms, .sparse_loss = 0.03},
           {.goodput = 0.92, .queue_p95 = 18ms, .sparse_p95 = 18ms, .sparse_loss = 0.03}),
    steady({300, 20ms},
           {.goodput = 0.78, .queue_p95 = 30ms, .sparse_p95 = 30ms, .sparse_loss = 0.03},
           {.goodput = 0.92, .queue_p95 = 20ms, .sparse_p95 = 20ms, .sparse_loss = 0.03}),
    steady({300, 100ms},
           {.goodput = 0.81, .queue_p95 = 110ms, .sparse_p95 = 110ms, .sparse_loss = 0.03},
           {.goodput = 0.91, .queue_p95 = 25ms, .sparse_p95 = 25ms, .sparse_loss = 0.03}),
    steady({1000, 1ms}, {.goodput = 0.76, .queue_p95 = 6ms, .sparse_p95 = 9ms, .sparse_loss = 0.03},
           {.goodput = 0.92, .queue_p95 = 18ms, .sparse_p95 = 18ms, .sparse_loss = 0.03}),
    steady({1000, 20ms},
           {.goodput = 0.81, .queue_p95 = 35ms, .sparse_p95 = 40ms, .sparse_loss = 0.03},
           {.goodput = 0.92, .queue_p95 = 20ms, .sparse_p95 = 20ms, .sparse_loss = 0.03}),
    steady({1000, 40ms},
           {.goodput = 0.81, .queue_p95 = 70ms, .sparse_p95 = 70ms, .sparse_loss = 0.03},
           {.goodput = 0.92, .queue_p95 = 25ms, .sparse_p95 = 25ms, .sparse_loss = 0.03}),
    steady({1000, 100ms},
           {.goodput = 0.81, .queue_p95 = 110ms, .sparse_p95 = 110ms, .sparse_loss = 0.03},
           {.goodput = 0.91, .queue_p95 = 25ms, .sparse_p95 = 25ms, .sparse_loss = 0.03}),
    down(steady({10, 20ms},
                {.goodput = 0.77, .queue_p95 = 25ms, .sparse_p95 = 30ms, .sparse_loss = 0.03},
                {.goodput = 0.91, .queue_p95 = 25ms, .sparse_p95 = 25ms, .sparse_loss = 0.03})),
    // short: 0.83 to 0.83
    down(steady({100, 40ms},
                {.goodput = 0.73, .queue_p95 = 45ms, .sparse_p95 = 50ms, .sparse_loss = 0.03},
                {.goodput = 0.92, .queue_p95 = 25ms, .sparse_p95 = 25ms, .sparse_loss = 0.03})),
    down(steady({1000, 20ms},
                {.goodput = 0.81, .queue_p95 = 35ms, .sparse_p95 = 40ms, .sparse_loss = 0.03},
                {.goodput = 0.92, .queue_p95 = 20ms, .sparse_p95 = 25ms, .sparse_loss = 0.03})),
};

const std::vector<std::string> kRepresentative = {"1M_20ms_greedy", "10M_300ms_buffer500ms_greedy",
                                                  "10M_20ms_greedy_down", "100M_40ms_greedy",
                                                  "1G_20ms_greedy"};

QDT_PATH_TESTS(SteadyPath, kRepresentative, kCases);

}  // namespace
}  // namespace qdt::testing
