#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qdt::os {

// Reads what nftables says of other people's tables (libnftables-json(5)). A packet that we accept
// is still dropped if another table's chain at the same hook drops it.

struct NftTable {
  std::string family;
  std::string name;
  bool operator==(const NftTable&) const = default;
};

/// From `list chains`: the tables that filter forwarded IPv4 packets, or IPv6 ones where the tunnel
/// carries them, `our_table` left out.
std::vector<NftTable> forward_filters(std::string_view chains_json, std::string_view our_table,
                                      bool carries_ipv6 = false);

/// From `list table` of one of these: how it stops forwarded packets, a line for each chain, with
/// the remedy. None for a table that names the device in a rule: somebody has thought of it.
std::vector<std::string> obstacles_in(std::string_view table_json, std::string_view tun_name);

}  // namespace qdt::os
