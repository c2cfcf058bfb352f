#include "os/link_monitor.h"

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <map>
#include <utility>

#include "os/linux/netlink.h"
#include "os/linux/netlink_attribute.h"
#include "os/linux/socket_address.h"
#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

constexpr std::array kGroups = {RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                                RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_RULE,
                                RTNLGRP_IPV6_RULE};

// The flags of a link that decide whether packets pass.
constexpr unsigned kLinkFlags = IFF_UP | IFF_RUNNING;

}  // namespace

struct LinkMonitor::State {
  struct Close {
    void operator()(mnl_socket* open) const { mnl_socket_close(open); }
  };
  std::unique_ptr<mnl_socket, Close> socket;
  std::string tun_name;
  int tun_index = 0;                   // the latest that the device had
  std::map<int, unsigned> link_flags;  // by index, as last reported

  bool matters(const nlmsghdr& message);
  bool link_matters(const nlmsghdr& message);
  bool address_matters(const nlmsghdr& message);
  bool route_matters(const nlmsghdr& message);
  bool is_tun(int index);
};

bool LinkMonitor::State::matters(const nlmsghdr& message) {
  const auto has = [&](std::size_t bytes) { return mnl_nlmsg_get_payload_len(&message) >= bytes; };
  switch (message.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: return has(sizeof(ifinfomsg)) && link_matters(message);
    case RTM_NEWADDR:
    case RTM_DELADDR: return has(sizeof(ifaddrmsg)) && address_matters(message);
    case RTM_NEWROUTE:
    case RTM_DELROUTE: return has(sizeof(rtmsg)) && route_matters(message);
    case RTM_NEWRULE:
    case RTM_DELRULE: {
      const nlattr* protocol = has(sizeof(fib_rule_hdr))
                                   ? find_attribute(message, sizeof(fib_rule_hdr), FRA_PROTOCOL)
                                   : nullptr;
      return protocol == nullptr || mnl_attr_get_u8(protocol) != kRouteProtocol;
    }
    default: return false;
  }
}

// Wireless drivers report the same state again and again.
bool LinkMonitor::State::link_matters(const nlmsghdr& message) {
  const auto& link = *static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message));
  const nlattr* name = find_attribute(message, sizeof link, IFLA_IFNAME);
  if (name != nullptr && mnl_attr_get_str(name) == tun_name) tun_index = link.ifi_index;
  if (link.ifi_index == tun_index) return false;
  if (message.nlmsg_type == RTM_DELLINK) {
    link_flags.erase(link.ifi_index);
    return true;
  }
  const unsigned flags = link.ifi_flags & kLinkFlags;
  const auto [known, is_new] = link_flags.try_emplace(link.ifi_index, flags);
  return is_new || std::exchange(known->second, flags) != flags;
}

bool LinkMonitor::State::address_matters(const nlmsghdr& message) {
  const auto& address = *static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(&message));
  // IPv6 addresses are announced before it is certain that nobody else has them.
  const bool is_tentative = (address.ifa_flags & IFA_F_TENTATIVE) != 0;
  return !is_tentative && !is_tun(static_cast<int>(address.ifa_index));
}

bool LinkMonitor::State::route_matters(const nlmsghdr& message) {
  const auto& route = *static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
  if (route.rtm_protocol == kRouteProtocol || (route.rtm_flags & RTM_F_CLONED) != 0) return false;
  // Those to the host itself follow its addresses, which are reported anyway.
  const bool is_local = route.rtm_type == RTN_LOCAL || route.rtm_type == RTN_BROADCAST ||
                        route.rtm_type == RTN_ANYCAST || route.rtm_type == RTN_MULTICAST;
  if (is_local) return false;
  const nlattr* device = find_attribute(message, sizeof route, RTA_OIF);
  return device == nullptr || !is_tun(static_cast<int>(mnl_attr_get_u32(device)));
}

bool LinkMonitor::State::is_tun(int index) {
  if (tun_index == 0) tun_index = static_cast<int>(::if_nametoindex(tun_name.c_str()));
  return index == tun_index;
}

LinkMonitor::LinkMonitor(std::unique_ptr<State> state) : state_(std::move(state)) {}
LinkMonitor::LinkMonitor(LinkMonitor&&) noexcept = default;
LinkMonitor& LinkMonitor::operator=(LinkMonitor&&) noexcept = default;
LinkMonitor::~LinkMonitor() = default;

Result<LinkMonitor> LinkMonitor::open(const std::string& tun_name) {
  auto state = std::make_unique<State>();
  state->tun_name = tun_name;
  state->tun_index = static_cast<int>(::if_nametoindex(tun_name.c_str()));
  state->socket.reset(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!state->socket) return os_error("open a netlink socket");
  if (mnl_socket_bind(state->socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
    return os_error("bind a netlink socket");
  }
  for (const int group : kGroups) {
    int wanted = group;
    if (mnl_socket_setsockopt(state->socket.get(), NETLINK_ADD_MEMBERSHIP, &wanted, sizeof wanted) <
        0) {
      return os_error("ask the kernel to report changes of the network");
    }
  }
  return LinkMonitor(std::move(state));
}

PollHandle LinkMonitor::poll_handle() const {
  return PollHandle{mnl_socket_get_fd(state_->socket.get())};
}

bool LinkMonitor::take() {
  bool does_matter = false;
  alignas(nlmsghdr) std::array<char, 32768> buffer;
  for (;;) {
    const ssize_t bytes = mnl_socket_recvfrom(state_->socket.get(), buffer.data(), buffer.size());
    if (bytes < 0 && errno == EINTR) continue;
    // More has changed than the socket could hold, or more at once than the buffer.
    if (bytes < 0 && (errno == ENOBUFS || errno == ENOSPC)) {
      does_matter = true;
      continue;
    }
    if (bytes <= 0) return does_matter;
    int rest = static_cast<int>(bytes);
    for (const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
         mnl_nlmsg_ok(message, rest); message = mnl_nlmsg_next(message, &rest)) {
      does_matter |= state_->matters(*message);
    }
  }
}

Result<IpAddress> source_address(const SocketAddress& remote, std::uint32_t mark) {
  const std::string doing = "look for the way to " + remote.address.to_string();
  const int family = remote.address.is_v4() ? AF_INET : AF_INET6;
  const UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return os_error(doing);
  if (mark != 0 && ::setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0) {
    return os_error(doing + ": mark a socket");
  }
  // Connecting a UDP socket looks up the route, and sends nothing.
  const KernelAddress to = to_kernel(remote, family);
  if (::connect(fd.get(), to.get(), to.length) != 0) return os_error(doing);
  KernelAddress from;
  from.length = sizeof from.storage;
  if (::getsockname(fd.get(), from.get(), &from.length) != 0) return os_error(doing);
  return from_kernel(from.get()).address;
}

}  // namespace qdt::os
