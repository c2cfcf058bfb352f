#include "os/taken_networks.h"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>

#include "os/linux/netlink.h"
#include "os/linux/netlink_attribute.h"
#include "os/linux/system_error.h"

namespace qdt::os {
namespace {

constexpr int kNarrowestDefault4 = 8;
constexpr int kNarrowestDefault6 = 7;

struct CloseSocket {
  void operator()(mnl_socket* open) const { mnl_socket_close(open); }
};
using Socket = std::unique_ptr<mnl_socket, CloseSocket>;

// Shows `take` every answer to a request for a list.
Result<void> dump(mnl_socket& socket, int type, std::uint32_t sequence, std::size_t body_bytes,
                  const std::function<void(const nlmsghdr&)>& take) {
  alignas(nlmsghdr) std::array<char, 128> request{};
  nlmsghdr* message = mnl_nlmsg_put_header(request.data());
  message->nlmsg_type = static_cast<std::uint16_t>(type);
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message->nlmsg_seq = sequence;
  mnl_nlmsg_put_extra_header(message, body_bytes);  // zeros: of every family and device
  if (mnl_socket_sendto(&socket, message, message->nlmsg_len) < 0) {
    return os_error("ask for this host's networks");
  }
  alignas(nlmsghdr) std::array<char, 32768> buffer;
  for (;;) {
    const ssize_t bytes = mnl_socket_recvfrom(&socket, buffer.data(), buffer.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return os_error("read this host's networks");
    int rest = static_cast<int>(bytes);
    for (const auto* reply = reinterpret_cast<const nlmsghdr*>(buffer.data());
         mnl_nlmsg_ok(reply, rest); reply = mnl_nlmsg_next(reply, &rest)) {
      if (reply->nlmsg_seq != sequence) continue;
      if (reply->nlmsg_type == NLMSG_DONE) return {};
      if (reply->nlmsg_type == NLMSG_ERROR) return fail("read this host's networks: refused");
      take(*reply);
    }
  }
}

std::optional<IpAddress> address_in(const nlattr* attribute) {
  if (attribute == nullptr) return std::nullopt;
  const auto* bytes = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
  switch (mnl_attr_get_payload_len(attribute)) {
    case 4: return IpAddress::v4(std::span<const std::uint8_t, 4>(bytes, 4));
    case 16: return IpAddress::v6(std::span<const std::uint8_t, 16>(bytes, 16));
    default: return std::nullopt;
  }
}

std::string name_of(std::uint32_t index) {
  std::array<char, IF_NAMESIZE> name{};
  return ::if_indextoname(index, name.data()) != nullptr ? name.data() : "";
}

std::optional<TakenNetwork> network_of_address(const nlmsghdr& message) {
  const auto& body = *static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(&message));
  // On a line between two hosts (PPP) the address is the other end's, and IFA_LOCAL ours.
  const auto other = address_in(find_attribute(message, sizeof body, IFA_ADDRESS));
  const auto local = address_in(find_attribute(message, sizeof body, IFA_LOCAL));
  if (!other || body.ifa_prefixlen > other->bit_length()) return std::nullopt;
  return TakenNetwork{.device = name_of(body.ifa_index),
                      .prefix = Prefix(*other, body.ifa_prefixlen),
                      .address = local ? local : other,
                      .is_on_link = true};
}

std::optional<TakenNetwork> network_of_route(const nlmsghdr& message) {
  const auto& body = *static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
  const auto destination = address_in(find_attribute(message, sizeof body, RTA_DST));
  const nlattr* device = find_attribute(message, sizeof body, RTA_OIF);
  const bool is_ordinary = body.rtm_type == RTN_UNICAST && body.rtm_table == RT_TABLE_MAIN;
  if (!is_ordinary || !destination || device == nullptr) return std::nullopt;
  if (body.rtm_dst_len > destination->bit_length()) return std::nullopt;
  const bool has_router = find_attribute(message, sizeof body, RTA_GATEWAY) != nullptr ||
                          find_attribute(message, sizeof body, RTA_VIA) != nullptr;
  return TakenNetwork{.device = name_of(mnl_attr_get_u32(device)),
                      .prefix = Prefix(*destination, body.rtm_dst_len),
                      .address = std::nullopt,
                      .is_on_link = !has_router};
}

bool matters(const TakenNetwork& network, const std::string& tun_name) {
  const IpAddress& address = network.prefix.address();
  if (network.device.empty() || network.device == tun_name) return false;
  if (address.is_loopback() || address.is_link_local() || address.is_multicast()) return false;
  const int least = address.is_v4() ? kNarrowestDefault4 : kNarrowestDefault6;
  return network.address || network.prefix.length() >= least;
}

}  // namespace

Result<std::vector<TakenNetwork>> taken_networks(const std::string& tun_name) {
  const Socket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
  if (!socket) return os_error("open a netlink socket");
  if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
    return os_error("bind a netlink socket");
  }
  std::vector<TakenNetwork> networks;
  const auto keep = [&](std::optional<TakenNetwork> network) {
    if (network && matters(*network, tun_name)) networks.push_back(std::move(*network));
  };
  const auto addresses = dump(*socket, RTM_GETADDR, 1, sizeof(ifaddrmsg),
                              [&](const nlmsghdr& message) { keep(network_of_address(message)); });
  if (!addresses) return fail(addresses);
  const auto routes = dump(*socket, RTM_GETROUTE, 2, sizeof(rtmsg),
                           [&](const nlmsghdr& message) { keep(network_of_route(message)); });
  if (!routes) return fail(routes);
  return networks;
}

}  // namespace qdt::os
