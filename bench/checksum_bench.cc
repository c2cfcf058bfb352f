// The Internet checksum over a packet.

#include <benchmark/benchmark.h>

#include <vector>

#include "wire/checksum.h"

namespace qdt::wire {
namespace {

void checksum(benchmark::State& state) {
  std::vector<std::uint8_t> packet(static_cast<std::size_t>(state.range(0)), 0x5a);
  for (auto _ : state) {
    benchmark::DoNotOptimize(packet.data());
    benchmark::DoNotOptimize(Checksum().add(packet).finish());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(checksum)->ArgName("bytes")->Arg(20)->Arg(64)->Arg(1400)->Arg(65535);

}  // namespace
}  // namespace qdt::wire
