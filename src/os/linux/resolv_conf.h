#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/name_server.h"
#include "base/result.h"

namespace qdt::os {

/// The file that tells programs their name servers (resolv.conf(5)).
inline constexpr const char* kResolvConf = "/etc/resolv.conf";

/// `servers` as resolv.conf has them, with a comment that says who wrote it and for how long.
std::string resolv_conf_text(const std::string& tun_name, std::span<const NameServer> servers);

/// The addresses behind `nameserver`; what is none is passed over.
std::vector<NameServer> name_servers_in(std::string_view text);

/// Nothing when there is no such file.
Result<std::optional<std::string>> read_resolv_conf();
/// Overwrites the file in place, for it may be a bind mount, which cannot be renamed over; its
/// owner and mode stay. Creates it when it is missing.
Result<void> write_resolv_conf(const std::string& content);
Result<void> remove_resolv_conf();

}  // namespace qdt::os
