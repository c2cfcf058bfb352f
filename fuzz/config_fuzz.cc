// Configuration files of both programs.

#include "base/bytes.h"
#include "ops/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = qdt::as_text({data, size});
  (void)qdt::ops::parse_server_config(text, "fuzz.yaml");
  (void)qdt::ops::parse_client_config(text, "fuzz.yaml");
  return 0;
}
