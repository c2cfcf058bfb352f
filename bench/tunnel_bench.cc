// A packet's whole way but for the operating system: through two real tunnels, joined in memory,
// with QUIC, congestion control and the inner AEAD. Both ends together, acknowledgements included.

#include <benchmark/benchmark.h>

#include <cstddef>

#include "sim/two_tunnels.h"

namespace qdt::testing {
namespace {

/// Packets of one exchange: a batch as a TUN device fills it.
constexpr std::size_t kBatch = 32;

void move_packets(benchmark::State& state, bool is_up) {
  TwoTunnels tunnels;
  if (!tunnels.client.response) return state.SkipWithError("the tunnels do not connect");
  const IpAddress lease = tunnels.client.response->client_ip;
  const auto bytes = static_cast<std::size_t>(state.range(0));
  const Packet packet =
      is_up ? udp_packet(lease, kInternet, bytes) : udp_packet(kInternet, lease, bytes);
  tunnel::Tunnel& from = is_up ? tunnels.client.tunnel() : tunnels.server.tunnel();

  const auto move_batch = [&] {
    for (std::size_t i = 0; i < kBatch; ++i) from.forward(packet, tunnels.now);
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

void tunnel_up(benchmark::State& state) {
  move_packets(state, true);
}
BENCHMARK(tunnel_up)->ArgName("bytes")->Arg(64)->Arg(1350);

void tunnel_down(benchmark::State& state) {
  move_packets(state, false);
}
BENCHMARK(tunnel_down)->ArgName("bytes")->Arg(64)->Arg(1350);

}  // namespace
}  // namespace qdt::testing
