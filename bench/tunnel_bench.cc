// A packet's whole way but for the operating system: through two real tunnels, joined in memory,
// with QUIC, congestion control and the inner AEAD, where there is one: version 2's datagrams
// (`of_contexts`) have none unless they are sealed. Both ends together, acknowledgements included.

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>

#include "sim/agreed_node.h"
#include "sim/two_tunnels.h"

namespace qdt::testing {
namespace {

/// Packets of one exchange: a batch as a TUN device fills it.
constexpr std::size_t kBatch = 32;

std::array<Bytes, kBatch> filled(Bytes packet) {
  std::array<Bytes, kBatch> batch;
  batch.fill(packet);
  return batch;
}

wire::Capabilities caps(bool is_direct) {
  wire::Capabilities caps = wire::Capabilities::supported();
  caps.direct = caps.shared_id = is_direct;
  return caps;
}

template <typename Tunnels>
void move_packets(benchmark::State& state, Tunnels&& tunnels, bool is_up) {
  if (!tunnels.is_connected()) return state.SkipWithError("the tunnels do not connect");
  const IpAddress lease = tunnels.lease();
  const auto bytes = static_cast<std::size_t>(state.range(0));
  const Packet packet =
      is_up ? udp_packet(lease, kInternet, bytes) : udp_packet(kInternet, lease, bytes);
  tunnel::Tunnel& from = is_up ? tunnels.client.tunnel() : tunnels.server.tunnel();

  const std::array<Bytes, kBatch> batch = filled(packet);
  const auto move_batch = [&] {
    from.forward(batch, [](Bytes) { return true; }, tunnels.now);
    // Until pacing has let all of it go.
    do tunnels.exchange();
    while ((*from.sessions().begin())->has_backlog(tunnels.now));
  };
  // Congestion control has to learn what the path carries.
  for (int i = 0; i < 500; ++i) move_batch();
  for (int i = 0; i < 500; ++i) tunnels.exchange();

  std::size_t sent = 0;
  tunnels.received = 0;
  while (state.KeepRunningBatch(kBatch)) {
    move_batch();
    sent += kBatch;
  }
  for (int i = 0; i < 500; ++i) tunnels.exchange();
  if (tunnels.received != sent) return state.SkipWithError("packets were lost");
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void move_by_version1(benchmark::State& state, bool is_up, bool is_direct = false) {
  move_packets(state, TwoTunnels({.caps = caps(is_direct)}, {.caps = caps(is_direct)}), is_up);
}

void tunnel_up(benchmark::State& state) {
  move_by_version1(state, true);
}
BENCHMARK(tunnel_up)->ArgName("bytes")->Arg(64)->Arg(1350);

void tunnel_down(benchmark::State& state) {
  move_by_version1(state, false);
}
BENCHMARK(tunnel_down)->ArgName("bytes")->Arg(64)->Arg(1350);

void tunnel_of_contexts_up(benchmark::State& state) {
  move_packets(state, AgreedTunnels(with_contexts()), true);
}
BENCHMARK(tunnel_of_contexts_up)->ArgName("bytes")->Arg(64)->Arg(1350);

void tunnel_of_contexts_down(benchmark::State& state) {
  move_packets(state, AgreedTunnels(with_contexts()), false);
}
BENCHMARK(tunnel_of_contexts_down)->ArgName("bytes")->Arg(64)->Arg(1350);

void tunnel_of_sealed_contexts_up(benchmark::State& state) {
  move_packets(state, AgreedTunnels(with_sealed_contexts()), true);
}
BENCHMARK(tunnel_of_sealed_contexts_up)->ArgName("bytes")->Arg(64)->Arg(1350);

void tunnel_directly_up(benchmark::State& state) {
  move_by_version1(state, true, true);
}
BENCHMARK(tunnel_directly_up)->ArgName("bytes")->Arg(64)->Arg(1350);

void tunnel_directly_down(benchmark::State& state) {
  move_by_version1(state, false, true);
}
BENCHMARK(tunnel_directly_down)->ArgName("bytes")->Arg(64)->Arg(1350);

}  // namespace
}  // namespace qdt::testing
