#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace qdt {

/// For a person: "3 d 4 h", "12 min 5 s", "7 s".
std::string in_words(Duration duration);

/// For a person: "740 B", "12.3 kB", "1.8 GB", in powers of 1000.
std::string bytes_in_words(std::uint64_t bytes);

/// 12345 in units of 1000: "12.3".
std::string in_tenths(std::uint64_t number, std::uint64_t unit);

/// "a, b, c".
std::string list_in_words(const std::vector<std::string>& words);

}  // namespace qdt
