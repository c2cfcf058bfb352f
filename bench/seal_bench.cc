// The inner AEAD: what QDT adds to each packet besides QUIC's own.

#include <benchmark/benchmark.h>

#include <vector>

#include "wire/datagram.h"
#include "wire/seal.h"

namespace qdt::wire {
namespace {

constexpr SessionId kSession = 0x0123456789abcdef;

DirectionKey key(AeadAlgorithm algorithm) {
  return {.algorithm = algorithm, .key = {1, 2, 3, 4}, .nonce_prefix = {5, 6, 7, 8}};
}

void seal(benchmark::State& state, AeadAlgorithm algorithm) {
  const std::vector<std::uint8_t> packet(static_cast<std::size_t>(state.range(0)), 0x5a);
  std::vector<std::uint8_t> datagram(packet.size() + kDatagramOverhead);
  DatagramSealer sealer(kSession, key(algorithm));
  for (auto _ : state) {
    benchmark::DoNotOptimize(sealer.seal(DatagramType::kData, {}, packet, datagram));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(seal, aes256, AeadAlgorithm::kAes256Gcm)->ArgName("bytes")->Arg(64)->Arg(1400);
BENCHMARK_CAPTURE(seal, chacha20, AeadAlgorithm::kChaCha20Poly1305)
    ->ArgName("bytes")
    ->Arg(64)
    ->Arg(1400);

void open(benchmark::State& state, AeadAlgorithm algorithm) {
  const std::vector<std::uint8_t> packet(static_cast<std::size_t>(state.range(0)), 0x5a);
  // A datagram opens once. Sealed anew in batches, outside of the time that counts.
  constexpr std::size_t kBatch = 1024;
  std::vector<std::vector<std::uint8_t>> datagrams(
      kBatch, std::vector<std::uint8_t>(packet.size() + kDatagramOverhead));
  std::vector<std::uint8_t> out(packet.size());
  DatagramSealer sealer(kSession, key(algorithm));
  DatagramOpener opener(kSession, key(algorithm));
  while (state.KeepRunningBatch(kBatch)) {
    state.PauseTiming();
    for (auto& datagram : datagrams) sealer.seal(DatagramType::kData, {}, packet, datagram);
    state.ResumeTiming();
    for (const auto& datagram : datagrams) {
      if (!opener.open(datagram, out)) return state.SkipWithError("a datagram does not open");
    }
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(open, aes256, AeadAlgorithm::kAes256Gcm)->ArgName("bytes")->Arg(64)->Arg(1400);
BENCHMARK_CAPTURE(open, chacha20, AeadAlgorithm::kChaCha20Poly1305)
    ->ArgName("bytes")
    ->Arg(64)
    ->Arg(1400);

}  // namespace
}  // namespace qdt::wire
