#include <string>

#include "os/linux/forwarding.h"
#include "os/linux/netlink.h"
#include "os/linux/nftables.h"
#include "os/linux/resolv_conf.h"
#include "os/linux/resolv_conf_layers.h"
#include "os/linux/resolvconf_program.h"
#include "os/linux/resolved.h"
#include "os/linux/sysctl.h"
#include "os/linux/undo_step.h"

namespace qdt::os {
namespace {

// The result of undo(): `done` if there was something to do.
Result<std::string> said(const Result<Change>& change, std::string done) {
  if (!change) return fail(change);
  return *change == Change::kMade ? std::move(done) : std::string();
}

Result<std::string> undo_step(const RestoreSysctl& step) {
  if (!has_sysctl(step.name)) return "";
  const auto value = read_sysctl(step.name);
  if (!value) return fail(value);
  if (*value != step.wrote) return "";
  const auto written = write_sysctl(step.name, step.was);
  if (!written) return fail(written);
  return "sysctl " + step.name + " put back to " + step.was;
}

Result<std::string> undo_step(const RestoreForwarding& step) {
  return put_back_forwarding(step);
}

Result<std::string> undo_step(const RestoreLink& step) {
  auto netlink = Netlink::open();
  if (!netlink) return fail(netlink);
  const auto link = netlink->find_link(step.wrote.index);
  if (!link || *link != step.wrote) return "";
  return said(netlink->set_link(step.was), step.was.name + " put back to MTU " +
                                               std::to_string(step.was.mtu) +
                                               (step.was.is_up ? ", up" : ", down"));
}

Result<std::string> undo_step(const DeleteAddress& step) {
  auto netlink = Netlink::open();
  if (!netlink) return fail(netlink);
  return said(netlink->delete_address(step.address),
              "address " + step.address.address.to_string() + " deleted");
}

Result<std::string> undo_step(const DeleteRoute& step) {
  auto netlink = Netlink::open();
  if (!netlink) return fail(netlink);
  return said(netlink->delete_route(step.route),
              "route to " + step.route.destination.to_string() + " deleted");
}

Result<std::string> undo_step(const DeleteRule& step) {
  auto netlink = Netlink::open();
  if (!netlink) return fail(netlink);
  return said(netlink->delete_rule(step.rule), std::string(step.rule.is_v6 ? "IPv6" : "IPv4") +
                                                   " routing rule " +
                                                   std::to_string(step.rule.priority) + " deleted");
}

Result<std::string> undo_step(const DeleteNftTable& step) {
  return said(delete_nft_table(step.name), "nftables table inet " + step.name + " deleted");
}

Result<std::string> undo_step(const RevertResolved& step) {
  return said(revert_resolved(step.link_index), "systemd-resolved's settings of link " +
                                                    std::to_string(step.link_index) + " reverted");
}

Result<std::string> undo_step(const DeleteResolvconfRecord& step) {
  const auto deleted = delete_resolvconf_record(step.record);
  if (!deleted) return fail(deleted);
  return "resolvconf's record " + step.record + " deleted";
}

Result<std::string> undo_step(const RemoveResolvConfLayer& step) {
  return remove_resolv_conf_layer(step.owner);
}

Result<std::string> undo_step(const RestoreResolvConf& step) {
  const auto file = look_at_resolv_conf();
  if (!file) return fail(file);
  if (file->content == step.was) return "";
  if (file->content != step.wrote) {
    return std::string(kResolvConf) + " left as it is: somebody else has changed it since";
  }
  const auto put_back = step.was ? write_resolv_conf(*file, *step.was) : remove_resolv_conf(*file);
  if (!put_back) return fail(put_back);
  return std::string(kResolvConf) + " put back";
}

}  // namespace

Result<std::string> undo(const UndoStep& step) {
  return std::visit([](const auto& kind) { return undo_step(kind); }, step);
}

}  // namespace qdt::os
