// Opening a datagram of version 2: any bytes, by terms that the first byte says; and authentic ones
// with any content.

#include "wire/context_datagram.h"

#include <algorithm>
#include <array>

#include "invariant.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  static std::array<std::uint8_t, 65536> out;
  static std::array<std::uint8_t, 65536> sealed;
  if (size == 0) return 0;
  const std::uint8_t flags = data[0];
  wire::ContextTerms terms{.fragment = (flags & 1) != 0, .control = (flags & 2) != 0, .sealed = {}};
  if ((flags & 4) != 0) terms.sealed.emplace();
  const Bytes input(data + 1, std::min(size - 1, out.size() - wire::kSealedOverhead));

  wire::ContextOpener opener(terms, Role::kServer);
  const auto opened = opener.open(input, out);
  fuzz::require(!opened || opened->bytes <= input.size(), "content is shorter");

  wire::ContextSealer sealer(terms, Role::kClient);
  const auto type = static_cast<wire::DatagramType>(flags >> 3);
  const std::size_t bytes = sealer.seal(type, {}, input, sealed);
  fuzz::require(bytes == sealer.overhead(type) + input.size(), "the overhead is as said");
  const auto again = opener.open(Bytes(sealed).first(bytes), out);
  fuzz::require(
      !again || (again->type == type && std::ranges::equal(Bytes(out).first(again->bytes), input)),
      "what opens is what was written");
  return 0;
}
