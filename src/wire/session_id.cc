#include "wire/session_id.h"

#include <charconv>

namespace qdt::wire {
namespace {

constexpr std::size_t kDigits = 16;
constexpr int kBase = 16;

}  // namespace

std::string session_id_text(SessionId id) {
  std::string text(kDigits, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, id /= kBase) {
    *digit = "0123456789abcdef"[id % kBase];
  }
  return text;
}

std::optional<SessionId> parse_session_id(std::string_view text) {
  SessionId id = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, id, kBase);
  if (text.size() != kDigits || error != std::errc() || parsed != end) return std::nullopt;
  return id;
}

}  // namespace qdt::wire
