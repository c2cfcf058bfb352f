// A bottleneck that is not one session's own: two sessions share it, or others that have no tunnel,
// or it changes its rate.

#include "sim/path/path_sim.h"

namespace qdt::testing {
namespace {

PathCase shared(const PathLink& link, const Traffic& first, const Traffic& second,
                const PathPromise& quic, const PathPromise& direct) {
  PathCase path = transfer(link, in_two_sessions(first, second), quic, direct);
  path.setting.sessions = 2;
  path.setting.measured *= 2;
  return path;
}

PathCase unequal(PathCase path, Duration second_rtt) {
  path.setting.second_rtt = second_rtt;
  return path;
}

PathCase competing(const PathLink& link, const Traffic& inside, std::size_t outside,
                   const PathPromise& quic, const PathPromise& direct) {
  PathCase path = transfer(link, beside_cubic(inside, outside), quic, direct);
  path.setting.measured *= 2;
  return path;
}

// 5 s each.
PathCase changing(const PathLink& link, std::string name, std::vector<double> rates,
                  const PathPromise& quic, const PathPromise& direct) {
  const double most = *std::ranges::max_element(rates);
  PathCase path = transfer(link, phases(std::move(name), {{1s, 1.25 * most}}), quic, direct);
  path.setting.measured = 5s;
  for (const double rate : rates) {
    path.setting.changes.push_back({path.setting.measured, rate});
    path.setting.measured += 5s;
  }
  return path;
}

const std::vector<PathCase> kShared = {
    shared({20, 30ms, 0, 500ms}, greedy({20}), greedy({20}),
           {.goodput = 0.79,
            .queue_p95 = 65ms,
            .sparse_p95 = 70ms,
            .sparse_loss = 0.03,
            .weakest_session = 0.67},
           {.goodput = 0.73}),
    down(shared({20, 30ms, 0, 500ms}, greedy({20}), greedy({20}),
                {.goodput = 0.79,
                 .queue_p95 = 65ms,
                 .sparse_p95 = 70ms,
                 .sparse_loss = 0.03,
                 .weakest_session = 0.64},
                {.goodput = 0.76})),
    shared({100, 40ms}, greedy({100}), greedy({100}),
           {.goodput = 0.77,
            .queue_p95 = 60ms,
            .sparse_p95 = 65ms,
            .sparse_loss = 0.03,
            .weakest_session = 0.62},
           {.goodput = 0.72}),
    down(shared({100, 40ms}, greedy({100}), greedy({100}),
                {.goodput = 0.72,
                 .queue_p95 = 50ms,
                 .sparse_p95 = 55ms,
                 .sparse_loss = 0.03,
                 .weakest_session = 0.61},
                {.goodput = 0.76})),
    shared({100, 40ms, 0.01}, greedy({100}), greedy({100}),
           {.goodput = 0.50,
            .queue_p95 = 45ms,
            .sparse_p95 = 50ms,
            .sparse_loss = 0.04,
            .weakest_session = 0.33},
           {.goodput = 0.76}),
    unequal(shared({50, 20ms}, greedy({50}), greedy({50}),
                   {.goodput = 0.80,
                    .queue_p95 = 120ms,
                    .sparse_p95 = 130ms,
                    .sparse_loss = 0.03,
                    .weakest_session = 0.28},
                   {.goodput = 0.41}),
            100ms),
    shared({20, 30ms, 0, 500ms}, greedy({20}), limited(2),
           {.goodput = 0.77,
            .queue_p95 = 35ms,
            .sparse_p95 = 40ms,
            .sparse_loss = 0.03,
            .weakest_session = 0.95},
           {.goodput = 0.91,
            .queue_p95 = 25ms,
            .sparse_p95 = 40ms,
            .sparse_loss = 0.03,
            .weakest_session = 0.79}),
    down(shared({20, 30ms, 0, 500ms}, greedy({20}), limited(2),
                {.goodput = 0.77,
                 .queue_p95 = 35ms,
                 .sparse_p95 = 40ms,
                 .sparse_loss = 0.03,
                 .weakest_session = 0.95},
                {.goodput = 0.91,
                 .queue_p95 = 25ms,
                 .sparse_p95 = 25ms,
                 .sparse_loss = 0.03,
                 .weakest_session = 0.95})),
    down(shared({100, 40ms}, greedy({100}), limited(10),
                {.goodput = 0.76,
                 .queue_p95 = 45ms,
                 .sparse_p95 = 50ms,
                 .sparse_loss = 0.03,
                 .weakest_session = 0.95},
                {.goodput = 0.92,
                 .queue_p95 = 25ms,
                 .sparse_p95 = 25ms,
                 .sparse_loss = 0.03,
                 .weakest_session = 0.85})),
    shared({20, 30ms, 0, 500ms}, cubic(1), cubic(1),
           {.goodput = 0.78,
            .queue_p95 = 35ms,
            .sparse_p95 = 40ms,
            .sparse_loss = 0.03,
            .weakest_session = 0.62},
           {.goodput = 0.91,
            .queue_p95 = 415ms,
            .sparse_p95 = 420ms,
            .sparse_loss = 0.03,
            .weakest_session = 0.70}),
    down(shared({100, 40ms}, cubic(4), cubic(1),
                {.goodput = 0.75,
                 .queue_p95 = 45ms,
                 .sparse_p95 = 50ms,
                 .sparse_loss = 0.03,
                 .weakest_session = 0.46},
                {.goodput = 0.91,
                 .queue_p95 = 70ms,
                 .sparse_p95 = 70ms,
                 .sparse_loss = 0.03,
                 .weakest_session = 0.30})),
};

const std::vector<PathCase> kCompeting = {
    competing({20, 30ms}, cubic(1), 1,
              {.goodput = 0.03, .sparse_loss = 0.03, .outside_megabits = 13},
              {.goodput = 0.42, .sparse_loss = 0.03, .outside_megabits = 7}),
    competing({20, 30ms, 0, 500ms}, cubic(1), 1,
              {.goodput = 0.02, .sparse_loss = 0.03, .outside_megabits = 13},
              {.goodput = 0.41, .sparse_loss = 0.03, .outside_megabits = 7}),
    competing({20, 30ms, 0, 500ms}, bbr(1), 1,
              {.goodput = 0.01, .sparse_loss = 0.03, .outside_megabits = 13},
              {.goodput = 0.01, .sparse_loss = 0.03, .outside_megabits = 15}),
    competing({100, 40ms}, cubic(1), 1,
              {.goodput = 0.11, .sparse_loss = 0.03, .outside_megabits = 51},
              {.goodput = 0.49, .sparse_loss = 0.03, .outside_megabits = 28}),
    competing({100, 40ms}, greedy({100}), 1,
              {.goodput = 0.14, .sparse_loss = 0.03, .outside_megabits = 50},
              {.goodput = 0.58, .sparse_loss = 0.06, .outside_megabits = 11}),
    competing({100, 40ms, 0, 50ms}, cubic(1), 1,
              {.goodput = 0.11, .sparse_loss = 0.03, .outside_megabits = 54},
              {.goodput = 0.51, .sparse_loss = 0.03, .outside_megabits = 26}),
    competing({20, 30ms, 0, 500ms}, cubic(1), 8,
              {.goodput = 0.01, .sparse_loss = 0.04, .outside_megabits = 13},
              {.goodput = 0.06, .sparse_loss = 0.03, .outside_megabits = 14}),
    competing({100, 40ms}, cubic(1), 8,
              {.goodput = 0.01, .sparse_loss = 0.03, .outside_megabits = 68},
              {.goodput = 0.12, .sparse_loss = 0.03, .outside_megabits = 67}),
    competing({100, 40ms}, bbr(1), 8,
              {.goodput = 0.01, .sparse_loss = 0.03, .outside_megabits = 68},
              {.goodput = 0.02, .sparse_loss = 0.03, .outside_megabits = 77}),
};

const std::vector<PathCase> kChanging = {
    changing({20, 30ms, 0, 500ms}, "halves", {10},
             {.goodput = 0.81, .queue_p95 = 120ms, .sparse_p95 = 120ms, .sparse_loss = 0.03},
             {.goodput = 0.94, .queue_p95 = 35ms, .sparse_p95 = 40ms, .sparse_loss = 0.03}),
    changing({20, 30ms, 0, 500ms}, "doubles", {40},
             {.goodput = 0.67, .queue_p95 = 35ms, .sparse_p95 = 40ms, .sparse_loss = 0.03},
             {.goodput = 0.90, .queue_p95 = 30ms, .sparse_p95 = 30ms, .sparse_loss = 0.03}),
    changing({50, 40ms}, "halves_and_doubles", {25, 50},
             {.goodput = 0.57, .queue_p95 = 70ms, .sparse_p95 = 75ms, .sparse_loss = 0.03},
             {.goodput = 0.90, .queue_p95 = 25ms, .sparse_p95 = 25ms, .sparse_loss = 0.03}),
    changing({50, 40ms, 0.01}, "halves_and_doubles", {25, 50},
             {.goodput = 0.53, .queue_p95 = 75ms, .sparse_p95 = 75ms, .sparse_loss = 0.04},
             {.goodput = 0.90, .queue_p95 = 40ms, .sparse_p95 = 40ms, .sparse_loss = 0.05}),
};

const std::vector<std::string> kRepresentativeShared = {"20M_30ms_buffer500ms_greedy_and_limited2M",
                                                        "50M_20ms_and_100ms_greedy_and_greedy"};

QDT_PATH_TESTS(SharedPath, kRepresentativeShared, kShared);

const std::vector<std::string> kRepresentativeCompeting = {"20M_30ms_cubic1_beside_cubic1"};

QDT_PATH_TESTS(CompetingPath, kRepresentativeCompeting, kCompeting);

const std::vector<std::string> kRepresentativeChanging = {"20M_30ms_buffer500ms_halves"};

QDT_PATH_TESTS(ChangingPath, kRepresentativeChanging, kChanging);

}  // namespace
}  // namespace qdt::testing
