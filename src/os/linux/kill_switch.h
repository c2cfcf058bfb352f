#pragma once

#include <string>
#include <string_view>

#include "os/kill_switch.h"

namespace qdt::os {

/// The name of its undo journal, beside the device's own: no device has a plus in its name.
std::string kill_switch_journal(const std::string& tun_name);
bool is_kill_switch_journal(std::string_view name);

/// Its nftables table for this device, and what makes that, in nft(8)'s language.
std::string kill_switch_table(std::string_view tun_name);
std::string kill_switch_ruleset(const KillSwitch::Options& options);

}  // namespace qdt::os
