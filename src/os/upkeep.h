#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace qdt::os {

/// The parts of a host's network that are kept as they were made.
enum class HostPart : std::uint8_t {
  kDevice,
  kLink,
  kAddress,
  kRoute,
  kRule,
  kTable,
  kSysctl,
  kNameServers,
  kCount
};
inline constexpr auto kHostParts = static_cast<std::size_t>(HostPart::kCount);

/// As metrics label it.
constexpr std::string_view name_of(HostPart part) {
  constexpr std::array<std::string_view, kHostParts> kNames = {
      "device", "link", "address", "route", "rule", "table", "sysctl", "name_servers"};
  return kNames[static_cast<std::size_t>(part)];
}

/// How often each part was put back.
using HostRepairs = std::array<std::uint64_t, kHostParts>;

/// The findings of a look at the host's network.
struct Upkeep {
  HostRepairs repairs{};
  /// The change that could not be put back, why, and how to mend it; empty: everything is as it was
  /// made.
  std::string fault;
  /// The TUN device has gone: TunDevice::open() makes it again, and HostNetwork::adopt_device()
  /// gives it what the old one had.
  bool lacks_device = false;

  void count(HostPart part) { ++repairs[static_cast<std::size_t>(part)]; }
  bool has_repairs() const {
    for (const std::uint64_t repair : repairs) {
      if (repair > 0) return true;
    }
    return false;
  }
  void add(const Upkeep& other) {
    for (std::size_t i = 0; i < kHostParts; ++i) repairs[i] += other.repairs[i];
    if (!other.fault.empty()) add_fault(other.fault);
    lacks_device |= other.lacks_device;
  }
  void add_fault(std::string_view text) { fault.append(fault.empty() ? "" : "; ").append(text); }
};

}  // namespace qdt::os
