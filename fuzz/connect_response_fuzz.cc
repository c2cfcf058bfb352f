// The answer to POST /connect, as a client reads it; what was read is written and read again.

#include "wire/handshake.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  const auto response = wire::parse_connect_response(as_text({data, size}));
  if (response && !wire::parse_connect_response(wire::to_json(*response))) std::abort();
  return 0;
}
