#include "os/linux/leftovers.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "os/control_socket.h"
#include "os/host_network.h"
#include "os/linux/kill_switch.h"
#include "os/linux/undo_journal.h"
#include "os/stream_socket.h"

namespace qdt::os {
namespace {

// A host that was put back has no crashed program any more.
void delete_dead_sockets(const std::string& tun_name) {
  for (const auto role : {HostPlan::Role::kClient, HostPlan::Role::kServer}) {
    for (const FoundSocket& found : find_control_sockets(role)) {
      if (!tun_name.empty() && found.tun_name != tun_name) continue;
      const auto alive = StreamConnection::connect_local(found.path);
      if (!alive && alive.error().code == ErrorCode::kUnavailable) ::unlink(found.path.c_str());
    }
  }
}

}  // namespace

std::vector<std::string> undo_leftovers(const std::vector<std::string>& journals, Logger& logger) {
  std::vector<std::string> done;
  for (const std::string& name : journals) {
    auto journal = open_journal(kJournalDirectory, name, logger);
    if (!journal) {
      logger.info("left alone: " + journal.error().message);
      continue;
    }
    std::ranges::move(journal->undo_down_to(0, undo, logger), std::back_inserter(done));
  }
  return done;
}

void log_kill_switches(const std::vector<std::string>& journals, Logger& logger) {
  for (const std::string& name : journals) {
    if (!is_kill_switch_journal(name)) continue;
    const auto journal = open_journal(kJournalDirectory, name, logger);
    if (!journal || journal->steps().empty()) continue;  // a living client's
    logger.warning(
        "the kill switch of a client that did not end in an orderly way is up, and lets nothing "
        "out but that client's tunnel; a start of that client takes it over, --cleanup lets go of "
        "it");
  }
}

Result<std::vector<std::string>> clean_up_host_network(const std::string& tun_name,
                                                       Logger& logger) {
  const auto lock = lock_journals(kJournalDirectory);
  if (!lock) return fail(lock);
  auto tun_names = find_journals(kJournalDirectory);
  if (!tun_name.empty()) {
    std::erase_if(tun_names, [&](const std::string& name) {
      return name != tun_name && name != kill_switch_journal(tun_name);
    });
  }
  auto done = undo_leftovers(tun_names, logger);
  delete_dead_sockets(tun_name);  // a program that was just being killed is dead by now
  return done;
}

}  // namespace qdt::os
