#include "os/linux/netlink.h"

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <initializer_list>
#include <span>

#include "os/linux/netlink_attribute.h"
#include "os/linux/netlink_request.h"
#include "os/linux/system_error.h"

namespace qdt::os {
namespace {

using Request = NetlinkRequest;

/// The kernel's verdict on a request.
struct Answer {
  int error = 0;     ///< an errno; 0: granted
  std::string text;  ///< the kernel's own words (extended acknowledgement), where it has some
};

Answer parse_acknowledgement(const nlmsghdr& message) {
  const auto& verdict = *static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&message));
  Answer answer{.error = -verdict.error, .text = {}};
  // NETLINK_CAP_ACK: the request is not repeated, so attributes follow the verdict at once.
  if ((message.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return answer;
  const nlattr* text = find_attribute(message, sizeof verdict, NLMSGERR_ATTR_MSG);
  if (text && mnl_attr_validate(text, MNL_TYPE_NUL_STRING) >= 0) {
    answer.text = mnl_attr_get_str(text);
  }
  return answer;
}

std::unexpected<Error> refused(const std::string& doing, const Answer& answer) {
  if (answer.text.empty()) return os_error(doing, answer.error);
  return fail(doing + ": " + answer.text + " (" + errno_text(answer.error) + ")");
}

Link parse_link(const nlmsghdr& message) {
  const auto& body = *static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message));
  const auto number = [&](int type) {
    const nlattr* attribute = find_attribute(message, sizeof body, type);
    return attribute ? mnl_attr_get_u32(attribute) : 0;
  };
  const nlattr* name = find_attribute(message, sizeof body, IFLA_IFNAME);
  return {.index = body.ifi_index,
          .name = name ? mnl_attr_get_str(name) : "",
          .is_up = (body.ifi_flags & IFF_UP) != 0,
          .mtu = number(IFLA_MTU),
          .queue_packets = number(IFLA_TXQLEN)};
}

std::uint8_t family_of(const IpAddress& address) {
  return address.is_v4() ? AF_INET : AF_INET6;
}

std::uint32_t number_in(const nlmsghdr& message, std::size_t body_bytes, int type) {
  const nlattr* attribute = find_attribute(message, body_bytes, type);
  return attribute ? mnl_attr_get_u32(attribute) : 0;
}

// Nothing for a route that is none of ours.
std::optional<Route> parse_route(const nlmsghdr& message) {
  const auto& body = *static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
  if (body.rtm_protocol != kRouteProtocol) return std::nullopt;
  const bool is_v4 = body.rtm_family == AF_INET;
  IpAddress address = IpAddress::unspecified(is_v4);
  if (const nlattr* destination = find_attribute(message, sizeof body, RTA_DST)) {
    const std::size_t bytes = is_v4 ? 4 : 16;
    if (mnl_attr_get_payload_len(destination) != bytes) return std::nullopt;
    const auto* first = static_cast<const std::uint8_t*>(mnl_attr_get_payload(destination));
    address = is_v4 ? IpAddress::v4(std::span<const std::uint8_t, 4>(first, 4))
                    : IpAddress::v6(std::span<const std::uint8_t, 16>(first, 16));
  }
  // The loopback device stands behind an IPv6 route that refuses.
  const bool is_through_device = body.rtm_type == RTN_UNICAST;
  return Route{.destination = Prefix(address, body.rtm_dst_len),
               .link_index = is_through_device
                                 ? static_cast<int>(number_in(message, sizeof body, RTA_OIF))
                                 : 0,
               .table = number_in(message, sizeof body, RTA_TABLE),
               .metric = number_in(message, sizeof body, RTA_PRIORITY),
               .goes_on = body.rtm_type == RTN_THROW};
}

