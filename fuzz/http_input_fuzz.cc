// What a monitoring program may send to the HTTP server, whole and in pieces: both are read alike.

#include "ops/http_input.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  if (size == 0) return 0;
  const std::size_t piece = 1 + data[0] % 16u;
  const std::string_view text = as_text({data + 1, size - 1});
  ops::HttpInput whole((data[0] & 0x80) != 0 ? 0 : 64);
  whole.append(text);
  ops::HttpInput pieces((data[0] & 0x80) != 0 ? 0 : 64);
  for (std::string_view rest = text; !rest.empty();) {
    pieces.append(rest.substr(0, piece));
    rest.remove_prefix(std::min(piece, rest.size()));
  }
  if (whole.is_complete() != pieces.is_complete()) std::abort();
  return 0;
}
