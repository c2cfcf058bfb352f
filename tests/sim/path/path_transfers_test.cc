// Transfers with a congestion control of their own, and a sparse flow beside them.

#include "sim/path/path_sim.h"

namespace qdt::testing {
namespace {

const std::vector<PathCase> kCases = {
    transfer({2, 40ms, 0, 500ms}, cubic(1),
             {.goodput = 0.76, .queue_p95 = 230ms, .sparse_p95 = 230ms, .sparse_loss = 0.03},
             {.goodput = 0.87, .queue_p95 = 35ms, .sparse_p95 = 40ms, .sparse_loss = 0.03}),
    transfer({20, 30ms, 0, 500ms}, cubic(1),
             {.goodput = 0.70, .queue_p95 = 35ms, .sparse_p95 = 40ms, .sparse_loss = 0.03},
             {.goodput = 0.91, .queue_p95 = 30ms, .sparse_p95 = 30ms, .sparse_loss = 0.03}),
    transfer({20, 30ms, 0, 500ms}, cubic(8),
             {.goodput = 0.75, .queue_p95 = 35ms, .sparse_p95 = 40ms, .sparse_loss = 0.03},
             {.goodput = 0.91, .queue_p95 = 25ms, .sparse_p95 = 25ms, .sparse_loss = 0.03}),
    transfer({20, 30ms, 0, 500ms}, cubic_with_ecn(1),
             {.goodput = 0.70, .queue_p95 = 35ms, .sparse_p95 = 40ms, .sparse_loss = 0.03},
             {.goodput = 0.91, .queue_p95 = 30ms, .sparse_p95 = 30ms, .sparse_loss = 0.03}),
    transfer({20, 30ms, 0, 500ms}, bbr(1),
             {.goodput = 0.75, .queue_p95 = 35ms, .sparse_p95 = 40ms, .sparse_loss = 0.03},
             {.goodput = 0.91, .queue_p95 = 25ms, .sparse_p95 = 25ms, .sparse_loss = 0.03}),
    down(transfer({20, 30ms, 0, 500ms}, cubic(8),
                  {.goodput = 0.76, .queue_p95 = 35ms, .sparse_p95 = 40ms, .sparse_loss = 0.03},
                  {.goodput = 0.91, .queue_p95 = 25ms, .sparse_p95 = 25ms, .sparse_loss = 0.03})),
    transfer({100, 40ms}, cubic(1),
             {.goodput = 0.71, .queue_p95 = 45ms, .sparse_p95 = 50ms, .sparse_loss = 0.03},
             {.goodput = 0.92, .queue_p95 = 15ms, .sparse_p95 = 15ms, .sparse_loss = 0.03}),
    transfer({100, 40ms}, cubic(8),
             {.goodput = 0.75, .queue_p95 = 45ms, .sparse_p95 = 50ms, .sparse_loss = 0.03},
             {.goodput = 0.91, .queue_p95 = 35ms, .sparse_p95 = 35ms, .sparse_loss = 0.03}),
    transfer({100, 40ms}, bbr(1),
             {.goodput = 0.79, .queue_p95 = 45ms, .sparse_p95 = 50ms, .sparse_loss = 0.03},
             {.goodput = 0.91, .queue_p95 = 20ms, .sparse_p95 = 20ms, .sparse_loss = 0.03}),
    // short: 0.72 to 0.82
    transfer({100, 40ms, 0.001}, cubic(8),
             {.goodput = 0.63, .queue_p95 = 45ms, .sparse_p95 = 50ms, .sparse_loss = 0.04},
             {.goodput = 0.83, .queue_p95 = 8ms, .sparse_p95 = 8ms, .sparse_loss = 0.03}),
    transfer({100, 40ms, 0.01}, cubic(1),
             {.goodput = 0.02, .queue_p95 = 45ms, .sparse_p95 = 50ms, .sparse_loss = 0.04},
             {.goodput = 0.03, .queue_p95 = 3ms, .sparse_p95 = 4ms, .sparse_loss = 0.05}),
    // short: 0.48 to 0.75
    transfer({100, 40ms, 0.01}, bbr(1),
             {.goodput = 0.42, .queue_p95 = 45ms, .sparse_p95 = 50ms, .sparse_loss = 0.04},
             {.goodput = 0.91, .queue_p95 = 10ms, .sparse_p95 = 11ms, .sparse_loss = 0.06}),
    // short: 0.16 to 0.24
    transfer({100, 40ms, 0.03}, bbr(1),
             {.goodput = 0.13, .queue_p95 = 45ms, .sparse_p95 = 50ms, .sparse_loss = 0.06},
             {.goodput = 0.89, .queue_p95 = 11ms, .sparse_p95 = 11ms, .sparse_loss = 0.07}),
    // short: 0.37 to 0.56
    down(transfer({100, 40ms, 0.01}, bbr(1),
                  {.goodput = 0.32, .queue_p95 = 45ms, .sparse_p95 = 50ms, .sparse_loss = 0.04},
                  {.goodput = 0.91, .queue_p95 = 10ms, .sparse_p95 = 14ms, .sparse_loss = 0.05})),
    transfer({1000, 40ms}, cubic(1),
             {.goodput = 0.79, .queue_p95 = 45ms, .sparse_p95 = 50ms, .sparse_loss = 0.03},
             {.goodput = 0.92, .queue_p95 = 10ms, .sparse_p95 = 10ms, .sparse_loss = 0.03}),
    // short: 0.69 to 0.75
    transfer({1000, 40ms, 0.01}, bbr(1),
             {.goodput = 0.60, .queue_p95 = 45ms, .sparse_p95 = 50ms, .sparse_loss = 0.06},
             {.goodput = 0.91, .queue_p95 = 9ms, .sparse_p95 = 10ms, .sparse_loss = 0.04}),
    // short: 0.61 to 0.61
    transfer({10, 300ms, 0, 500ms}, cubic(1),
             {.goodput = 0.53, .queue_p95 = 150ms, .sparse_p95 = 160ms, .sparse_loss = 0.03},
             {.goodput = 0.66, .queue_p95 = 11ms, .sparse_p95 = 12ms, .sparse_loss = 0.03}),
    // short: 0.73 to 0.81
    transfer({10, 300ms, 0.01, 500ms}, bbr(1),
             {.goodput = 0.64, .queue_p95 = 150ms, .sparse_p95 = 160ms, .sparse_loss = 0.04},
             {.goodput = 0.89, .queue_p95 = 30ms, .sparse_p95 = 35ms, .sparse_loss = 0.04}),
};

const std::vector<std::string> kRepresentative = {
    "2M_40ms_buffer500ms_cubic1", "20M_30ms_buffer500ms_cubic1_ecn",
    "20M_30ms_buffer500ms_cubic8_down", "100M_40ms_1pct_bbr1"};

QDT_PATH_TESTS(TransferPath, kRepresentative, kCases);

}  // namespace
}  // namespace qdt::testing
