#include "os/linux/kill_switch.h"

#include <optional>

#include "os/clock.h"
#include "os/host_network.h"
#include "os/linux/desired_state.h"
#include "os/linux/nft_ruleset.h"
#include "os/linux/nftables.h"
#include "os/linux/undo_journal.h"

namespace qdt::os {
namespace {

constexpr std::string_view kJournalEnding = "+kill";

/// Between two lines that say that it is up again.
constexpr Duration kRepeatedTelling = 30s;

// Only what stays in the link passes unasked: DHCPv4 to a server of the link or behind its relay,
// DHCPv6 and neighbour discovery between link-local addresses, MLD, without which a snooping switch
// forwards no solicitations. Else what comes in answers what went out (conntrack knows ICMP errors,
// too). Going out, only the destination counts: our own address is one of the LAN's.
constexpr std::string_view kRuleset = R"(
add table inet $table
delete table inet $table
table inet $table {
  chain to_outside {
    $to_outside
  }
  chain from_outside {
    $from_outside
  }
  chain link {
    $link
  }
  chain output {
    type filter hook output priority filter; policy drop;
    oifname { "lo", $tun } accept
    meta mark $mark accept
    udp sport 68 udp dport 67 ip daddr { 255.255.255.255, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, 169.254.0.0/16 } accept
    udp sport 546 udp dport 547 ip6 saddr fe80::/10 ip6 daddr { fe80::/10, ff02::1:2, ff05::1:3 } accept
    jump link
    jump to_outside
    counter
  }
  chain input {
    type filter hook input priority filter; policy drop;
    iifname { "lo", $tun } accept
    ct state established,related accept
    udp sport 67 udp dport 68 accept
    udp sport 547 udp dport 546 ip6 saddr fe80::/10 accept
    jump link
    jump from_outside
    counter
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    oifname $tun accept
    iifname $tun ct state established,related accept
    jump to_outside
    counter
  }
}
)";

constexpr std::string_view kLan4 = "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, ";
constexpr std::string_view kLan6 = "fe80::/10, fc00::/7, ";

// Rules that let pass what has its `side`, saddr or daddr, in what Options name.
std::string passing(const KillSwitch::Options& options, const std::string& side) {
  std::string rules;
  const auto add = [&](std::string_view protocol, std::string_view set) {
    rules.append(protocol).append(side).append(" { ").append(set).append(" } accept\n    ");
  };
  if (options.allows_lan) {
    add("ip ", std::string(kLan4) + lan_multicast4());
    add("ip6 ", std::string(kLan6) + lan_multicast6());
  }
  for (const Prefix& prefix : options.outside) {
    add(prefix.address().is_v4() ? "ip " : "ip6 ", prefix.to_string());
  }
  return rules;
}

class LinuxKillSwitch final : public KillSwitch {
 public:
  LinuxKillSwitch(const Options& options, UndoJournal journal, Logger& logger)
      : table_(kill_switch_table(options.tun_name)),
        ruleset_(kill_switch_ruleset(options)),
        journal_(std::move(journal)),
        logger_(logger) {}

  Result<void> raise();
  void keep(Upkeep& upkeep) override;
  bool outlives_process() const override { return true; }
  void lower() override { journal_.undo_down_to(0, undo, logger_); }

 private:
  std::string table_;
  std::string ruleset_;
  UndoJournal journal_;
  Logger& logger_;
  std::optional<KeptTable> kept_;  // since raise()
  Timestamp next_telling_{};
};

Result<void> LinuxKillSwitch::raise() {
  const DeleteNftTable step{table_};
  const bool was_left = journal_.contains(step);
  if (!was_left) {
    journal_.add(step);
  }
  if (const auto raised = run_nft(ruleset_); !raised) {
    if (!was_left) journal_.forget_newest();
    return fail("raise the kill switch: " + raised.error().message);
  }
  kept_.emplace(table_, [this] { return run_nft(ruleset_); });
  logger_.info(std::string("the kill switch is up") + (was_left ? ", as it was left" : "") +
               " (nftables table inet " + table_ + ")");
  return {};
}

// A program that changes it again and again fills no log.
void LinuxKillSwitch::keep(Upkeep& upkeep) {
  const auto kept = kept_->keep();
  if (!kept) return upkeep.add_fault("raise the kill switch again: " + kept.error().message);
  if (*kept == Change::kNotNeeded) return;
  upkeep.count(HostPart::kTable);
  const Timestamp now = os::now();
  if (now < next_telling_) return;
  next_telling_ = now + kRepeatedTelling;
  logger_.warning("somebody deleted or changed the kill switch's table; it is up again");
}

}  // namespace

std::string kill_switch_journal(const std::string& tun_name) {
  return tun_name + std::string(kJournalEnding);
}

bool is_kill_switch_journal(std::string_view name) {
  return name.ends_with(kJournalEnding);
}

std::string kill_switch_table(std::string_view tun_name) {
  return nat_table_name(tun_name) + "/kill";
}

std::string kill_switch_ruleset(const KillSwitch::Options& options) {
  return filled(kRuleset, {{"$table", kill_switch_table(options.tun_name)},
                           {"$tun", '"' + options.tun_name + '"'},
                           {"$mark", std::to_string(kTunnelMark)},
                           {"$link", link_rules()},
                           {"$to_outside", passing(options, "daddr")},
                           {"$from_outside", passing(options, "saddr")}});
}

Result<std::unique_ptr<KillSwitch>> KillSwitch::raise(const Options& options, Logger& logger) {
  const auto lock = lock_journals(kJournalDirectory);
  if (!lock) return fail(lock);
  auto journal = open_journal(kJournalDirectory, kill_switch_journal(options.tun_name), logger);
  if (!journal) return fail(journal);
  auto raised = std::make_unique<LinuxKillSwitch>(options, std::move(*journal), logger);
  if (auto ok = raised->raise(); !ok) return fail(ok);
  return raised;
}

}  // namespace qdt::os
