#pragma once

#include <optional>
#include <string_view>

#include "base/ip_address.h"
#include "base/result.h"

namespace qdt::users {

/// The inner addresses that a server lends, of which a device may have one for good.
struct Addresses {
  Prefix pool;        ///< IPv4
  IpAddress gateway;  ///< the server's own in it
  std::optional<Prefix> pool6;
  IpAddress gateway6;  ///< with pool6
};

/// `10.8.0.50`, or the IPv6 address that is lent beside it: the IPv4 one. kInvalidArgument says why
/// it cannot be a device's. `what` is the name of the value, with which an error begins.
Result<IpAddress> parse_address(std::string_view what, std::string_view text,
                                const Addresses& addresses);

}  // namespace qdt::users
