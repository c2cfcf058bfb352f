// LinuxHostNetwork's looking after what it has made.

#include <ranges>

#include "os/clock.h"
#include "os/linux/linux_host_network.h"

namespace qdt::os {
namespace {

/// Between two lines about what was put back, and between two equal ones.
constexpr Duration kTelling = 1s;
constexpr Duration kRepeatedTelling = 30s;

}  // namespace

Upkeep LinuxHostNetwork::keep() {
  Upkeep upkeep;
  if (!keep_device(upkeep)) return upkeep;
  for (const ForwardingClaim& claim : claims_) note_wishes(claim);
  keep_settings(upkeep);
  policy_.follow(device(link_index_));
  dns_.keep(link_index_);
  for (const ForwardingClaim& claim : claims_) forget_writes(claim);
  tell();
  look_at_external_interface();
  tell_new_obstacles();
  return upkeep;
}

bool LinuxHostNetwork::keep_device(Upkeep& upkeep) {
  if (link_index_ == 0) {
    const auto link = netlink_.find_link(tun_name_);
    if (link) link_index_ = link->index;
    return link.has_value();
  }
  const auto link = netlink_.find_link(link_index_);
  upkeep.lacks_device = !link;
  if (!link || link->name == tun_name_) return link.has_value();
  if (const auto renamed = rename_back(*link); !renamed) {
    upkeep.add_fault("somebody renamed the device " + tun_name_ + " to " + link->name + ": " +
                     renamed.error().message);
    return false;
  }
  upkeep.count(HostPart::kDevice);
  logger_.warning("somebody renamed the device " + tun_name_ + " to " + link->name +
                  "; it has its name again");
  return true;
}

// Kernels before 6.2 rename no device that is up.
Result<void> LinuxHostNetwork::rename_back(Link link) {
  if (netlink_.rename_link(link.index, tun_name_)) return {};
  link.is_up = false;
  if (auto down = netlink_.set_link(link); !down) return fail(down);
  return netlink_.rename_link(link.index, tun_name_);
}

Result<void> LinuxHostNetwork::adopt_device() {
  const auto link = netlink_.find_link(tun_name_);
  if (!link) return fail(link);
  keeper_.move_device(link_index_, link->index);
  for (InterfaceAddress& mine : addresses_) mine.link_index = link->index;
  link_index_ = link->index;
  return {};
}

// A program that changes things again and again fills no log: the first line and one in a while say
// it.
void LinuxHostNetwork::tell() {
  if (keeper_.put_back().empty()) return;
  constexpr std::size_t kMostNames = 8;
  std::string names;
  for (const std::string& name : keeper_.put_back() | std::views::take(kMostNames)) {
    names += (names.empty() ? "" : ", ") + name;
  }
  const std::size_t count = keeper_.put_back().size();
  if (count > kMostNames) names += " and " + std::to_string(count - kMostNames) + " more";
  const Timestamp now = os::now();
  if (now < next_telling_) return;
  next_telling_ = now + (names == told_ ? kRepeatedTelling : kTelling);
  told_ = names;
  logger_.warning("somebody changed this host's network; put back: " + names);
}

}  // namespace qdt::os
