// Opening direct packets: any bytes, and true packets of both phases with the input's bits flipped,
// none of which may open or change what opens after them.

#include "wire/direct_packet.h"

#include <array>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  constexpr auto kAlgorithm = wire::AeadAlgorithm::kAes256Gcm;
  std::array<std::uint8_t, 2000> packet;
  std::array<std::uint8_t, 2000> out;
  const Bytes input(data, std::min(size, packet.size()));
  wire::DirectSealer sealer(kAlgorithm, {}, {});
  wire::DirectOpener opener(kAlgorithm, {});
  if (opener.open(input, out, {}, 1s)) std::abort();
  for (const std::uint8_t change : input.first(std::min<std::size_t>(input.size(), 64))) {
    const std::size_t bytes =
        sealer.seal({}, input.first(change % (input.size() + 1) % 1000), packet, {});
    const MutableBytes sealed = MutableBytes(packet).first(bytes);
    sealed[change * 7U % bytes] ^= change;
    if (opener.open(sealed, out, {}, 1s).has_value() != (change == 0)) std::abort();
    sealed[change * 7U % bytes] ^= change;
    if (opener.open(sealed, out, {}, 1s).has_value() == (change == 0)) std::abort();
    sealer.acknowledge(sealer.next_counter() - 1);
    if (change % 5 == 0) sealer.update_key({});
  }
  return 0;
}
