#include "os/windows/windows_network.h"

#include <string>

#include "os/windows/network_headers.h"
#include "os/windows/outside.h"
#include "os/windows/socket_address.h"
#include "os/windows/system_error.h"
#include "os/windows/wide.h"

namespace qdt::os {
namespace {

constexpr int kUsableTries = 150;  // 3 s: duplicate address detection takes 1 s where it is done
constexpr DWORD kUsablePause = 20;

struct FreeTable {
  void operator()(void* table) const { ::FreeMibTable(table); }
};
template <typename Table>
using TablePointer = std::unique_ptr<Table, FreeTable>;

ADDRESS_FAMILY number_of(IpFamily family) {
  return family == IpFamily::kV4 ? AF_INET : AF_INET6;
}

NET_LUID luid_of(InterfaceId link) {
  NET_LUID luid{};
  luid.Value = link;
  return luid;
}

bool is_ip(const SOCKADDR_INET& address) {
  return address.si_family == AF_INET || address.si_family == AF_INET6;
}

std::string text_of(const WindowsRoute& route) {
  return "route to " + route.destination.to_string() +
         (route.next_hop.is_unspecified() ? "" : " by " + route.next_hop.to_string());
}

Result<MIB_IPINTERFACE_ROW> read_row(InterfaceId link, IpFamily family) {
  const std::string doing =
      std::string("read an adapter's settings of IPv") + (family == IpFamily::kV4 ? "4" : "6");
  MIB_IPINTERFACE_TABLE* raw = nullptr;
  const DWORD error = ::GetIpInterfaceTable(number_of(family), &raw);
  if (error != NO_ERROR) return windows_error(doing, error);
  const TablePointer<MIB_IPINTERFACE_TABLE> table(raw);
  for (const MIB_IPINTERFACE_ROW& row : std::span(table->Table, table->NumEntries)) {
    if (row.InterfaceLuid.Value == link) return row;
  }
  return windows_error(doing, ERROR_NOT_FOUND);
}

IpSettings settings_of(const MIB_IPINTERFACE_ROW& row) {
  return {.mtu = row.NlMtu,
          .has_automatic_metric = row.UseAutomaticMetric != 0,
          .metric = row.Metric,
          .configures_itself =
              row.Family == AF_INET6 && row.RouterDiscoveryBehavior != RouterDiscoveryDisabled};
}

MIB_UNICASTIPADDRESS_ROW row_of(const OwnAddress& address) {
  MIB_UNICASTIPADDRESS_ROW row{};
  ::InitializeUnicastIpAddressEntry(&row);
  row.InterfaceLuid = luid_of(address.link);
  row.Address = to_sockaddr_inet(address.address);
  row.OnLinkPrefixLength = static_cast<UINT8>(address.prefix_length);
  row.DadState = IpDadStatePreferred;
  return row;
}

MIB_IPFORWARD_ROW2 row_of(const WindowsRoute& route) {
  MIB_IPFORWARD_ROW2 row{};
  ::InitializeIpForwardEntry(&row);
  row.InterfaceLuid = luid_of(route.link);
  row.DestinationPrefix.Prefix = to_sockaddr_inet(route.destination.address());
  row.DestinationPrefix.PrefixLength = static_cast<UINT8>(route.destination.length());
  row.NextHop = to_sockaddr_inet(route.next_hop);
  row.Metric = route.metric;
  row.Protocol = static_cast<NL_ROUTE_PROTOCOL>(MIB_IPPROTO_NETMGMT);
  return row;
}

class WindowsNetwork final : public NetworkCalls {
 public:
  Result<void> check_rights() override;
  Result<std::vector<Interface>> interfaces() override;
  Result<IpSettings> ip_settings(InterfaceId link, IpFamily family) override;
  Result<void> set_ip_settings(InterfaceId link, IpFamily family,
                               const IpSettings& settings) override;
  Result<std::vector<OwnAddress>> addresses() override;
  Result<void> add_address(const OwnAddress& address) override;
  Result<void> remove_address(const OwnAddress& address) override;
  Result<std::vector<WindowsRoute>> routes() override;
  Result<void> add_route(const WindowsRoute& route) override;
  Result<void> remove_route(const WindowsRoute& route) override;
  Result<IpAddress> source_towards(const IpAddress& destination,
                                   std::optional<InterfaceId> link) override;

