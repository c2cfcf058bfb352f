#include "os/linux/dns.h"

#include <algorithm>
#include <utility>

#include "os/clock.h"
#include "os/file.h"
#include "os/linux/resolv_conf.h"
#include "os/linux/resolvconf_program.h"
#include "os/linux/resolved.h"

namespace qdt::os {
namespace {

/// keep() is called every two seconds.
constexpr unsigned kLooksBetweenTries = 30;
constexpr unsigned kLooksForResolved = 5;
constexpr std::size_t kMaxSetAgain = 4;
constexpr Duration kRecordingPeriod = 10s;
constexpr auto kContestPeriod = std::chrono::minutes(1);

std::string names_of(std::span<const NameServer> servers) {
  std::string names;
  for (const NameServer& server : servers)
    names += (names.empty() ? "" : ", ") + server.to_string();
  return names;
}

std::string content_of_resolv_conf() {
  const auto file = look_at_resolv_conf();
  return file && file->content ? *file->content : "";
}

}  // namespace

Result<void> HostDns::use(const NameServerWish& wish, int link_index) {
  const bool is_new = wish != wish_;
  wish_ = wish;
  if (wish_.servers.empty()) {
    withdraw();
    return {};
  }
  is_resolved_refused_ = false;
  if (auto ok = set(link_index); !ok) {
    if (is_new) withdraw();  // those of an earlier wish
    return ok;
  }
  std::string asked_for;
  for (const std::string& domain : wish_.domains) {
    asked_for += (asked_for.empty() ? ", for names of " : ", ") + domain;
  }
  const bool is_for_all = !in_force_->by_resolved || wish_.domains.empty();
  logger_.info("name servers set to " + names_of(wish_.servers) + " " + in_force_->way +
               (is_for_all ? "" : asked_for));
  return {};
}

void HostDns::withdraw() {
  undo_other_ways({});
  in_force_.reset();
}

bool HostDns::set_by_resolved(InForce& done, int link_index, Transaction& transaction) {
  if (is_resolved_refused_) return false;
  const auto reach = find_resolved(link_index);
  if (!reach) {
    logger_.debug("systemd-resolved is not used: " + reach.error().message);
    return false;
  }
  const auto set = transaction.change(RevertResolved{link_index},
                                      [&] { return set_resolved_dns(link_index, wish_); });
  if (!set) {
    logger_.warning("systemd-resolved is not used: " + set.error().message);
    is_resolved_refused_ = true;
    return false;
  }
  done.by_resolved = true;
  done.resolved_link = link_index;
  done.way = "by systemd-resolved";
  return *reach == ResolvedReach::kAllPrograms;
}

bool HostDns::set_by_resolvconf(InForce& done, Transaction& transaction) {
  if (!is_resolvconf_installed()) return false;
  const std::string record = resolvconf_record(tun_name_);
  const auto users = users_resolv_conf();
  const std::string text = resolv_conf_text(tun_name_, wish_.servers, users.value_or(""));
  const auto set = transaction.change(DeleteResolvconfRecord{record},
                                      [&] { return add_resolvconf_record(record, text); });
  if (!set) {
    logger_.warning("resolvconf is not used: " + set.error().message);
    return false;
  }
  done.by_resolvconf = true;
  done.way += (done.way.empty() ? "" : " and ") + std::string("by resolvconf");
  return true;
}

// The record of layers is what lets clients share the file. Without room for it, this client undoes
// what it alone has done.
Result<void> HostDns::set_file(InForce& done, Transaction& transaction) {
  const auto owner = journal_name(tun_name_);
  if (!owner) return fail(owner);
  const ResolvConfLayer layer{.owner = *owner, .tun_name = tun_name_, .servers = wish_.servers};
  const auto known = in_force_ ? in_force_->file : std::nullopt;
  ResolvConfLayerState state;
  const auto put = transaction.change(RemoveResolvConfLayer{*owner}, [&]() -> Result<Change> {
    auto now = put_resolv_conf_layer(layer, known && known->is_recorded ? known : std::nullopt);
    if (!now) return fail(now);
    state = std::move(*now);
    return state.is_recorded ? Change::kMade : Change::kNotNeeded;
  });
  if (!put) return fail(put);
  if (!state.is_recorded) {
    journal_.forget(RemoveResolvConfLayer{*owner});
    const auto file = look_at_resolv_conf();
    if (!file) return fail(file);
    const bool is_mine = known && file->content == known->text;
    const auto users = is_mine ? known->users : state.users;
    const std::string text = resolv_conf_text(tun_name_, wish_.servers, users.value_or(""));
    if (known) journal_.forget(RestoreResolvConf{.was = known->users, .wrote = known->text});
    const auto written = transaction.change(RestoreResolvConf{.was = users, .wrote = text},
                                            [&] { return write_resolv_conf(*file, text); });
    if (!written) return fail(written);
    state = {.is_recorded = false, .text = text, .users = users, .on_top = tun_name_};
  }
  if (state.is_original_lost) {
    logger_.warning(
        "/etc/resolv.conf was written by a client whose record is lost, as after a crash of this "
        "host: in the end it will have no name servers, until the network's are set again");
  }
  done.way += (done.way.empty() ? "" : " and ") + std::string("in /etc/resolv.conf");
  if (state.on_top != tun_name_) done.way += ", below those of " + state.on_top;
  done.file = std::move(state);
  return {};
}

Result<void> HostDns::set(int link_index) {
  InForce done;
  Transaction transaction(journal_, logger_);
  const bool reaches_all = set_by_resolved(done, link_index, transaction);
  const bool is_for_some = !wish_.domains.empty() && !wish_.may_take_all_names;
  if (!reaches_all && is_for_some && !done.by_resolved) {
    return fail(
        "ask name servers for some domains alone: this needs systemd-resolved, which does not run "
        "here");
  }
  if (!reaches_all && !is_for_some && !set_by_resolvconf(done, transaction)) {
    if (auto ok = set_file(done, transaction); !ok) return ok;
  }
  transaction.commit();
  undo_other_ways(done);
  in_force_ = std::move(done);
  silent_looks_ = 0;
  return {};
}

void HostDns::undo_other_ways(const InForce& done) {
  const std::vector<UndoStep> steps = journal_.steps();
  for (const UndoStep& step : steps) {
    const auto* resolved = std::get_if<RevertResolved>(&step);
    const bool is_old =
        (resolved && !(done.by_resolved && resolved->link_index == done.resolved_link)) ||
        (std::holds_alternative<DeleteResolvconfRecord>(step) && !done.by_resolvconf) ||
        (std::holds_alternative<RemoveResolvConfLayer>(step) &&
         !(done.file && done.file->is_recorded)) ||
        (std::holds_alternative<RestoreResolvConf>(step) && !done.file);
    if (is_old) journal_.undo_one(step, undo, logger_);
  }
}

bool HostDns::is_record_lost() const {
  if (!in_force_ || !in_force_->file || !in_force_->file->is_recorded) return false;
  const auto owner = journal_name(tun_name_);
  return owner && !is_resolv_conf_layer_recorded(*owner);
}

void HostDns::prepare_to_end(int link_index) {
  if (!is_record_lost()) return;
  const auto recorded = set(link_index);
  if (!recorded) logger_.warning(recorded.error().message);
}

HostDns::Standing HostDns::look_at_file() {
  if (in_force_->by_resolvconf) {
    const auto now = name_servers_in(content_of_resolv_conf());
    const bool has_ours = std::ranges::find(now, wish_.servers.front()) != now.end();
    return has_ours ? Standing::kStands : Standing::kChanged;
  }
  if (!in_force_->file) return Standing::kStands;
  const auto file = look_at_resolv_conf();
  file_fault_.look(file ? Result<void>() : fail(file),
                   "; the tunnel's name servers are not in force",
                   "/etc/resolv.conf can be read again", logger_);
  if (!file) return Standing::kStands;  // nothing that could be set again
  // A client that was killed takes nothing away itself.
  const bool is_on_top = in_force_->file->on_top == tun_name_;
  if (is_on_top && file->content == in_force_->file->text) {
    return is_record_lost() ? Standing::kLostRecord : Standing::kStands;
  }
  const bool is_a_clients = file->content && file->content->starts_with(kResolvConfMark);
  return is_a_clients ? Standing::kOtherClients : Standing::kChanged;
}

// A resolved that does not answer, as while it is restarted, has changed nothing; one that is gone
// for longer answers nobody.
HostDns::Standing HostDns::look_at_resolved(int link_index) {
  if (!in_force_->by_resolved) {
    const bool is_time = looks_ % kLooksForResolved == 0 && !is_resolved_refused_;
    return is_time && find_resolved(link_index) ? Standing::kChanged : Standing::kStands;
  }
  if (in_force_->resolved_link != link_index) return Standing::kChanged;
  const auto reach = find_resolved(link_index);
  if (!reach) {
    const bool is_gone = ++silent_looks_ >= kLooksForResolved && wish_.may_take_all_names;
    return is_gone && !in_force_->file ? Standing::kChanged : Standing::kStands;
  }
  silent_looks_ = 0;
  const bool has_file = in_force_->file || in_force_->by_resolvconf;
  const bool needs_file = wish_.domains.empty() || wish_.may_take_all_names;
  if (*reach == ResolvedReach::kSomePrograms && needs_file && !has_file) return Standing::kChanged;
  const auto read = read_resolved_dns(link_index);
  return !read || *read == wish_.servers ? Standing::kStands : Standing::kChanged;
}

HostDns::Standing HostDns::look(int link_index) {
  const Standing resolved = look_at_resolved(link_index);
  return resolved == Standing::kStands ? look_at_file() : resolved;
}

void HostDns::keep(int link_index) {
  if (wish_.servers.empty()) return;
  ++looks_;
  if (!in_force_) {
    if (looks_ % kLooksBetweenTries != 0 || !set(link_index)) return;
    return logger_.info("name servers set to " + names_of(wish_.servers) + " " + in_force_->way);
  }
  switch (look(link_index)) {
    case Standing::kStands: return;
    case Standing::kOtherClients: return follow_other_clients();
    case Standing::kChanged: return set_again(link_index);
    case Standing::kLostRecord: return record_again(link_index);
  }
}

// Another client has put its name servers above ours or taken them away; or somebody has edited
// them.
void HostDns::follow_other_clients() {
  const bool is_new = content_of_resolv_conf() != in_force_->file->text;
  if (is_new && !may_set_again()) return;
  const auto owner = journal_name(tun_name_);
  if (!owner) return;
  auto state = put_resolv_conf_layer(
      {.owner = *owner, .tun_name = tun_name_, .servers = wish_.servers}, in_force_->file);
  if (!state || !state->is_recorded) return;
  if (state->on_top != in_force_->file->on_top) {
    logger_.info("the name servers in /etc/resolv.conf are those of " + state->on_top);
  }
  if (state->was_changed && !is_contested_) {
    logger_.warning("somebody changed the name servers; set again " + in_force_->way);
  }
  in_force_->file = std::move(*state);
}

// Without a record nobody would put the user's file back; this client still knows it. Nobody fights
// for the record: that is no change of the name servers.
void HostDns::record_again(int link_index) {
  const Timestamp now = os::now();
  if (now < next_recording_) return;
  next_recording_ = now + kRecordingPeriod;
  const auto recorded = set(link_index);
  logger_.warning("somebody deleted the record of the user's name servers in " +
                  std::string(kJournalDirectory) +
                  (recorded ? "; it is made again" : ": " + recorded.error().message));
}

bool HostDns::may_set_again() {
  const Timestamp now = os::now();
  if (is_contested_) {
    if (now - set_again_.back() < kContestPeriod) return false;
    is_contested_ = now - set_again_.back() < 2 * kContestPeriod;
  }
  while (!set_again_.empty() && now - set_again_.front() > kContestPeriod) set_again_.pop_front();
  set_again_.push_back(now);
  if (set_again_.size() <= kMaxSetAgain) return true;
  is_contested_ = true;
  logger_.warning(
      "another program keeps changing this host's name servers: from now on they are set again "
      "once a minute. Stop that program, or leave it the name servers with dns: off");
  return true;
}

void HostDns::set_again(int link_index) {
  if (!may_set_again()) return;
  const bool had_none = !in_force_->by_resolved && !in_force_->file && !in_force_->by_resolvconf;
  const auto set_now = set(link_index);
  if (is_contested_ || had_none) return;
  logger_.warning(set_now ? "somebody changed the name servers; set again " + in_force_->way
                          : "cannot set the name servers again: " + set_now.error().message);
}

std::vector<NameServer> HostDns::outside() const {
  const bool is_theirs = in_force_ && in_force_->by_resolved && !in_force_->file;
  if (is_theirs) return name_servers_behind(content_of_resolv_conf(), wish_.servers);
  const bool is_memory = in_force_ && in_force_->file && !in_force_->file->is_recorded;
  const auto users = is_memory ? in_force_->file->users : users_resolv_conf();
  return name_servers_behind(users.value_or(""),
                             in_force_ ? std::span(wish_.servers) : std::span<const NameServer>());
}

std::vector<NameServer> name_servers_behind(std::string_view resolv_conf,
                                            std::span<const NameServer> ours) {
  constexpr std::uint32_t kStub = 0x7f000035;       // 127.0.0.53
  constexpr std::uint32_t kProxyStub = 0x7f000036;  // 127.0.0.54
  std::vector<NameServer> servers = name_servers_in(resolv_conf);
  const auto add_from = [&](const char* path) {
    for (const NameServer& server : name_servers_in(read_file(path).value_or(""))) {
      const bool is_known = std::ranges::find(servers, server) != servers.end();
      const bool is_ours = std::ranges::find(ours, server) != ours.end();
      if (!is_known && !is_ours) servers.push_back(server);
    }
  };
  const bool is_stub = std::ranges::any_of(servers, [](const NameServer& server) {
    return server.address == IpAddress::v4(kStub) || server.address == IpAddress::v4(kProxyStub);
  });
  const char* const uplinks = "/run/systemd/resolve/resolv.conf";
  if (is_stub && file_exists(uplinks)) {
    servers.clear();
    add_from(uplinks);
    return servers;
  }
  const bool is_local = std::ranges::any_of(
      servers, [](const NameServer& server) { return server.address.is_loopback(); });
  if (!is_local) return servers;
  // dnsmasq as NetworkManager and Debian's resolvconf run it.
  for (const char* path : {"/run/NetworkManager/no-stub-resolv.conf", "/run/dnsmasq/resolv.conf"}) {
    add_from(path);
  }
  return servers;
}

}  // namespace qdt::os
