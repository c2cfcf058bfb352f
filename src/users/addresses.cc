#include "users/addresses.h"

#include <cstdint>
#include <string>

namespace qdt::users {

Result<IpAddress> parse_address(std::string_view what, std::string_view text,
                                const Addresses& addresses) {
  const auto refuse = [&](const std::string& why) {
    return fail(std::string(what) + ": \"" + std::string(text.substr(0, 64)) + "\": " + why,
                ErrorCode::kInvalidArgument);
  };
  const auto address = IpAddress::parse(text);
  if (!address) return refuse("it is no address; write one of the pool, such as 10.8.0.50");
  const bool is_v6 = address->is_v6();
  if (is_v6 && !addresses.pool6) return refuse("the server has no IPv6 in the tunnel (pool_cidr6)");
  const Prefix& pool = is_v6 ? *addresses.pool6 : addresses.pool;
  if (!pool.contains(*address)) {
    return refuse("it is not in the pool, " + pool.to_string());
  }
  // An IPv6 address is lent beside the IPv4 one of the same number (server/lease_pool.h).
  const std::uint32_t hosts = std::uint32_t{1} << (32 - addresses.pool.length());
  const auto number = pool.number_of(*address);
  if (!number || *number >= hosts) {
    return refuse("it is beyond the " + std::to_string(hosts) +
                  " addresses that the pool has, as pool_cidr does");
  }
  if (*number == 0 || *number == hosts - 1) {
    return refuse("it is the first or last of the pool, which nobody has");
  }
  const IpAddress lease = addresses.pool.host(*number);
  const bool is_beside_own =
      addresses.pool6 && addresses.pool6->number_of(addresses.gateway6) == *number;
  if (lease == addresses.gateway || is_beside_own) return refuse("it is the server's own");
  return lease;
}

}  // namespace qdt::users