// The request that deletes a route which is not ours and sends packets elsewhere than through
// `link_index`: it has everything by which the route differs from the others of its table.
std::optional<Request> deletion_of_foreign(const nlmsghdr& message, std::uint32_t table,
                                           int link_index) {
  const auto& found = *static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
  if (number_in(message, sizeof found, RTA_TABLE) != table) return std::nullopt;
  if (found.rtm_protocol == kRouteProtocol) return std::nullopt;
  constexpr int kWidePrefix = 3;  // of this length or less, it refuses a large part of the world
  const bool refuses = (found.rtm_type == RTN_UNREACHABLE || found.rtm_type == RTN_BLACKHOLE ||
                        found.rtm_type == RTN_PROHIBIT) &&
                       found.rtm_dst_len > kWidePrefix;
  const std::uint32_t link = number_in(message, sizeof found, RTA_OIF);
  if (refuses || link == static_cast<std::uint32_t>(link_index)) return std::nullopt;
  Request request(RTM_DELROUTE, 0);
  auto& body = request.body<rtmsg>();
  body = found;
  body.rtm_table = RT_TABLE_UNSPEC;
  body.rtm_flags = 0;
  request.put(RTA_TABLE, table);
  for (const int type : {RTA_DST, RTA_SRC, RTA_PRIORITY}) {
    const nlattr* attribute = find_attribute(message, sizeof found, type);
    if (attribute) request.put(*attribute);
  }
  return request;
}

Request address_request(int type, int flags, const InterfaceAddress& address) {
  Request request(type, flags);
  auto& body = request.body<ifaddrmsg>();
  body.ifa_family = family_of(address.address);
  body.ifa_prefixlen = static_cast<std::uint8_t>(address.prefix_length);
  body.ifa_scope = RT_SCOPE_UNIVERSE;
  body.ifa_index = static_cast<std::uint32_t>(address.link_index);
  request.put(IFA_LOCAL, address.address);
  request.put(IFA_ADDRESS, address.address);
  return request;
}

// As the kernel makes it when an address comes (fib_add_ifaddr, addrconf_f6i_alloc).
Request local_route_request(int type, int flags, const InterfaceAddress& address) {
  Request request(type, flags);
  auto& body = request.body<rtmsg>();
  body.rtm_family = family_of(address.address);
  body.rtm_dst_len = static_cast<std::uint8_t>(address.address.bit_length());
  body.rtm_table = RT_TABLE_LOCAL;
  body.rtm_protocol = RTPROT_KERNEL;
  body.rtm_scope = address.address.is_v4() ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
  body.rtm_type = RTN_LOCAL;
  request.put(RTA_DST, address.address);
  request.put(RTA_OIF, static_cast<std::uint32_t>(address.link_index));
  if (address.address.is_v4()) request.put(RTA_PREFSRC, address.address);
  return request;
}

Request route_request(int type, int flags, const Route& route) {
  Request request(type, flags);
  const bool is_through_device = route.link_index != 0;
  auto& body = request.body<rtmsg>();
  body.rtm_family = family_of(route.destination.address());
  body.rtm_dst_len = static_cast<std::uint8_t>(route.destination.length());
  body.rtm_table = RT_TABLE_UNSPEC;
  body.rtm_protocol = kRouteProtocol;
  // Where a new route's gateway is, the kernel asks all tables for routes of link scope: none of
  // our own table's is to be an answer.
  const bool is_link = is_through_device && route.table == kMainTable;
  body.rtm_scope = is_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  body.rtm_type = is_through_device ? RTN_UNICAST : route.goes_on ? RTN_THROW : RTN_UNREACHABLE;
  request.put(RTA_TABLE, route.table);
  if (route.metric != 0) request.put(RTA_PRIORITY, route.metric);
  if (route.destination.length() > 0) request.put(RTA_DST, route.destination.address());
  if (is_through_device) request.put(RTA_OIF, static_cast<std::uint32_t>(route.link_index));
  return request;
}

Request rule_request(int type, int flags, const RoutingRule& rule) {
  Request request(type, flags);
  auto& body = request.body<fib_rule_hdr>();
  body.family = rule.is_v6 ? AF_INET6 : AF_INET;
  body.table = RT_TABLE_UNSPEC;
  body.action = FR_ACT_TO_TBL;
  if (rule.unless_mark) body.flags = FIB_RULE_INVERT;
  request.put(FRA_PRIORITY, rule.priority);
  request.put(FRA_TABLE, rule.table);
  request.put(FRA_PROTOCOL, kRouteProtocol);
  if (rule.unless_mark) request.put(FRA_FWMARK, *rule.unless_mark);
  if (rule.if_bits) {
    request.put(FRA_FWMARK, *rule.if_bits);
    request.put(FRA_FWMASK, *rule.if_bits);
  }
  if (rule.suppress_prefix_length) {
    request.put(FRA_SUPPRESS_PREFIXLEN, *rule.suppress_prefix_length);
  }
  return request;
}

