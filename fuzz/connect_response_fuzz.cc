// The answer to POST /connect, as a client reads it; what was read is written and read again.

#include "wire/handshake.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  const wire::Capabilities all{.ping = true,
                               .close = true,
                               .aes_256_gcm = true,
                               .resume = true,
                               .ipv6 = true,
                               .routes = true,
                               .dns_domains = true};
  const auto response = wire::parse_connect_response(as_text({data, size}), all);
  if (response && !wire::parse_connect_response(wire::to_json(*response), all)) std::abort();
  return 0;
}
