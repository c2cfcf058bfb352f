// Whether a request has reason and makes sense: check_request() of host_message.h.

#include <algorithm>
#include <concepts>

#include "base/domain_name.h"
#include "os/linux/host_message.h"
#include "os/linux/interface_name.h"

namespace qdt::os {
namespace {

bool is_hosts(const IpAddress& address) {
  return !address.is_unspecified() && !address.is_loopback() && !address.is_multicast();
}

Result<void> check_inner(const TunAddress& inner) {
  if (is_hosts(inner.address) && inner.prefix_length > 0) return {};
  return fail(inner.address.to_string() + "/" + std::to_string(inner.prefix_length) +
              " cannot be the address of a TUN device");
}

Result<void> check_mtu(std::size_t mtu) {
  if (mtu >= kMinHostMtu && mtu <= kMaxHostMtu) return {};
  return fail("the MTU of a TUN device is at least " + std::to_string(kMinHostMtu) + ", not " +
              std::to_string(mtu));
}

// Loopback is every host's own.
Result<void> check_route(const Prefix& destination) {
  const bool is_all = destination.length() == 0;
  if (is_all || !destination.address().is_loopback()) return {};
  return fail(destination.to_string() + " is this host's own, and no route into a tunnel");
}

Result<void> check_name_server(const NameServer& server) {
  const bool has_zone = !server.zone.empty();
  const bool may_have_zone = server.address.is_v6() && server.address.is_link_local();
  if (server.address.is_unspecified() || server.address.is_multicast() ||
      (has_zone && (!may_have_zone || !check_interface_name(server.zone)))) {
    return fail("the address of a name server makes no sense");
  }
  return {};
}

template <typename Values, typename Check>
Result<void> check_each(const Values& values, Check check) {
  for (const auto& value : values) {
    if (auto ok = check(value); !ok) return ok;
  }
  return {};
}

bool is_clients(const HostRequest& message) {
  using namespace request;
  return std::visit(
      []<typename T>(const T&) {
        return std::same_as<T, SetTunMtu> || std::same_as<T, RouteEverything> ||
               std::same_as<T, RouteOnly> || std::same_as<T, UseDns> ||
               std::same_as<T, FindNameServersOutside> || std::same_as<T, RaiseKillSwitch> ||
               std::same_as<T, KeepKillSwitch> || std::same_as<T, LowerKillSwitch> ||
               std::same_as<T, RunHook> || std::same_as<T, StopHook> ||
               std::same_as<T, DraftNote> || std::same_as<T, PublishNote> ||
               std::same_as<T, RemoveNote> || std::same_as<T, ForgetDraft>;
      },
      message);
}

bool is_servers(const HostRequest& message) {
  using namespace request;
  return std::visit(
      []<typename T>(const T&) {
        return std::same_as<T, LimitClients> || std::same_as<T, EnableForwarding> ||
               std::same_as<T, InstallNat> || std::same_as<T, FindForwardingObstacles> ||
               std::same_as<T, ReadFiles> || std::same_as<T, AdoptFiles> ||
               std::same_as<T, LookAtCertificate> || std::same_as<T, OpenLeaseFile>;
      },
      message);
}

bool is_same(const TunAddress& one, const TunAddress& other) {
  return one.address == other.address && one.prefix_length == other.prefix_length;
}

// The values of one request.
struct Check {
  const HostPlan& plan;

  Result<void> operator()(const request::ConfigureTun& message) const {
    if (auto ok = check_mtu(message.mtu); !ok) return ok;
    if (auto ok = check_each(message.addresses, check_inner); !ok) return ok;
    const bool is_planned = std::ranges::equal(message.addresses, plan.addresses, is_same);
    if (plan.role == HostPlan::Role::kServer && !is_planned) {
      return fail("the server's addresses are those of its configuration");
    }
    const auto& both = message.addresses;
    if (both.size() == 2 && both[0].address.is_v4() == both[1].address.is_v4()) {
      return fail("a TUN device has one address of a kind");
    }
    return {};
  }
  Result<void> operator()(const request::SetTunMtu& message) const {
    return check_mtu(message.mtu);
  }
  Result<void> operator()(const request::RouteEverything&) const {
    if (plan.takes_everything) return {};
    return fail("the configuration has the tunnel take some routes, not everything");
  }
  Result<void> operator()(const request::RouteOnly& message) const {
    if (plan.takes_everything) return fail("the configuration has the tunnel take everything");
    return check_each(message.destinations, [&](const Prefix& destination) -> Result<void> {
      if (auto ok = check_route(destination); !ok || !plan.routes) return ok;
      const auto has = [&](const Prefix& route) { return route.contains(destination); };
      if (std::ranges::any_of(*plan.routes, has)) return {};
      return fail(destination.to_string() + " is in no route of the configuration");
    });
  }
  Result<void> operator()(const request::UseDns& message) const {
    if (auto ok = check_each(message.wish.servers, check_name_server); !ok) return ok;
    if (std::ranges::all_of(message.wish.domains, is_domain_name)) return {};
    return fail("a domain to ask name servers for is no domain's name");
  }
  Result<void> operator()(const request::RunHook& message) const {
    return check_each(message.hook.tunnel.dns, check_name_server);
  }
  template <typename Other>
  Result<void> operator()(const Other&) const {
    return {};
  }
};

}  // namespace

Result<void> check_request(const HostRequest& request, const HostPlan& plan) {
  const bool is_server = plan.role == HostPlan::Role::kServer;
  if (is_server ? is_clients(request) : is_servers(request)) {
    return fail(std::string("not a request of a ") + (is_server ? "server" : "client"));
  }
  return std::visit(Check{plan}, request);
}

}  // namespace qdt::os
