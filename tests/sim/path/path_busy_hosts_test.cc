// Hosts with other things to do, which come late to what they have to do here: that is no queue,
// and slows nobody down for long. (A rate that was lowered each time and never raised again came to
// a twentieth of the link.)

#include "sim/path/path_sim.h"

namespace qdt::testing {
namespace {

PathLink home(const Pauses& pauses) {
  return {20, 30ms, 0, 500ms, pauses};
}
PathLink office(const Pauses& pauses) {
  return {100, 10ms, 0, 100ms, pauses};
}

PathCase uploads(const PathLink& link, std::size_t flows, const PathPromise& quic,
                 const PathPromise& direct) {
  return transfer(link, cubic(flows), quic, direct);
}

const Pauses kShort{.every = 10ms, .longest = 5ms};
const Pauses kMedium{.every = 20ms, .longest = 10ms};
const Pauses kLong{.every = 50ms, .longest = 30ms};
const Pauses kHalfOfTheTime{.every = 50ms, .longest = 50ms};
const Pauses kRare{.every = 1s, .longest = 100ms};

const std::vector<PathCase> kCases = {
    steady(home(kShort), {.goodput = 0.80}, {.goodput = 0.92, .queue_p95 = 25ms}),
    uploads(home(kShort), 1, {.goodput = 0.70}, {.goodput = 0.90, .queue_p95 = 25ms}),
    uploads(home(kShort), 8, {.goodput = 0.80}, {.goodput = 0.91, .queue_p95 = 25ms}),
    steady(home(kLong), {.goodput = 0.75}, {.goodput = 0.72, .queue_p95 = 100ms}),
    uploads(home(kLong), 1, {.goodput = 0.55}, {.goodput = 0.65, .queue_p95 = 100ms}),
    uploads(home(kLong), 8, {.goodput = 0.65}, {.goodput = 0.66, .queue_p95 = 100ms}),
    steady(home(kHalfOfTheTime), {.goodput = 0.75}, {.goodput = 0.60}),
    uploads(home(kHalfOfTheTime), 8, {.goodput = 0.50}, {.goodput = 0.50}),
    steady(home(kRare), {.goodput = 0.70}, {.goodput = 0.87, .queue_p95 = 90ms}),
    uploads(home(kRare), 1, {.goodput = 0.65}, {.goodput = 0.80, .queue_p95 = 90ms}),
    uploads(home(kRare), 8, {.goodput = 0.65}, {.goodput = 0.80, .queue_p95 = 90ms}),
    steady(office(kMedium), {.goodput = 0.80}, {.goodput = 0.91, .queue_p95 = 25ms}),
    uploads(office(kMedium), 8, {.goodput = 0.80}, {.goodput = 0.91, .queue_p95 = 25ms}),
};

const std::vector<std::string> kRepresentative = {
    "20M_30ms_buffer500ms_pauses5ms_each10ms_greedy",
    "20M_30ms_buffer500ms_pauses30ms_each50ms_cubic1",
    "100M_10ms_buffer100ms_pauses10ms_each20ms_cubic8"};

QDT_PATH_TESTS(BusyHostsPath, kRepresentative, kCases);

}  // namespace
}  // namespace qdt::testing
