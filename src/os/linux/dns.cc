#include "os/linux/dns.h"

#include "os/linux/resolv_conf.h"
#include "os/linux/resolvconf_program.h"
#include "os/linux/resolved.h"

namespace qdt::os {
namespace {

enum class Coverage { kNone, kSomePrograms, kAllPrograms };

Coverage try_resolved(std::span<const IpAddress> servers, int link_index, Transaction& transaction,
                      Logger& logger) {
  const auto reach = find_resolved(link_index);
  if (!reach) {
    logger.debug("systemd-resolved is not used: " + reach.error().message);
    return Coverage::kNone;
  }
  const auto set = transaction.change(RevertResolved{link_index},
                                      [&] { return set_resolved_dns(link_index, servers); });
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

Result<std::string> set_name_servers(std::span<const IpAddress> servers, int link_index,
                                     const std::string& tun_name, Transaction& transaction,
                                     Logger& logger) {
  const Coverage coverage = try_resolved(servers, link_index, transaction, logger);
  if (coverage == Coverage::kAllPrograms) return "by systemd-resolved";
  const std::string also = coverage == Coverage::kSomePrograms ? "by systemd-resolved and " : "";

  const std::string text = resolv_conf_text(tun_name, servers);
  if (try_resolvconf(text, tun_name, transaction, logger)) return also + "by resolvconf";

  const auto was = read_resolv_conf();
  if (!was) return fail(was);
  if (*was != text) {
    const auto written =
        transaction.change(RestoreResolvConf{*was, text}, [&] { return write_resolv_conf(text); });
    if (!written) return fail(written);
  }
  return also + "in /etc/resolv.conf";
}

}  // namespace qdt::os
