// The body of POST /connect, as a server reads it; what was read is written and read again.

#include "wire/handshake.h"
#include "wire/json_end.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  const std::string_view body = as_text({data, size});
  // All at once or in pieces, and never later than the parser has it.
  wire::JsonEnd in_pieces;
  bool has_come = false;
  for (std::size_t length = 0; length <= size; ++length) {
    has_come = in_pieces.has_come(body.substr(0, length));
  }
  if (has_come != wire::JsonEnd().has_come(body)) std::abort();
  const auto request = wire::parse_connect_request(body);
  if (request && !has_come) std::abort();
  if (request && !wire::parse_connect_request(wire::to_json(*request))) std::abort();
  return 0;
}
