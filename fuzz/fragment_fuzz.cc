// Reassembly: the input is a sequence of fragments, each behind a two-byte length; time passes.

#include "wire/fragment.h"

#include <algorithm>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  wire::Reassembler reassembler(4096);
  Timestamp now{};
  for (Bytes rest(data, size); rest.size() > 2;) {
    const std::size_t bytes =
        std::min<std::size_t>(load_be<std::uint16_t>(rest.data()) % 2048, rest.size() - 2);
    const auto whole = reassembler.add(rest.subspan(2, bytes), now);
    if (whole && *whole && (*whole)->size() > 4096) std::abort();
    rest = rest.subspan(2 + bytes);
    now += 300ms;
    if (bytes % 16 == 0) reassembler.expire(now);
  }
  if (reassembler.half_built() > wire::Reassembler::kMaxPackets) std::abort();
  return 0;
}