  Result<std::vector<InterfaceDns>> dns() override { return read_dns(); }
  Result<void> set_dns(InterfaceId link, IpFamily family,
                       std::span<const IpAddress> servers) override {
    return write_dns(link, family, servers);
  }
  Result<std::vector<ResolutionPolicy>> resolution_policies() override {
    return read_resolution_policies();
  }
  Result<void> add_resolution_policy(const ResolutionPolicy& policy) override {
    return write_resolution_policy(policy);
  }
  Result<void> remove_resolution_policy(const std::string& key) override {
    return delete_resolution_policy(key);
  }
  Result<std::unique_ptr<FilterSession>> open_filters(const std::string& name) override {
    return open_filter_session(name);
  }

 private:
  Result<void> wait_until_usable(const OwnAddress& address);
};

Result<void> WindowsNetwork::check_rights() {
  if (is_elevated()) return {};
  return fail("change this host's network: " + std::string(kNeedsAdministrator));
}

Result<std::vector<Interface>> WindowsNetwork::interfaces() {
  MIB_IF_TABLE2* raw = nullptr;
  const DWORD error = ::GetIfTable2(&raw);
  if (error != NO_ERROR) return windows_error("list the network adapters", error);
  const TablePointer<MIB_IF_TABLE2> table(raw);
  std::vector<Interface> all;
  for (const MIB_IF_ROW2& row : std::span(table->Table, table->NumEntries)) {
    // A driver's layers on an adapter are listed as adapters.
    if (row.InterfaceAndOperStatusFlags.FilterInterface) continue;
    all.push_back({.id = row.InterfaceLuid.Value,
                   .index = row.InterfaceIndex,
                   .name = to_utf8(row.Alias),
                   .description = to_utf8(row.Description),
                   .is_up = row.OperStatus == IfOperStatusUp &&
                            row.MediaConnectState != MediaConnectStateDisconnected});
  }
  return all;
}

Result<IpSettings> WindowsNetwork::ip_settings(InterfaceId link, IpFamily family) {
  const auto row = read_row(link, family);
  if (!row) return fail(row);
  return settings_of(*row);
}

Result<void> WindowsNetwork::set_ip_settings(InterfaceId link, IpFamily family,
                                             const IpSettings& settings) {
  const std::string doing =
      std::string("change an adapter's settings of IPv") + (family == IpFamily::kV4 ? "4" : "6");
  auto row = read_row(link, family);
  if (!row) return fail(row);
  if (family == IpFamily::kV4) row->SitePrefixLength = 0;  // as SetIpInterfaceEntry wants it
  row->NlMtu = settings.mtu;
  row->UseAutomaticMetric = settings.has_automatic_metric ? TRUE : FALSE;
  row->Metric = settings.metric;
  if (family == IpFamily::kV6) {
    const bool is_still = !settings.configures_itself;
    row->RouterDiscoveryBehavior = is_still ? RouterDiscoveryDisabled : RouterDiscoveryEnabled;
    row->LinkLocalAddressBehavior = is_still ? LinkLocalAlwaysOff : LinkLocalDelayed;
    row->ManagedAddressConfigurationSupported = is_still ? FALSE : TRUE;
    row->OtherStatefulConfigurationSupported = is_still ? FALSE : TRUE;
  }
  const DWORD error = ::SetIpInterfaceEntry(&*row);
  if (error != NO_ERROR) return windows_error(doing, error);

  const auto now = ip_settings(link, family);
  if (!now) return fail(now);
  const bool is_set = now->mtu == settings.mtu &&
                      now->has_automatic_metric == settings.has_automatic_metric &&
                      (settings.has_automatic_metric || now->metric == settings.metric) &&
                      now->configures_itself == settings.configures_itself;
  if (!is_set) {
    return fail(doing + ": Windows took MTU " + std::to_string(settings.mtu) + " and metric " +
                std::to_string(settings.metric) + " and now has MTU " + std::to_string(now->mtu) +
                " and metric " + std::to_string(now->metric) + "; what else sets them?");
  }
  return {};
}

Result<std::vector<OwnAddress>> WindowsNetwork::addresses() {
  MIB_UNICASTIPADDRESS_TABLE* raw = nullptr;
  const DWORD error = ::GetUnicastIpAddressTable(AF_UNSPEC, &raw);
  if (error != NO_ERROR) return windows_error("list this host's addresses", error);
  const TablePointer<MIB_UNICASTIPADDRESS_TABLE> table(raw);
  std::vector<OwnAddress> all;
  for (const MIB_UNICASTIPADDRESS_ROW& row : std::span(table->Table, table->NumEntries)) {
    if (!is_ip(row.Address)) continue;
    all.push_back(
        {.link = row.InterfaceLuid.Value,
         .address = from_kernel(row.Address),
         .prefix_length = row.OnLinkPrefixLength,
         .is_usable = row.DadState == IpDadStatePreferred || row.DadState == IpDadStateDeprecated});
  }
  return all;
}

Result<void> WindowsNetwork::add_address(const OwnAddress& address) {
  const MIB_UNICASTIPADDRESS_ROW row = row_of(address);
  const DWORD error = ::CreateUnicastIpAddressEntry(&row);
  if (error != NO_ERROR) {
    return windows_error("add the address " + address.address.to_string(), error);
  }
  const auto usable = wait_until_usable(address);
  if (!usable) ::DeleteUnicastIpAddressEntry(&row);
  return usable;
}

Result<void> WindowsNetwork::wait_until_usable(const OwnAddress& address) {
  const std::string doing = "wait for the address " + address.address.to_string();
  MIB_UNICASTIPADDRESS_ROW row = row_of(address);
  for (int i = 0; i < kUsableTries; ++i) {
    const DWORD error = ::GetUnicastIpAddressEntry(&row);
    if (error != NO_ERROR) return windows_error(doing, error);
    if (row.DadState == IpDadStatePreferred) return {};
    if (row.DadState == IpDadStateDuplicate) {
      return fail(doing + ": Windows says that another host has it");
    }
    ::Sleep(kUsablePause);
  }
  return fail(doing + ": Windows still checks that no other host has it, after 3 s");
}

Result<void> WindowsNetwork::remove_address(const OwnAddress& address) {
  const MIB_UNICASTIPADDRESS_ROW row = row_of(address);
  const DWORD error = ::DeleteUnicastIpAddressEntry(&row);
  if (error == NO_ERROR || error == ERROR_NOT_FOUND) return {};
  return windows_error("remove the address " + address.address.to_string(), error);
}

Result<std::vector<WindowsRoute>> WindowsNetwork::routes() {
  MIB_IPFORWARD_TABLE2* raw = nullptr;
  const DWORD error = ::GetIpForwardTable2(AF_UNSPEC, &raw);
  if (error != NO_ERROR) return windows_error("list this host's routes", error);
  const TablePointer<MIB_IPFORWARD_TABLE2> table(raw);
  std::vector<WindowsRoute> all;
  for (const MIB_IPFORWARD_ROW2& row : std::span(table->Table, table->NumEntries)) {
    if (!is_ip(row.DestinationPrefix.Prefix) || !is_ip(row.NextHop)) continue;
    all.push_back({.destination = Prefix(from_kernel(row.DestinationPrefix.Prefix),
                                         row.DestinationPrefix.PrefixLength),
                   .link = row.InterfaceLuid.Value,
                   .next_hop = from_kernel(row.NextHop),
                   .metric = row.Metric});
  }
  return all;
}

Result<void> WindowsNetwork::add_route(const WindowsRoute& route) {
  const std::string doing = "add the " + text_of(route);
  const MIB_IPFORWARD_ROW2 wanted = row_of(route);
  const DWORD error = ::CreateIpForwardEntry2(&wanted);
  if (error != NO_ERROR) return windows_error(doing, error);
  MIB_IPFORWARD_ROW2 row = wanted;
  const DWORD missing = ::GetIpForwardEntry2(&row);
  if (missing == NO_ERROR && row.Metric == route.metric) return {};
  ::DeleteIpForwardEntry2(&wanted);
  if (missing != NO_ERROR) return windows_error(doing + ": read it back", missing);
  return fail(doing + ": it has the metric " + std::to_string(row.Metric) + " instead of " +
              std::to_string(route.metric));
}

Result<void> WindowsNetwork::remove_route(const WindowsRoute& route) {
  const MIB_IPFORWARD_ROW2 row = row_of(route);
  const DWORD error = ::DeleteIpForwardEntry2(&row);
  if (error == NO_ERROR || error == ERROR_NOT_FOUND) return {};
  return windows_error("remove the " + text_of(route), error);
}

Result<IpAddress> WindowsNetwork::source_towards(const IpAddress& destination,
                                                 std::optional<InterfaceId> link) {
  NET_LUID luid = luid_of(link.value_or(0));
  const SOCKADDR_INET to = to_sockaddr_inet(destination);
  MIB_IPFORWARD_ROW2 route{};
  SOCKADDR_INET source{};
  const DWORD error = ::GetBestRoute2(link ? &luid : nullptr, 0, nullptr, &to, 0, &route, &source);
  if (error != NO_ERROR) {
    return windows_error("look for this host's address towards " + destination.to_string(), error);
  }
  return from_kernel(source);
}

}  // namespace

std::unique_ptr<NetworkCalls> windows_network() {
  return std::make_unique<WindowsNetwork>();
}

Result<WayOutside> way_outside(const IpAddress& remote) {
  return way_outside(*windows_network(), remote);
}

}  // namespace qdt::os
