#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/logger.h"
#include "base/result.h"

namespace qdt::os {

/// Nothing leaves this host, is forwarded by it or reaches it but through the TUN device, for as
/// long as the switch is up. Passing it by are loopback, packets with kTunnelMark, what a link
/// needs (DHCP, neighbour discovery), and what Options name.
///
/// It outlives its process: destroying the object, or a crash, leaves it up, and so does everything
/// else that QDT's programs undo on this host. raise() takes over one that was left, without a gap.
/// Only lower() and clean_up_host_network() let go of it. One thread.
class KillSwitch {
 public:
  struct Options {
    std::string tun_name;           ///< need not exist yet
    bool allows_lan = false;        ///< private, link-local and local multicast addresses pass
    std::vector<Prefix> outside{};  ///< these pass
  };

  static Result<std::unique_ptr<KillSwitch>> raise(const Options& options, Logger& logger);
  virtual ~KillSwitch() = default;

  /// Raises it again where somebody has deleted it, as a restart of nftables.service does.
  virtual void keep() = 0;
  virtual void lower() = 0;
};

}  // namespace qdt::os
