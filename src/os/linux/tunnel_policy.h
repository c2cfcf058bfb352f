#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/logger.h"
#include "base/result.h"
#include "os/host_network.h"
#include "os/linux/held_table.h"
#include "os/linux/local_networks.h"
#include "os/linux/netlink.h"
#include "os/linux/nft_ruleset.h"
#include "os/linux/transaction.h"

namespace qdt::os {

/// The traffic that a client's host may send around its tunnel, and take for the tunnel's: routes
/// in a table of their own and tables of nftables. Routes are undone by the journal; the tables,
/// which go with this object, are to come last.
class TunnelPolicy {
 public:
  /// The others outlive this one.
  TunnelPolicy(const std::string& tun_name, UndoJournal& journal, Netlink& netlink, Logger& logger);

  struct Device {
    int link_index = 0;
    std::vector<IpAddress> inner{};  ///< its addresses
    bool carries_ipv6() const;
  };
  /// Drops what comes for the device's addresses by another way.
  Result<void> protect(const Device& device, Transaction& transaction);
  /// Whether one of these two has been called.
  bool is_set() const { return guard_.is_set(); }
  /// Sends everything into the device but what is `outside`, and refuses what goes around it.
  Result<void> route_everything(const Device& device, const Outside& outside,
                                Transaction& transaction);
  /// After route_everything(), once its transaction is committed.
  void settle(const Device& device);
  /// Networks come and go, and with them what is local.
  void follow(const Device& device);

  const std::vector<std::string>& ignored_routes() const { return networks_.ignored; }

 private:
  ClientPolicy policy(const Device& device) const;
  Result<LocalNetworks> look_around(const Device& device) const;
  Result<void> set_guard(const Device& device, Transaction& transaction);
  void set_marks(const Device& device, Transaction& transaction);
  Result<void> set_everything(const Device& device, Transaction& transaction);
  Result<void> set_exceptions(const Device& device, Transaction& transaction);
  std::vector<Prefix> holes(const Device& device) const;
  void drop_older_exceptions(const Device& device);
  void tell();

  std::string tun_name_;
  UndoJournal& journal_;
  Netlink& netlink_;
  Logger& logger_;
  bool takes_everything_ = false;
  Outside outside_;
  LocalNetworks networks_;  // as of the last look
  LocalNetworks told_networks_;
  std::set<std::string> told_;  // of routes that are ignored
  HeldTable guard_;
  HeldTable marks_;
};

}  // namespace qdt::os
