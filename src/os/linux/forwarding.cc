#include "os/linux/forwarding.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <string_view>
#include <vector>

#include "os/file.h"
#include "os/linux/forwarding_interest.h"
#include "os/linux/nftables.h"
#include "os/linux/sysctl.h"
#include "os/linux/system_error.h"
#include "os/linux/undo_journal.h"
#include "os/run_file.h"

namespace qdt::os {
namespace {

std::string family_of(bool is_v6) {
  return is_v6 ? "ipv6" : "ipv4";
}

std::string words_of(bool is_v6) {
  return is_v6 ? "IPv6 forwarding" : "IPv4 forwarding";
}

std::string setting_of(bool is_v6, const std::string& interface, const std::string& name) {
  return "net/" + family_of(is_v6) + "/conf/" + interface + "/" + name;
}

bool is_one(const std::string& setting) {
  return read_sysctl(setting).value_or("") == "1";
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

// The note that all servers of this network share, locked by each for as long as it runs.
Result<std::string> path_of_note(bool is_v6) {
  return run_file_path(family_of(is_v6) + "_forwarding", "shared");
}

bool lock(const UniqueFd& file, int how) {
  while (::flock(file.get(), how) < 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

// The second line of a note.
constexpr std::string_view kWanted = "wanted\n";

// Whether there was any write that has not been read of.
bool drain(const UniqueFd& writes) {
  std::array<char, 4096> events{};
  bool has_events = false;
  while (writes.is_open() && ::read(writes.get(), events.data(), events.size()) > 0) {
    has_events = true;
  }
  return has_events;
}

bool was_removed(const UniqueFd& file) {
  struct stat status{};
  return ::fstat(file.get(), &status) == 0 && status.st_nlink == 0;
}

Result<std::vector<ForeignTable>> foreign_tables() {
  const auto chains = list_nft("list chains");
  if (!chains) return fail(chains);
  std::vector<ForeignTable> tables;
  for (const NftTable& table : find_foreign_tables(*chains)) {
    const auto rules = list_nft("list table " + table.family + " " + table.name);
    if (rules) tables.push_back(read_foreign_table(table, *rules));  // else it went meanwhile
  }
  // iptables-legacy's tables are none of nftables'.
  for (const char* names : {"/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"}) {
    const std::string loaded = read_file(names).value_or("");
    if (loaded.contains("nat\n")) {
      tables.push_back({.table = {"iptables-legacy", "nat"}, .digest = "loaded"});
    }
  }
  return tables;
}

RestoreForwarding look(bool is_v6, const std::string& tun_name) {
  RestoreForwarding before{.is_v6 = is_v6};
  for (const std::string& interface : configured_interfaces(family_of(is_v6))) {
    if (is_v6 && is_one(setting_of(is_v6, interface, "accept_ra"))) {
      before.takes_advertisements.push_back(interface);
    }
    if (interface == "all") continue;
    if (is_one(setting_of(is_v6, interface, "forwarding"))) {
      before.forwarding.push_back(interface);
    } else if (interface != "default" && interface != "lo" && interface != tun_name) {
      before.closed.push_back(interface);
    }
  }
  for (const ForeignTable& table : foreign_tables().value_or(std::vector<ForeignTable>())) {
    before.rules.push_back(note_of(table));
  }
  return before;
}

// Without room there is no note: this server alone knows how forwarding was.
Result<void> write_note(const UniqueFd& file, const RestoreForwarding& before) {
  const std::string line = to_json(UndoStep(before)) + "\n";
  if (::ftruncate(file.get(), 0) < 0) return os_error("note how forwarding was");
  const ssize_t written = ::pwrite(file.get(), line.data(), line.size(), 0);
  if (written == static_cast<ssize_t>(line.size())) return {};
  if (written < 0 && !is_for_want_of_room(errno)) return os_error("note how forwarding was");
  [[maybe_unused]] const auto emptied = ::ftruncate(file.get(), 0);  // of half a line
  return {};
}

std::optional<RestoreForwarding> read_note(const std::string& path) {
  std::string line = read_file(path).value_or("");
  line = line.substr(0, line.find('\n'));
  const auto step = parse_undo_step(line);
  const auto* before = step ? std::get_if<RestoreForwarding>(&*step) : nullptr;
  return before != nullptr ? std::optional(*before) : std::nullopt;
}

// As sysctl --system reads them: of two files of one name the first folder's, all by their names.
std::vector<std::string> sysctl_files() {
  std::map<std::string, std::string> by_name;
  for (const char* folder : {"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d",
                             "/usr/lib/sysctl.d", "/lib/sysctl.d"}) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(".conf")) by_name.emplace(name, entry.path().string());
    }
  }
  std::vector<std::string> contents;
  for (const auto& [name, path] : by_name) contents.push_back(read_file(path).value_or(""));
  contents.push_back(read_file("/etc/sysctl.conf").value_or(""));
  return contents;
}

bool is_set_by_files(bool is_v6) {
  constexpr std::array<std::string_view, 2> kV4 = {"net.ipv4.ip_forward",
                                                   "net.ipv4.conf.all.forwarding"};
  constexpr std::array<std::string_view, 1> kV6 = {"net.ipv6.conf.all.forwarding"};
  const std::vector<std::string> files = sysctl_files();
  return is_v6 ? is_switched_on(files, kV6) : is_switched_on(files, kV4);
}

// A device that was not there before, and is no device of QDT's.
std::string new_device(const RestoreForwarding& before) {
  const std::vector<std::string> ours = find_journals(kJournalDirectory);
  for (const std::string& name : configured_interfaces(family_of(before.is_v6))) {
    const bool is_no_device = name == "all" || name == "default" || name == "lo";
    if (is_no_device || contains(ours, name)) continue;
    if (!contains(before.forwarding, name) && !contains(before.closed, name)) return name;
  }
  return {};
}

// The program that also seems to want forwarding; empty: none.
std::string others_interest(const RestoreForwarding& before) {
  if (is_set_by_files(before.is_v6)) return "this host's sysctl files switch it on";
  const auto tables = foreign_tables();
  if (!tables) return "other firewall rules cannot be read (" + tables.error().message + ")";
  if (const std::string table = find_interest(*tables, before.rules); !table.empty()) {
    return table + " has rules about forwarded packets";
  }
  if (const std::string device = new_device(before); !device.empty()) {
    return "the device " + device + " has come since, and may need it";
  }
  return {};
}

// As the undo journal does, a server goes on where /run has no room or is read-only.
Result<ForwardingClaim> claim_without_note(bool is_v6, const std::string& tun_name,
                                           const std::string& path) {
  const bool is_folder_missing = errno == ENOENT;
  if (!is_folder_missing && !is_for_want_of_room(errno)) return os_error("open " + path);
  if (is_one(forwarding_sysctl(is_v6))) return ForwardingClaim{};
  return ForwardingClaim{.lock = {}, .writes = {}, .before = look(is_v6, tun_name)};
}

}  // namespace

std::string forwarding_sysctl(bool is_v6) {
  return is_v6 ? "net/ipv6/conf/all/forwarding" : "net/ipv4/ip_forward";
}

Result<ForwardingClaim> claim_forwarding(bool is_v6, const std::string& tun_name) {
  const auto path = path_of_note(is_v6);
  if (!path) return fail(path);
  for (;;) {
    UniqueFd file(::open(path->c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.is_open()) return claim_without_note(is_v6, tun_name, *path);
    const bool is_alone = lock(file, LOCK_EX | LOCK_NB);
    if (!is_alone && !lock(file, LOCK_SH)) return os_error("lock " + *path);
    if (was_removed(file)) continue;  // by the last server, between our calls
    if (!is_alone)
      return ForwardingClaim{.lock = std::move(file), .writes = {}, .before = read_note(*path)};

    if (is_one(forwarding_sysctl(is_v6))) {
      ::unlink(path->c_str());
      return ForwardingClaim{};
    }
    RestoreForwarding before = look(is_v6, tun_name);
    if (const auto noted = write_note(file, before); !noted) return fail(noted);
    if (!lock(file, LOCK_SH)) return os_error("lock " + *path);
    return ForwardingClaim{.lock = std::move(file), .writes = {}, .before = std::move(before)};
  }
}

void give_up(ForwardingClaim claim) {
  const auto path = claim.before ? path_of_note(claim.before->is_v6) : fail("no claim");
  if (path && lock(claim.lock, LOCK_EX | LOCK_NB)) ::unlink(path->c_str());
}

Result<void> switch_forwarding_on(const RestoreForwarding& before) {
  for (const std::string& interface : before.takes_advertisements) {
    const std::string name = setting_of(before.is_v6, interface, "accept_ra");
    if (!is_one(name)) continue;
    if (auto kept = write_sysctl(name, "2"); !kept) return kept;
  }
  const std::string setting = forwarding_sysctl(before.is_v6);
  return is_one(setting) ? Result<void>() : write_sysctl(setting, "1");
}

// The kernel tells of writes through /proc like of those to any file, in this network alone.
void watch_writes(ForwardingClaim& claim) {
  UniqueFd writes(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  const std::string path = "/proc/sys/" + forwarding_sysctl(claim.before->is_v6);
  if (!writes.is_open() || ::inotify_add_watch(writes.get(), path.c_str(), IN_MODIFY) < 0) return;
  claim.writes = std::move(writes);
}

void note_wishes(const ForwardingClaim& claim) {
  if (!drain(claim.writes) || !is_one(forwarding_sysctl(claim.before->is_v6))) return;
  ::lseek(claim.lock.get(), 0, SEEK_END);
  // Nothing to be done about a full disk: then nobody knows of it.
  [[maybe_unused]] const auto written = ::write(claim.lock.get(), kWanted.data(), kWanted.size());
}

void forget_writes(const ForwardingClaim& claim) {
  drain(claim.writes);
}

Result<std::string> put_back_forwarding(const RestoreForwarding& before) {
  const std::string words = words_of(before.is_v6);
  const auto path = path_of_note(before.is_v6);
  if (!path) return fail(path);
  const UniqueFd file(::open(path->c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (file.is_open() && !lock(file, LOCK_EX | LOCK_NB)) {
    return words + " is left on for another QDT server on this host";
  }
  const std::string setting = forwarding_sysctl(before.is_v6);
  const bool is_on = is_one(setting);
  const bool is_wanted = file.is_open() && read_file(*path).value_or("").contains(kWanted);
  std::string interest = is_on ? others_interest(before) : std::string();
  if (is_on && is_wanted) interest = "somebody has set it since";
  std::string done;
  if (!interest.empty()) {
    std::string command = setting;
    std::ranges::replace(command, '/', '.');
    done = words + " is left on: " + interest + "; to switch it off: sysctl -w " + command + "=0";
  } else {
    if (is_on) {
      if (const auto off = write_sysctl(setting, "0"); !off) return fail(off);
      done = "sysctl " + setting + " put back to 0";
      // That has switched it off for every interface, also for those that had it alone.
      for (const std::string& interface : before.forwarding) {
        const std::string name = setting_of(before.is_v6, interface, "forwarding");
        if (has_sysctl(name)) (void)write_sysctl(name, "1");
      }
    }
    for (const std::string& interface : before.takes_advertisements) {
      const std::string name = setting_of(before.is_v6, interface, "accept_ra");
      if (read_sysctl(name).value_or("") == "2") (void)write_sysctl(name, "1");
    }
  }
  if (file.is_open()) ::unlink(path->c_str());
  return done;
}

}  // namespace qdt::os
