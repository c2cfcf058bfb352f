#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ip_address.h"

namespace qdt::os {

// Just enough of DNS (RFC 1035, RFC 3596) to ask a recursive name server for a host's addresses.

enum class DnsType : std::uint16_t { kA = 1, kAaaa = 28 };

/// A question with recursion desired; empty for what is no host name.
std::vector<std::uint8_t> make_dns_query(std::uint16_t id, std::string_view name, DnsType type);

struct DnsAnswer {
  /// 0: no error; 3: there is no such name (RFC 1035 4.1.1).
  std::uint8_t code = 0;
  std::vector<IpAddress> addresses;
};

/// The answer to that question; nothing for anything else, damaged messages included.
std::optional<DnsAnswer> parse_dns_answer(Bytes message, std::uint16_t id, std::string_view name,
                                          DnsType type);

}  // namespace qdt::os