std::string text_of(const InterfaceAddress& address) {
  return "address " + address.address.to_string() + "/" + std::to_string(address.prefix_length);
}

std::string text_of(const Route& route) {
  return "route to " + route.destination.to_string() + " in table " + std::to_string(route.table);
}

std::string text_of(const RoutingRule& rule) {
  return std::string(rule.is_v6 ? "IPv6" : "IPv4") + " rule " + std::to_string(rule.priority) +
         " for table " + std::to_string(rule.table);
}

}  // namespace

struct Netlink::Socket {
  struct Close {
    void operator()(mnl_socket* open) const { mnl_socket_close(open); }
  };
  std::unique_ptr<mnl_socket, Close> socket;
  std::uint32_t sequence = 0;

  /// Sends `request` and waits for its acknowledgement; `on_message` sees what comes before that.
  template <typename OnMessage>
  Answer ask(Request& request, OnMessage&& on_message) {
    nlmsghdr* message = request.message();
    message->nlmsg_seq = ++sequence;
    if (mnl_socket_sendto(socket.get(), message, message->nlmsg_len) < 0) return {errno, "send"};

    alignas(nlmsghdr) std::array<char, 32768> buffer;
    for (;;) {
      const ssize_t bytes = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
      if (bytes < 0 && errno == EINTR) continue;
      if (bytes < 0) return {errno, "receive"};
      int rest = static_cast<int>(bytes);
      for (const auto* reply = reinterpret_cast<const nlmsghdr*>(buffer.data());
           mnl_nlmsg_ok(reply, rest); reply = mnl_nlmsg_next(reply, &rest)) {
        if (reply->nlmsg_seq != sequence) continue;
        if (reply->nlmsg_type == NLMSG_ERROR) return parse_acknowledgement(*reply);
        if (reply->nlmsg_type == NLMSG_DONE) return {};
        on_message(*reply);
      }
    }
  }

  Result<Link> get_link(Request& request, const std::string& name) {
    Link link;
    const Answer answer = ask(request, [&](const nlmsghdr& reply) { link = parse_link(reply); });
    if (answer.error == ENODEV) return fail("there is no network device " + name);
    if (answer.error != 0) return refused("look for network device " + name, answer);
    return link;
  }

  /// Makes a change; each of the errors in `if_so` says that there was nothing left to do.
  Result<Change> change(Request request, std::initializer_list<int> if_so,
                        const std::string& doing) {
    const Answer answer = ask(request, [](const nlmsghdr&) {});
    if (answer.error == 0) return Change::kMade;
    for (const int error : if_so) {
      if (answer.error == error) return Change::kNotNeeded;
    }
    return refused(doing, answer);
  }
};

Netlink::Netlink(std::unique_ptr<Socket> socket, std::unique_ptr<Socket> dumps)
    : socket_(std::move(socket)), dumps_(std::move(dumps)) {}
Netlink::Netlink(Netlink&&) noexcept = default;
Netlink& Netlink::operator=(Netlink&&) noexcept = default;
Netlink::~Netlink() = default;

