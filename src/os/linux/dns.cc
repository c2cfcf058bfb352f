#include "os/linux/dns.h"

#include <algorithm>

#include "os/file.h"
#include "os/linux/resolv_conf.h"
#include "os/linux/resolvconf_program.h"
#include "os/linux/resolved.h"

namespace qdt::os {
namespace {

enum class Coverage { kNone, kSomePrograms, kAllPrograms };

Coverage try_resolved(const NameServerWish& wish, int link_index, Transaction& transaction,
                      Logger& logger) {
  const auto reach = find_resolved(link_index);
  if (!reach) {
    logger.debug("systemd-resolved is not used: " + reach.error().message);
    return Coverage::kNone;
  }
  const auto set = transaction.change(RevertResolved{link_index},
                                      [&] { return set_resolved_dns(link_index, wish); });
  if (!set) {
    logger.warning("systemd-resolved is not used: " + set.error().message);
    return Coverage::kNone;
  }
  return *reach == ResolvedReach::kAllPrograms ? Coverage::kAllPrograms : Coverage::kSomePrograms;
}

bool try_resolvconf(const std::string& text, const std::string& tun_name, Transaction& transaction,
                    Logger& logger) {
  if (!is_resolvconf_installed()) return false;
  const std::string record = resolvconf_record(tun_name);
  const auto set = transaction.change(DeleteResolvconfRecord{record},
                                      [&] { return add_resolvconf_record(record, text); });
  if (!set) logger.warning("resolvconf is not used: " + set.error().message);
  return set.has_value();
}

}  // namespace

Result<NameServers> set_name_servers(const NameServerWish& wish, int link_index,
                                     const std::string& tun_name, Transaction& transaction,
                                     Logger& logger) {
  NameServers set{.wish = wish, .way = "by systemd-resolved", .resolv_conf = std::nullopt};
  const Coverage coverage = try_resolved(wish, link_index, transaction, logger);
  set.by_resolved = coverage != Coverage::kNone;
  if (coverage == Coverage::kAllPrograms) return set;
  if (!wish.domains.empty() && !wish.may_take_all_names) {
    if (set.by_resolved) return set;
    return fail(
        "name servers for some domains alone: this host has no systemd-resolved, and "
        "/etc/resolv.conf knows no such thing");
  }
  const std::string also = set.by_resolved ? set.way + " and " : "";

  const std::string text = resolv_conf_text(tun_name, wish.servers);
  if (try_resolvconf(text, tun_name, transaction, logger)) {
    set.way = also + "by resolvconf";
    set.resolv_conf = read_resolv_conf().value_or(std::nullopt).value_or("");
    return set;
  }

  const auto was = read_resolv_conf();
  if (!was) return fail(was);
  if (*was != text) {
    const auto written =
        transaction.change(RestoreResolvConf{*was, text}, [&] { return write_resolv_conf(text); });
    if (!written) return fail(written);
  }
  if (read_resolv_conf().value_or(std::nullopt) != text) {
    return fail(std::string(kResolvConf) +
                " is not what was just written to it; what else writes it?");
  }
  set.way = also + "in /etc/resolv.conf";
  set.resolv_conf = text;
  return set;
}

bool do_stand(const NameServers& set, int link_index) {
  if (set.resolv_conf && read_resolv_conf().value_or(std::nullopt) != set.resolv_conf) return false;
  if (!set.by_resolved) return true;
  const auto reach = find_resolved(link_index);
  if (!reach) return true;
  if (*reach == ResolvedReach::kSomePrograms && !set.resolv_conf) return false;
  const auto read = read_resolved_dns(link_index);
  return !read || *read == set.wish.servers;
}

std::vector<NameServer> name_servers_behind(std::string_view resolv_conf,
                                            std::span<const NameServer> ours) {
  constexpr std::uint32_t kStub = 0x7f000035;       // 127.0.0.53
  constexpr std::uint32_t kProxyStub = 0x7f000036;  // 127.0.0.54
  std::vector<NameServer> servers = name_servers_in(resolv_conf);
  const bool is_stub = std::ranges::any_of(servers, [](const NameServer& server) {
    return server.address == IpAddress::v4(kStub) || server.address == IpAddress::v4(kProxyStub);
  });
  const auto uplinks = is_stub ? read_file("/run/systemd/resolve/resolv.conf") : std::string();
  if (!is_stub || !uplinks) return servers;
  servers = name_servers_in(*uplinks);
  std::erase_if(servers, [&](const NameServer& server) {
    return std::ranges::find(ours, server) != ours.end();
  });
  return servers;
}

}  // namespace qdt::os
