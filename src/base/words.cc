#include "base/words.h"

#include <algorithm>
#include <array>

namespace qdt {

// Two units are enough.
std::string in_words(Duration duration) {
  const auto seconds = std::max<std::int64_t>(duration / 1s, 0);
  const auto two = [](std::int64_t large, const char* unit, std::int64_t small,
                      const char* smaller) {
    return std::to_string(large) + unit + std::to_string(small) + smaller;
  };
  if (seconds >= 86400) return two(seconds / 86400, " d ", seconds % 86400 / 3600, " h");
  if (seconds >= 3600) return two(seconds / 3600, " h ", seconds % 3600 / 60, " min");
  if (seconds >= 60) return two(seconds / 60, " min ", seconds % 60, " s");
  return std::to_string(seconds) + " s";
}

std::string bytes_in_words(std::uint64_t bytes) {
  constexpr std::array kUnits = {" kB", " MB", " GB", " TB"};
  std::uint64_t unit = 1000;
  if (bytes < unit) return std::to_string(bytes) + " B";
  std::size_t name = 0;
  for (; name + 1 < kUnits.size() && bytes / 1000 >= unit; ++name) unit *= 1000;
  return in_tenths(bytes, unit) + kUnits[name];
}

std::string in_tenths(std::uint64_t number, std::uint64_t unit) {
  const std::uint64_t tenths = number / unit * 10 + (number % unit * 10 + unit / 2) / unit;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

std::string list_in_words(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

}  // namespace qdt
