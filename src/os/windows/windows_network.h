#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/windows/network_calls.h"

namespace qdt::os {

/// The network of this host.
std::unique_ptr<NetworkCalls> windows_network();

// Its parts that are not the IP Helper API's; contracts as in NetworkCalls.

Result<std::vector<InterfaceDns>> read_dns();
Result<void> write_dns(InterfaceId link, IpFamily family, std::span<const IpAddress> servers);
Result<std::vector<ResolutionPolicy>> read_resolution_policies();
Result<void> write_resolution_policy(const ResolutionPolicy& policy);
Result<void> delete_resolution_policy(const std::string& key);
/// A dynamic session of the Windows Filtering Platform.
Result<std::unique_ptr<FilterSession>> open_filter_session(const std::string& name);

}  // namespace qdt::os
