#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/logger.h"
#include "base/name_server.h"
#include "base/result.h"
#include "os/host_network.h"
#include "os/linux/transaction.h"

namespace qdt::os {

/// How name servers were set.
struct NameServers {
  NameServerWish wish;
  std::string way;  ///< in words
  bool by_resolved = false;
  /// What /etc/resolv.conf became; nothing: it is resolved's.
  std::optional<std::string> resolv_conf;
};

/// Makes the wish true in the first way that works here: by systemd-resolved,
/// by the resolvconf program, by writing /etc/resolv.conf; and reads back what was set.
/// `link_index` is the device through which the servers are reached.
Result<NameServers> set_name_servers(const NameServerWish& wish, int link_index,
                                     const std::string& tun_name, Transaction& transaction,
                                     Logger& logger);

/// Whether nobody has changed them since. A resolved that is not running, as while it is restarted,
/// has changed nothing.
bool do_stand(const NameServers& set, int link_index);

/// Those that `resolv_conf` names; where that is resolved's stub, those that it asks itself, less
/// `ours`.
std::vector<NameServer> name_servers_behind(std::string_view resolv_conf,
                                            std::span<const NameServer> ours);

}  // namespace qdt::os