Result<Netlink> Netlink::open() {
  auto socket = std::make_unique<Socket>();
  auto dumps = std::make_unique<Socket>();
  for (Socket* opened : {socket.get(), dumps.get()}) {
    opened->socket.reset(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
    if (!opened->socket) return os_error("open a netlink socket");
    if (mnl_socket_bind(opened->socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) {
      return os_error("bind a netlink socket");
    }
  }
  // Kernels before 4.12 refuse, and then answer without words.
  int on = 1;
  mnl_socket_setsockopt(socket->socket.get(), NETLINK_EXT_ACK, &on, sizeof on);
  mnl_socket_setsockopt(socket->socket.get(), NETLINK_CAP_ACK, &on, sizeof on);
  // Before Linux 4.20, lists hold everything, and we choose.
  mnl_socket_setsockopt(dumps->socket.get(), NETLINK_GET_STRICT_CHK, &on, sizeof on);
  return Netlink(std::move(socket), std::move(dumps));
}

Result<Link> Netlink::find_link(const std::string& name) {
  Request request(RTM_GETLINK, 0);
  request.body<ifinfomsg>();
  request.put(IFLA_IFNAME, name);
  return socket_->get_link(request, name);
}

Result<Link> Netlink::find_link(int index) {
  Request request(RTM_GETLINK, 0);
  request.body<ifinfomsg>().ifi_index = index;
  return socket_->get_link(request, std::to_string(index));
}

Result<Change> Netlink::set_link(const Link& link) {
  Request request(RTM_NEWLINK, 0);
  auto& body = request.body<ifinfomsg>();
  body.ifi_index = link.index;
  body.ifi_flags = link.is_up ? IFF_UP : 0;
  body.ifi_change = IFF_UP;
  request.put(IFLA_MTU, link.mtu);
  request.put(IFLA_TXQLEN, link.queue_packets);
  return socket_->change(request, {ENODEV},
                         "set " + link.name + " to MTU " + std::to_string(link.mtu) +
                             (link.is_up ? ", up" : ", down"));
}

Result<void> Netlink::set_mtu(const std::string& name, std::size_t mtu) {
  auto link = find_link(name);
  if (!link) return fail(link);
  if (link->mtu == mtu) return {};
  link->mtu = static_cast<std::uint32_t>(mtu);
  const auto set = set_link(*link);
  if (!set) return fail(set);
  return {};
}

Result<Change> Netlink::add_address(const InterfaceAddress& address) {
  Request request = address_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address);
  std::uint32_t flags = address.address.is_v6() ? IFA_F_NODAD : 0;  // nobody to ask
  if (address.prefix_length == address.address.bit_length()) flags |= IFA_F_NOPREFIXROUTE;
  if (flags != 0) request.put(IFA_FLAGS, flags);
  return socket_->change(request, {EEXIST}, "add " + text_of(address));
}

Result<Change> Netlink::delete_address(const InterfaceAddress& address) {
  const auto deleted = socket_->change(address_request(RTM_DELADDR, 0, address),
                                       {EADDRNOTAVAIL, ENODEV}, "delete " + text_of(address));
  // The kernel takes only its own IPv6 routes along.
  if (deleted && address.address.is_v6()) {
    Request request = local_route_request(RTM_DELROUTE, 0, address);
    (void)socket_->ask(request, [](const nlmsghdr&) {});
  }
  return deleted;
}

// As the kernel makes it when an address comes (fib_add_ifaddr, addrconf_prefix_route).
Result<void> Netlink::restore_prefix_route(const InterfaceAddress& address) {
  Request request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
  const Prefix prefix = Prefix(address.address, address.prefix_length);
  auto& body = request.body<rtmsg>();
  body.rtm_family = family_of(address.address);
  body.rtm_dst_len = static_cast<std::uint8_t>(address.prefix_length);
  body.rtm_table = RT_TABLE_MAIN;
  body.rtm_protocol = RTPROT_KERNEL;
  body.rtm_scope = address.address.is_v4() ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  body.rtm_type = RTN_UNICAST;
  request.put(RTA_DST, prefix.address());
  request.put(RTA_OIF, static_cast<std::uint32_t>(address.link_index));
  if (address.address.is_v4()) {
    request.put(RTA_PREFSRC, address.address);
  } else {
    request.put(RTA_PRIORITY, std::uint32_t{256});  // IP6_RT_PRIO_ADDRCONF
  }
  const auto made = socket_->change(request, {}, "add route to " + prefix.to_string());
  if (!made) return fail(made);
  return {};
}

Result<Change> Netlink::restore_local_route(const InterfaceAddress& address) {
  return socket_->change(local_route_request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, address),
                         {EEXIST}, "add the local route to " + text_of(address));
}

Result<void> Netlink::rename_link(int index, const std::string& name) {
  Request request(RTM_NEWLINK, 0);
  request.body<ifinfomsg>().ifi_index = index;
  request.put(IFLA_IFNAME, name);
  const auto renamed = socket_->change(
      request, {}, "rename network device " + std::to_string(index) + " to " + name);
  if (!renamed) return fail(renamed);
  return {};
}

Result<void> Netlink::replace_route(const Route& route) {
  const auto made =
      socket_->change(route_request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route), {},
                      "replace " + text_of(route));
  if (!made) return fail(made);
  return {};
}

