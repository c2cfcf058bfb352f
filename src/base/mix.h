#pragma once

#include <cstdint>

namespace qdt {

/// SplitMix64's last steps: every bit of the value decides every bit of the result. No secret.
constexpr std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace qdt
