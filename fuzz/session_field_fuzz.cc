// The header field of version 2, as a request's and as an answer's: what was read is written and
// read again.

#include "wire/session_field.h"

#include "invariant.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  const std::string_view field = as_text({data, size});
  if (auto request = wire::parse_session_request(field)) {
    // Names that are in quotation marks would get another pair.
    request->name.clear();
    request->platform.clear();
    const std::string text = wire::write_session_field(*request);
    fuzz::require(wire::parse_session_request(text) == *request, "a written request is read");
  }
  const wire::SessionCaps offered{
      .ping = true, .fragment = true, .resume = true, .direct = true, .sealed = true};
  if (const auto answer = wire::parse_session_answer(field, offered)) {
    fuzz::require((answer->caps & offered) == answer->caps, "only what was offered is agreed on");
    const std::string text = wire::write_session_field(*answer);
    fuzz::require(text.size() > 4096 || wire::parse_session_answer(text, offered) == *answer,
                  "a written answer is read");
  }
  return 0;
}
