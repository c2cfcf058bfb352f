// The body of POST /connect, as a server reads it; what was read is written and read again.

#include "wire/handshake.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  const std::string_view body = as_text({data, size});
  (void)wire::is_complete_json(body);
  const auto request = wire::parse_connect_request(body);
  if (request && !wire::parse_connect_request(wire::to_json(*request))) std::abort();
  return 0;
}
