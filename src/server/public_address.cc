#include "server/public_address.h"

#include <algorithm>
#include <array>

namespace qdt::server {
namespace {

bool is_public(const IpAddress& address) {
  static const std::array kPrivate = {
      *Prefix::parse("0.0.0.0/8"),      *Prefix::parse("10.0.0.0/8"),
      *Prefix::parse("100.64.0.0/10"),  *Prefix::parse("127.0.0.0/8"),
      *Prefix::parse("169.254.0.0/16"), *Prefix::parse("172.16.0.0/12"),
      *Prefix::parse("192.168.0.0/16"), *Prefix::parse("::/8"),
      *Prefix::parse("fc00::/7"),       *Prefix::parse("fe80::/10")};
  return !address.is_multicast() && std::ranges::none_of(kPrivate, [&](const Prefix& prefix) {
    return prefix.contains(address);
  });
}

}  // namespace

std::optional<IpAddress> public_address(std::span<const IpAddress> addresses) {
  std::optional<IpAddress> found;
  for (const IpAddress& address : addresses) {
    if (!is_public(address)) continue;
    if (address.is_v4()) return address;
    if (!found) found = address;
  }
  return found;
}

}  // namespace qdt::server
