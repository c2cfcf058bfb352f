// The entry points for programs: the network of this host, its kill switch, and the cleaning up.

#include "os/host_network.h"

#include <algorithm>
#include <string_view>

#include "os/windows/journal_folder.h"
#include "os/windows/kill_switch.h"
#include "os/windows/run_folder.h"
#include "os/windows/windows_host_network.h"
#include "os/windows/windows_network.h"

namespace qdt::os {
namespace {

// It names an adapter, a file and a key of the registry.
Result<void> check_adapter_name(std::string_view name) {
  constexpr std::size_t kMaxBytes = 64;
  const bool is_good = !name.empty() && name.size() <= kMaxBytes && !name.ends_with('.') &&
                       !name.ends_with(' ') && !name.starts_with(' ') &&
                       std::ranges::none_of(name, [](char letter) {
                         return static_cast<unsigned char>(letter) < ' ' ||
                                std::string_view("\\/:*?\"<>|").contains(letter);
                       });
  if (is_good) return {};
  return fail("tun_name \"" + std::string(name) +
              "\" cannot name a network adapter: 1 to 64 bytes, none of \\ / : * ? \" < > |");
}

std::vector<std::string> undo_leftovers(const std::string& folder, const std::string& tun_name,
                                        NetworkCalls& calls, Logger& logger) {
  auto journal = open_journal(folder, tun_name, logger);
  if (!journal) {
    logger.info("left alone: " + journal.error().message);
    return {};
  }
  return journal->undo_down_to(0, [&](const UndoStep& step) { return undo(step, calls); }, logger);
}

}  // namespace

bool can_use_ipv6() {
  const auto addresses = windows_network()->addresses();
  // Every host with IPv6 has ::1; one where it is switched off (DisabledComponents) has not.
  return addresses && std::ranges::any_of(*addresses, [](const OwnAddress& address) {
           return address.address.is_v6();
         });
}

Result<std::unique_ptr<HostNetwork>> open_host_network(const std::string& tun_name, Logger& logger,
                                                       LeftoverNat) {
  if (const auto is_name = check_adapter_name(tun_name); !is_name) return fail(is_name);
  auto calls = windows_network();
  if (const auto may = calls->check_rights(); !may) return fail(may);
  const auto folder = run_folder();
  if (!folder) return fail(folder);
  auto journal = open_journal(*folder, tun_name, logger);
  if (!journal) return fail(journal);
  journal->undo_down_to(0, [&](const UndoStep& step) { return undo(step, *calls); }, logger);
  for (const std::string& other : find_journals(*folder)) {
    if (other != tun_name) undo_leftovers(*folder, other, *calls, logger);
  }
  return std::make_unique<WindowsHostNetwork>(tun_name, std::move(*journal), std::move(calls),
                                              logger);
}

Result<std::vector<std::string>> clean_up_host_network(const std::string& tun_name,
                                                       Logger& logger) {
  const auto calls = windows_network();
  if (const auto may = calls->check_rights(); !may) return fail(may);
  const auto folder = run_folder();
  if (!folder) return fail(folder);
  std::vector<std::string> done;
  for (const std::string& name : find_journals(*folder)) {
    if (!tun_name.empty() && name != tun_name) continue;
    std::ranges::move(undo_leftovers(*folder, name, *calls, logger), std::back_inserter(done));
  }
  return done;
}

Result<std::unique_ptr<KillSwitch>> KillSwitch::raise(const Options& options, Logger& logger) {
  auto raised = std::make_unique<WindowsKillSwitch>(options, windows_network(), logger);
  if (auto ok = raised->raise(); !ok) return fail(ok);
  return raised;
}

}  // namespace qdt::os
