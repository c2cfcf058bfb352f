// One packet of the direct plane, header protection and replay window included, which is all the
// sealing that there is on it. For the QUIC plane's: seal_bench.cc for the inner AEAD, and the AEAD
// of QUIC itself, here without its headers.

#include <benchmark/benchmark.h>

#include <vector>

#include "wire/direct_packet.h"

namespace qdt::wire {
namespace {

constexpr AeadAlgorithm kAlgorithm = AeadAlgorithm::kAes256Gcm;

void direct_seal(benchmark::State& state) {
  const std::vector<std::uint8_t> payload(static_cast<std::size_t>(state.range(0)), 0x5a);
  std::vector<std::uint8_t> packet(payload.size() + kDirectOverhead);
  DirectSealer sealer(kAlgorithm, {}, {});
  for (auto _ : state) {
    benchmark::DoNotOptimize(sealer.seal({}, payload, packet, {}));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(direct_seal)->ArgName("bytes")->Arg(64)->Arg(1400);

void direct_open(benchmark::State& state) {
  const std::vector<std::uint8_t> payload(static_cast<std::size_t>(state.range(0)), 0x5a);
  // A packet opens once. Sealed anew in batches, outside of the time that counts.
  constexpr std::size_t kBatch = 1024;
  std::vector<std::vector<std::uint8_t>> packets(
      kBatch, std::vector<std::uint8_t>(payload.size() + kDirectOverhead));
  std::vector<std::uint8_t> out(payload.size());
  DirectSealer sealer(kAlgorithm, {}, {});
  DirectOpener opener(kAlgorithm, {});
  while (state.KeepRunningBatch(kBatch)) {
    state.PauseTiming();
    for (auto& packet : packets) sealer.seal({}, payload, packet, {});
    state.ResumeTiming();
    for (const auto& packet : packets) {
      if (!opener.open(packet, out, {}, 1s)) return state.SkipWithError("a packet does not open");
    }
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(direct_open)->ArgName("bytes")->Arg(64)->Arg(1400);

void quic_aead(benchmark::State& state, AeadAlgorithm algorithm) {
  std::vector<std::uint8_t> packet(static_cast<std::size_t>(state.range(0)) + kTagBytes);
  const Bytes payload = Bytes(packet).first(packet.size() - kTagBytes);
  const std::vector<std::uint8_t> header(kDirectHeaderBytes);
  Aead aead(algorithm, std::vector<std::uint8_t>(key_bytes(algorithm)));
  for (auto _ : state) {
    aead.seal({}, header, payload, packet);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(quic_aead, aes128, AeadAlgorithm::kAes128Gcm)->ArgName("bytes")->Arg(1400);
BENCHMARK_CAPTURE(quic_aead, aes256, kAlgorithm)->ArgName("bytes")->Arg(1400);

void header_mask(benchmark::State& state) {
  HeaderMask mask(std::array<std::uint8_t, HeaderMask::kKeyBytes>{});
  std::array<std::uint8_t, HeaderMask::kSampleBytes> sample{};
  for (auto _ : state) {
    // Each sample waits for the mask before, as if nothing else went on.
    sample[0] ^= mask.of(sample)[0];
    benchmark::DoNotOptimize(sample);
  }
}
BENCHMARK(header_mask);

// Keys of one phase: what an update costs, once in ten minutes.
void direct_phase(benchmark::State& state) {
  DirectPhase phase(kAlgorithm, {});
  for (auto _ : state) phase = phase.next();
}
BENCHMARK(direct_phase);

}  // namespace
}  // namespace qdt::wire
