#include "os/windows/hosts_file.h"

#include <algorithm>
#include <cctype>

namespace qdt::os {
namespace {

std::string_view next_word(std::string_view& line) {
  constexpr std::string_view kBlank = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlank));
  line.remove_prefix(word.size());
  return word;
}

bool is_same_name(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, [](unsigned char left, unsigned char right) {
    return std::tolower(left) == std::tolower(right);
  });
}

}  // namespace

std::vector<IpAddress> addresses_in_hosts(std::string_view content, std::string_view name) {
  std::vector<IpAddress> addresses;
  while (!content.empty()) {
    const auto end = content.find('\n');
    std::string_view line = content.substr(0, end);
    content.remove_prefix(end == content.npos ? content.size() : end + 1);
    line = line.substr(0, line.find('#'));
    const auto address = IpAddress::parse(next_word(line));
    if (!address) continue;
    for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
      if (!is_same_name(word, name)) continue;
      addresses.push_back(*address);
      break;
    }
  }
  return addresses;
}

}  // namespace qdt::os
