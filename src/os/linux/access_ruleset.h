#pragma once

#include <string>
#include <string_view>

#include "os/host_network.h"

namespace qdt::os {

/// The server's table about what its clients reach, and who reaches them.
std::string access_table_name(std::string_view tun_name);

/// Whether there is anything for that table to refuse.
bool refuses_anything(const ClientAccess& access);

/// Makes the table `table` anew, with a line of its `flags` or none. Rules count for connections
/// from before it was there, too: an answer is what goes against the direction in which its
/// connection began, whenever that was. Where the host follows connections for nobody else
/// (`access.follows_connections`), neither does this table, since that costs every packet a tenth
/// of its speed: it notes itself what the host begins with its clients.
std::string access_ruleset(const std::string& table, const std::string& flags,
                           const std::string& tun_name, const ClientAccess& access);

}  // namespace qdt::os
