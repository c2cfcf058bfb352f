#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/logger.h"
#include "base/result.h"
#include "os/upkeep.h"

namespace qdt::os {

/// Nothing leaves this host, is forwarded by it or reaches it but through the TUN device, for as
/// long as the switch is up. Passing it by are loopback, packets with kTunnelMark, what a link
/// needs (DHCP, neighbour discovery), and what Options name.
///
/// On Linux it outlives its process: destroying the object, or a crash, leaves it up, and so does
/// everything else that QDT's programs undo on this host. raise() takes over one that was left,
/// without a gap. Only lower() and clean_up_host_network() let go of it. On Windows it goes with
/// its process, however that ends. One thread.
class KillSwitch {
 public:
  struct Options {
    std::string tun_name;         ///< need not exist yet
    bool allows_lan = false;      ///< private, link-local and local multicast addresses pass
    std::vector<Prefix> outside;  ///< these pass
  };

  static Result<std::unique_ptr<KillSwitch>> raise(const Options& options, Logger& logger);
  virtual ~KillSwitch() = default;

  /// Raises it again where somebody has deleted it, as a restart of nftables.service does, and lets
  /// pass a TUN device that has come since: to be called once it is there. Adds to `upkeep` what
  /// was put back, or why it could not be.
  virtual void keep(Upkeep& upkeep) = 0;
  /// Whether it stays up when the object goes without lower().
  virtual bool outlives_process() const = 0;
  virtual void lower() = 0;
};

}  // namespace qdt::os
