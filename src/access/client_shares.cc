#include "access/client_shares.h"

#include <algorithm>

#include "base/client_networks.h"

namespace qdt::access {

ClientShares::Units ClientShares::units_of(const Options& options, const IpAddress& from,
                                           std::string_view client_id) {
  const std::size_t max = options.max_of_address;
  // Clients without a name cannot be told from others behind their address.
  const std::size_t max_of_client = client_id.empty() ? max : options.max_of_client;
  const ClientNetworks networks(from);
  const std::string address = networks.customer.to_string();
  // Keys of different kinds differ: the parts before the name have no spaces.
  return {{{.key = "address " + address, .max = max},
           {.key = "site " + networks.site.to_string(), .max = networks.max_of_site(max)},
           {.key = "name " + address + " " + std::string(client_id),
            .max = std::min(max, max_of_client)}}};
}

void ClientShares::use(const Options& options) {
  const std::scoped_lock lock(mutex_);
  options_ = options;
}

// Where there is no limit the sessions are counted all the same: there may be one later.
bool ClientShares::take(wire::SessionId session, const IpAddress& from, std::string_view client_id,
                        bool replaces) {
  const std::scoped_lock lock(mutex_);
  const Units units = units_of(options_, from, client_id);
  const bool is_limited = options_.max_of_client > 0 && !replaces;
  for (const Unit& unit : units) {
    const auto count = counts_.find(unit.key);
    if (is_limited && count != counts_.end() && count->second >= unit.max) return false;
  }
  if (!places_.try_emplace(session, units).second) return false;
  for (const Unit& unit : units) ++counts_[unit.key];
  return true;
}

void ClientShares::give_back(wire::SessionId session) {
  const std::scoped_lock lock(mutex_);
  const auto place = places_.extract(session);
  if (place.empty()) return;
  for (const Unit& unit : place.mapped()) {
    const auto count = counts_.find(unit.key);
    if (--count->second == 0) counts_.erase(count);
  }
}

}  // namespace qdt::access
