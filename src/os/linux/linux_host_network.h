#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/lasting_fault.h"
#include "base/time.h"
#include "os/host_network.h"
#include "os/linux/access_ruleset.h"
#include "os/linux/dns.h"
#include "os/linux/forwarding.h"
#include "os/linux/held_table.h"
#include "os/linux/host_keeper.h"
#include "os/linux/netlink.h"
#include "os/linux/nft_ruleset.h"
#include "os/linux/transaction.h"
#include "os/linux/tunnel_policy.h"
#include "os/linux/undo_journal.h"

namespace qdt::os {

/// Undoes what is in the journal but for the address translation of `tun_name`.
void undo_all_but_nat(UndoJournal& journal, const std::string& tun_name, Logger& logger);

/// HostNetwork by netlink and nftables. What a server needs is in host_network_forwarding.cc, the
/// looking after it in host_network_keep.cc.
class LinuxHostNetwork final : public HostNetwork {
 public:
  LinuxHostNetwork(std::string tun_name, UndoJournal journal, Netlink netlink, Logger& logger)
      : tun_name_(std::move(tun_name)),
        journal_(std::move(journal)),
        netlink_(std::move(netlink)),
        logger_(logger) {}
  // The tables come last, and go with their members: nothing leaks while the rest is undone.
  ~LinuxHostNetwork() override {
    for (const ForwardingClaim& claim : claims_) note_wishes(claim);
    dns_.prepare_to_end(link_index_);
    claims_.clear();  // forwarding is put back by whoever is the last to have one
    if (leaves_nat_) {
      undo_all_but_nat(journal_, tun_name_, logger_);
    } else {
      journal_.undo_down_to(0, undo, logger_);
    }
  }

  Result<void> configure_tun(std::span<const TunAddress> addresses, std::size_t mtu) override;
  Result<void> set_tun_mtu(std::size_t mtu) override;
  Result<void> limit_clients(const ClientAccess& access) override;
  Result<void> enable_forwarding() override;
  Result<void> enable_ipv6_forwarding() override;
  Result<void> install_nat(const NatOptions& options) override;
  void leave_nat() override { leaves_nat_ = true; }
  std::vector<std::string> forwarding_obstacles() override;
  Result<void> route_everything_through_tunnel() override;
  void leave_outside(const Outside& outside) override { outside_ = outside; }
  std::vector<std::string> ignored_routes() const override { return policy_.ignored_routes(); }
  Result<void> route_only(std::span<const Prefix> destinations) override;
  Result<void> use_dns(const NameServerWish& wish) override;
  Upkeep keep() override;
  Result<void> adopt_device() override;
  std::vector<NameServer> name_servers_outside() override;

 private:
  /// An interface that did not forward although the host did, before us.
  struct Unforwarded {
    bool is_v6;
    std::string setting;
  };

  /// Whether the device is there, under its name.
  bool keep_device(Upkeep& upkeep);
  TunnelPolicy::Device device(int link_index) const;
  Result<Change> set_sysctl(Transaction& transaction, const std::string& name,
                            const std::string& value);
  void try_sysctl(Transaction& transaction, const std::string& name, const std::string& value);
  Result<void> bring_up(Transaction& transaction, const Link& link, std::size_t mtu);
  Result<void> allow_ipv6(Transaction& transaction);
  Result<void> enable_forwarding(bool is_v6);
  Result<void> install_forward_rules();
  void want_interfaces_as_they_are(Transaction& transaction, bool is_v6);
  void keep_settings(Upkeep& upkeep);
  /// Tells when nat.external_iface goes and comes.
  void look_at_external_interface();
  /// Looks again where rules have changed since forwarding_obstacles().
  void tell_new_obstacles();
  bool carries_ipv6() const;
  void warn_of_lost_answers(const Error& error);
  void delete_older_addresses();

  Result<void> rename_back(Link link);
  void tell();

  std::string tun_name_;
  UndoJournal journal_;
  Netlink netlink_;
  HostKeeper keeper_{journal_, netlink_};
  Logger& logger_;
  int link_index_ = 0;  // of the device; 0: not known yet
  std::string told_;    // by tell()
  Timestamp next_telling_{};
  std::vector<InterfaceAddress> addresses_;  // since configure_tun()
  std::vector<ForwardingClaim> claims_;
  std::vector<ClosedHost> closed_;        // since enable_forwarding()
  std::vector<Unforwarded> unforwarded_;  // since enable_forwarding()
  bool leaves_nat_ = false;
  std::string external_interface_;  // since install_nat(); empty: any
  LastingFault external_interface_fault_;
  std::optional<std::vector<std::string>> told_obstacles_;  // since forwarding_obstacles()
  std::optional<std::uint32_t> seen_generation_;            // of nftables, then
  Timestamp next_look_{};
  Outside outside_;
  HeldTable access_{access_table_name(tun_name_)};
  TunnelPolicy policy_{tun_name_, journal_, netlink_, logger_};
  HostDns dns_{tun_name_, journal_, logger_};
};

}  // namespace qdt::os
