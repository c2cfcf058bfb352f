#include "os/windows/kill_switch.h"

#include <algorithm>

#include "os/windows/filters.h"

namespace qdt::os {

std::optional<InterfaceId> WindowsKillSwitch::find_tun() {
  const auto interfaces = calls_->interfaces();
  if (!interfaces) return tun_;
  const auto found = std::ranges::find(*interfaces, options_.tun_name, &Interface::name);
  if (found == interfaces->end()) return std::nullopt;
  return found->id;
}

Result<void> WindowsKillSwitch::put_up(std::optional<InterfaceId> tun) {
  if (!filters_) {
    auto session = calls_->open_filters("QDT kill switch of " + options_.tun_name);
    if (!session) return fail(session);
    filters_ = std::move(*session);
  }
  if (auto ok = filters_->replace(kill_switch_filters(options_, tun)); !ok) return ok;
  tun_ = tun;
  return {};
}

Result<void> WindowsKillSwitch::raise() {
  if (auto ok = calls_->check_rights(); !ok)
    return fail("raise the kill switch: " + ok.error().message);
  if (auto ok = put_up(find_tun()); !ok) {
    filters_.reset();
    return fail("raise the kill switch: " + ok.error().message);
  }
  logger_.info("the kill switch is up: nothing leaves this host but through " + options_.tun_name);
  return {};
}

void WindowsKillSwitch::keep(Upkeep& upkeep) {
  const auto tun = find_tun();
  const bool stands = filters_ && filters_->stands();
  if (stands && tun == tun_) return;
  if (!stands) filters_.reset();
  const auto raised = put_up(tun);
  if (!raised) {
    return upkeep.add_fault("raise the kill switch again: " + raised.error().message);
  }
  if (stands) return;
  upkeep.count(HostPart::kTable);
  logger_.warning("somebody removed the kill switch; it is up again");
}

}  // namespace qdt::os
