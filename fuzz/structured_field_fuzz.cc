// A header field as a dictionary, and as an item: bounded, and what we can write is written and
// read again.

#include "wire/structured_field.h"

#include <algorithm>

#include "invariant.h"

namespace {

using namespace qdt;

bool is_written(const wire::FieldMember& member) {
  return std::ranges::all_of(member.items, [](const wire::FieldItem& item) {
    using enum wire::FieldType;
    return item.type != kDecimal && item.type != kDate && item.type != kDisplayString;
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view field = as_text({data, size});
  if (const auto item = wire::parse_field_item(field)) {
    fuzz::require(wire::parse_field_item(" " + std::string(field) + ";p ") == item ||
                      field.size() + 4 > wire::kMaxFieldBytes || field.ends_with(' '),
                  "parameters change no item");
  }
  auto dictionary = wire::parse_field_dictionary(field);
  if (!dictionary) return 0;
  std::size_t parts = 0;
  for (const wire::FieldMember& member : dictionary->members) {
    parts += member.is_list ? 1 + member.items.size() : 1;
    fuzz::require(member.is_list || member.items.size() == 1, "a member is an item or a list");
    fuzz::require(dictionary->find(member.key) == &member, "no key comes twice");
  }
  fuzz::require(parts <= wire::kMaxFieldParts, "the parts are bounded");

  std::erase_if(dictionary->members, [](const auto& member) { return !is_written(member); });
  const std::string text = wire::write_field_dictionary(*dictionary);
  if (text.size() > wire::kMaxFieldBytes) return 0;  // padding and spaces
  fuzz::require(wire::parse_field_dictionary(text) == dictionary, "what was written is read");
  return 0;
}
