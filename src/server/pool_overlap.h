#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/ip_address.h"
#include "os/taken_networks.h"

namespace qdt::server {

/// A network of the server's host that the pool would take addresses from, or that would take them
/// from the pool: in words, with what to change. `key`: the pool's in the configuration.
/// `is_routed_here`: the pool's addresses are not translated, so that a wider route to other
/// networks, from which the pool was taken, is no overlap.
std::optional<std::string> find_pool_overlap(const std::string& key, const Prefix& pool,
                                             bool is_routed_here,
                                             std::span<const os::TakenNetwork> networks);

}  // namespace qdt::server
