#include "os/linux/main_routes.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <optional>

#include "os/linux/netlink.h"
#include "os/linux/netlink_attribute.h"
#include "os/linux/system_error.h"

namespace qdt::os {
namespace {

struct CloseSocket {
  void operator()(mnl_socket* open) const { mnl_socket_close(open); }
};
using Socket = std::unique_ptr<mnl_socket, CloseSocket>;

struct Query {
  nlmsghdr header;
  rtmsg body;
};

std::optional<IpAddress> address_in(const nlattr* attribute) {
  if (!attribute) return std::nullopt;
  const auto* bytes = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
  const std::size_t length = mnl_attr_get_payload_len(attribute);
  if (length == 4) return IpAddress::v4(std::span<const std::uint8_t, 4>(bytes, 4));
  if (length == 16) return IpAddress::v6(std::span<const std::uint8_t, 16>(bytes, 16));
  return std::nullopt;
}

std::optional<MainRoute> parse_route(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWROUTE) return std::nullopt;
  const auto& body = *static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
  const auto find = [&](int type) { return find_attribute(message, sizeof body, type); };
  const nlattr* number = find(RTA_TABLE);
  const std::uint32_t table = number ? mnl_attr_get_u32(number) : body.rtm_table;
  const auto destination = address_in(find(RTA_DST));
  const bool counts = table == kMainTable && body.rtm_type == RTN_UNICAST && destination &&
                      body.rtm_protocol != kRouteProtocol && body.rtm_dst_len > 0;
  if (!counts) return std::nullopt;

  const nlattr* device = find(RTA_OIF);
  const auto gateway = address_in(find(RTA_GATEWAY));
  const bool has_gateway = find(RTA_GATEWAY) || find(RTA_VIA) || find(RTA_MULTIPATH);
  MainRoute route{.destination = Prefix(*destination, body.rtm_dst_len),
                  .link_index = device ? static_cast<int>(mnl_attr_get_u32(device)) : 0,
                  .is_connected = device && !has_gateway,
                  .way = {}};
  if (gateway) route.way = "via " + gateway->to_string() + " ";
  std::array<char, IF_NAMESIZE> name{};
  if (if_indextoname(static_cast<unsigned>(route.link_index), name.data())) {
    route.way += "dev " + std::string(name.data());
  }
  return route;
}

Result<void> list(std::uint8_t family, std::vector<MainRoute>& routes) {
  const Socket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
  if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
    return os_error("open a netlink socket");
  }
  Query query{};
  query.header.nlmsg_len = sizeof query;
  query.header.nlmsg_type = RTM_GETROUTE;
  query.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  query.body.rtm_family = family;
  if (mnl_socket_sendto(socket.get(), &query, sizeof query) < 0) return os_error("list routes");

  std::size_t found = 0;
  alignas(nlmsghdr) std::array<char, 32768> buffer;
  for (;;) {
    const ssize_t bytes = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return os_error("list routes");
    int rest = static_cast<int>(bytes);
    for (const auto* reply = reinterpret_cast<const nlmsghdr*>(buffer.data());
         mnl_nlmsg_ok(reply, rest); reply = mnl_nlmsg_next(reply, &rest)) {
      if (reply->nlmsg_type == NLMSG_DONE) return {};
      if (reply->nlmsg_type == NLMSG_ERROR) {
        const auto& verdict = *static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(reply));
        // A kernel without this family has no routes of it.
        if (verdict.error == -EOPNOTSUPP || verdict.error == -EAFNOSUPPORT) return {};
        return os_error("list routes", -verdict.error);
      }
      auto route = parse_route(*reply);
      if (route && found++ < kMaxMainRoutes) routes.push_back(std::move(*route));
    }
  }
}

}  // namespace

Result<std::vector<MainRoute>> main_routes() {
  std::vector<MainRoute> routes;
  for (const std::uint8_t family : {AF_INET, AF_INET6}) {
    if (const auto listed = list(family, routes); !listed) return fail(listed);
  }
  return routes;
}

}  // namespace qdt::os