Result<std::vector<Route>> Netlink::list_routes(bool is_v6, std::uint32_t table) {
  Request request = Request::for_list(RTM_GETROUTE);
  auto& body = request.body<rtmsg>();
  body.rtm_family = is_v6 ? AF_INET6 : AF_INET;
  body.rtm_table = RT_TABLE_UNSPEC;
  body.rtm_protocol = kRouteProtocol;
  request.put(RTA_TABLE, table);
  std::vector<Route> routes;
  const Answer answer = dumps_->ask(request, [&](const nlmsghdr& reply) {
    const auto route = parse_route(reply);
    if (route && route->table == table) routes.push_back(*route);
  });
  // There is no such table.
  if (answer.error != 0 && answer.error != ENOENT) return refused("list routes", answer);
  return routes;
}

Result<ChosenRoute> Netlink::choose_route(const IpAddress& destination) {
  Request request(RTM_GETROUTE, 0);
  auto& body = request.body<rtmsg>();
  body.rtm_family = family_of(destination);
  body.rtm_dst_len = static_cast<std::uint8_t>(destination.bit_length());
  body.rtm_flags = RTM_F_LOOKUP_TABLE | RTM_F_FIB_MATCH;
  request.put(RTA_DST, destination);
  ChosenRoute chosen;
  const Answer answer = socket_->ask(request, [&](const nlmsghdr& reply) {
    const auto& route = *static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&reply));
    chosen = {.link_index = static_cast<int>(number_in(reply, sizeof route, RTA_OIF)),
              .table = number_in(reply, sizeof route, RTA_TABLE),
              .prefix_length = route.rtm_dst_len,
              .is_local = route.rtm_type == RTN_LOCAL};
  });
  const bool is_refused = answer.error == ENETUNREACH || answer.error == EHOSTUNREACH ||
                          answer.error == EACCES || answer.error == EINVAL;
  if (answer.error != 0 && !is_refused) {
    return refused("look for the route to " + destination.to_string(), answer);
  }
  return chosen;
}

Result<std::vector<std::uint32_t>> Netlink::rule_priorities(bool is_v6, std::uint32_t table) {
  Request request = Request::for_list(RTM_GETRULE);
  request.body<fib_rule_hdr>().family = is_v6 ? AF_INET6 : AF_INET;
  std::vector<std::uint32_t> priorities;
  const Answer answer = dumps_->ask(request, [&](const nlmsghdr& reply) {
    constexpr std::size_t kBody = sizeof(fib_rule_hdr);
    if (number_in(reply, kBody, FRA_TABLE) != table) return;
    priorities.push_back(number_in(reply, kBody, FRA_PRIORITY));
  });
  if (answer.error != 0) return refused("list routing rules", answer);
  return priorities;
}

Result<Change> Netlink::add_route(const Route& route) {
  return socket_->change(route_request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route), {EEXIST},
                         "add " + text_of(route));
}

Result<Change> Netlink::delete_route(const Route& route) {
  return socket_->change(route_request(RTM_DELROUTE, 0, route), {ESRCH, ENODEV},
                         "delete " + text_of(route));
}

Result<Change> Netlink::delete_foreign_routes(bool is_v6, std::uint32_t table, int link_index) {
  Request list = Request::for_list(RTM_GETROUTE);
  auto& wanted = list.body<rtmsg>();
  wanted.rtm_family = is_v6 ? AF_INET6 : AF_INET;
  wanted.rtm_table = RT_TABLE_UNSPEC;
  list.put(RTA_TABLE, table);
  constexpr std::size_t kMostAtOnce = 256;  // the next look takes more
  std::vector<Request> deletions;
  const Answer listed = dumps_->ask(list, [&](const nlmsghdr& reply) {
    auto deletion = deletion_of_foreign(reply, table, link_index);
    if (deletion && deletions.size() < kMostAtOnce) deletions.push_back(*deletion);
  });
  // There is no such table.
  if (listed.error != 0 && listed.error != ENOENT) return refused("list routes", listed);
  const std::string doing = "delete another's route in table " + std::to_string(table);
  for (const Request& deletion : deletions) {
    const auto deleted = socket_->change(deletion, {ESRCH, ENODEV}, doing);
    if (!deleted) return deleted;
  }
  return deletions.empty() ? Change::kNotNeeded : Change::kMade;
}

Result<Change> Netlink::add_rule(const RoutingRule& rule) {
  return socket_->change(rule_request(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule), {EEXIST},
                         "add " + text_of(rule));
}

Result<Change> Netlink::delete_rule(const RoutingRule& rule) {
  return socket_->change(rule_request(RTM_DELRULE, 0, rule), {ENOENT}, "delete " + text_of(rule));
}

}  // namespace qdt::os
