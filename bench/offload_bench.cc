// Super-packets at the TUN device: cut into packets on their way out, joined on their way in, both
// with all checksums.

#include <benchmark/benchmark.h>

#include "sim/nodes.h"
#include "wire/coalescer.h"
#include "wire/segmenter.h"

namespace qdt::testing {
namespace {

constexpr std::size_t kPackets = 48;
constexpr std::size_t kHeaderBytes = 28;  // IPv4 and UDP

/// A UDP super-packet of kPackets full packets, and what the kernel says of it.
struct Super {
  explicit Super(std::size_t packet_bytes)
      : bytes(udp_packet(kInternet, kInternet,
                         kHeaderBytes + kPackets * (packet_bytes - kHeaderBytes))),
        offload{.kind = Offload::Kind::kUdp,
                .needs_checksum = true,
                .segment_bytes = static_cast<std::uint16_t>(packet_bytes - kHeaderBytes),
                .checksum_start = 20,
                .checksum_offset = 6} {
    store_be<std::uint16_t>(&bytes[24], static_cast<std::uint16_t>(bytes.size() - 20));
  }
  Packet bytes;
  Offload offload;
};

void cut(benchmark::State& state) {
  const auto packet_bytes = static_cast<std::size_t>(state.range(0));
  Super super(packet_bytes);
  wire::Segmenter segmenter;
  PacketBatch batch;
  while (state.KeepRunningBatch(kPackets)) {
    batch.clear();
    if (segmenter.begin({super.bytes, super.offload}) || segmenter.next(batch)) {
      return state.SkipWithError("not cut in one go");
    }
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(cut)->ArgName("bytes")->Arg(1350);

void join(benchmark::State& state) {
  const auto packet_bytes = static_cast<std::size_t>(state.range(0));
  Super super(packet_bytes);
  wire::Segmenter segmenter;
  wire::Coalescer coalescer({});
  PacketBatch batch;
  while (state.KeepRunningBatch(kPackets)) {
    // join() rewrites headers, so the packets are made anew, outside of the time that counts.
    state.PauseTiming();
    batch.clear();
    if (segmenter.begin({super.bytes, super.offload}) || segmenter.next(batch)) {
      return state.SkipWithError("not cut in one go");
    }
    state.ResumeTiming();
    if (coalescer.join(batch).size() != 1) return state.SkipWithError("not joined into one");
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(join)->ArgName("bytes")->Arg(1350);

}  // namespace
}  // namespace qdt::testing
