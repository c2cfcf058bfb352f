// The `:path` and `:authority` of a request. The first byte chooses the template.

#include "wire/request_target.h"

#include <array>

#include "base/bytes.h"
#include "invariant.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  if (size == 0) return 0;
  constexpr std::array<std::string_view, 3> kTemplates = {wire::kDefaultTemplate,
                                                          "/p?i={ipproto}&t={target}", "/vpn"};
  const std::string_view text = as_text({data + 1, size - 1});
  const std::string_view path_template = kTemplates[data[0] % kTemplates.size()];
  const wire::PathScope scope = wire::match_path(text, path_template);
  fuzz::require(scope != wire::PathScope::kUnlimited || text.contains('*') || text.contains("%2") ||
                    text == path_template,
                "everything is asked for by its sign");
  if (wire::is_path_template(text)) {
    fuzz::require(wire::match_path(wire::expand_path(text), text) == wire::PathScope::kUnlimited,
                  "an expanded template asks for everything");
  }
  if (const auto authority = wire::parse_authority(text)) {
    fuzz::require(wire::parse_authority(wire::write_authority(*authority)) == authority,
                  "a written authority is read");
  }
  return 0;
}
