#pragma once

// For tests only: a host's network as NetworkCalls sees it, in memory, that writes down what it is
// asked to change and fails where it is told to.

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "os/windows/network_calls.h"

namespace qdt::os {

inline IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}
inline Prefix net(std::string_view text) {
  return Prefix::parse(text).value();
}

/// State that outlives the objects under test.
class NetworkModel {
 public:
  /// Everything that can be changed.
  struct Host {
    std::vector<Interface> interfaces;
    std::map<std::pair<InterfaceId, IpFamily>, IpSettings> settings;
    std::vector<OwnAddress> addresses;
    std::vector<WindowsRoute> routes;
    std::map<InterfaceId, std::vector<IpAddress>> dns;
    std::vector<ResolutionPolicy> policies;
    std::map<int, std::vector<Filter>> filters;  // by session
    bool operator==(const Host&) const = default;
  };

  Host host;
  std::vector<std::string> changes;  ///< that were asked for, in order
  int calls = 0;                     ///< that were made, questions included
  int failing_call = 0;              ///< the one that fails; 0: none
  bool has_rights = true;
  int dying_call = 0;  ///< in which the process dies: it and all that follow fail
  bool has_died = false;

  /// Ours to change through; any number at a time.
  std::unique_ptr<NetworkCalls> open();

  /// A host with an Ethernet of 192.168.1.0/24 and 2001:db8:1::/64, a radio that is off, and a
  /// tunnel adapter that has just been made.
  static constexpr InterfaceId kEthernet = 11, kRadio = 12, kLoopback = 1, kTun = 77;
  static NetworkModel with_network();

  Result<void> change(std::string what) {
    changes.push_back(what);
    return ask(what);
  }
  Result<void> ask(const std::string& what) {
    ++calls;
    has_died |= calls == dying_call;
    if (has_died) return fail(what + ": the process is gone");
    if (calls == failing_call) return fail(what + ": made to fail");
    return {};
  }
  int next_session = 1;
};

namespace network_model {

inline std::string text_of(const WindowsRoute& route) {
  return route.destination.to_string() + " on " + std::to_string(route.link) +
         (route.next_hop.is_unspecified() ? "" : " by " + route.next_hop.to_string()) + " metric " +
         std::to_string(route.metric);
}

inline std::string text_of(const IpSettings& settings) {
  return "MTU " + std::to_string(settings.mtu) + " metric " +
         (settings.has_automatic_metric ? "auto" : std::to_string(settings.metric)) +
         (settings.configures_itself ? " ra" : "");
}

inline std::string text_of(std::span<const IpAddress> addresses) {
  std::string text;
  for (const IpAddress& address : addresses) text += " " + address.to_string();
  return text.empty() ? " none" : text;
}

inline std::string text_of(IpFamily family) {
  return family == IpFamily::kV4 ? "v4" : "v6";
}

class ModelFilters final : public FilterSession {
 public:
  ModelFilters(NetworkModel& model, int id) : model_(model), id_(id) {}
  ~ModelFilters() override {
    model_.changes.push_back("close filters " + std::to_string(id_));
    model_.host.filters.erase(id_);  // also when the process dies
  }
  Result<void> replace(std::span<const Filter> filters) override {
    auto ok =
        model_.change("set " + std::to_string(filters.size()) + " filters " + std::to_string(id_));
    if (ok) model_.host.filters[id_].assign(filters.begin(), filters.end());
    return ok;
  }
  bool stands() override { return model_.host.filters.contains(id_); }

 private:
  NetworkModel& model_;
  int id_;
};

class ModelCalls final : public NetworkCalls {
 public:
  explicit ModelCalls(NetworkModel& model) : model_(model) {}

  Result<void> check_rights() override {
    if (model_.has_rights) return {};
    return fail("needs administrator's rights");
  }
  Result<std::vector<Interface>> interfaces() override {
    return read("interfaces", host().interfaces);
  }

  Result<IpSettings> ip_settings(InterfaceId link, IpFamily family) override {
    if (auto ok = model_.ask("settings"); !ok) return fail(ok);
    const auto found = host().settings.find({link, family});
    if (found == host().settings.end()) return fail("Element not found (error 1168)");
    return found->second;
  }
  Result<void> set_ip_settings(InterfaceId link, IpFamily family,
                               const IpSettings& settings) override {
    auto ok = model_.change("set " + std::to_string(link) + " " + text_of(family) + " " +
                            text_of(settings));
    if (ok) host().settings[{link, family}] = settings;
    return ok;
  }

  Result<std::vector<OwnAddress>> addresses() override {
    return read("addresses", host().addresses);
  }
  Result<void> add_address(const OwnAddress& address) override {
    auto ok = model_.change("add address " + address.address.to_string());
    if (ok) host().addresses.push_back(address);
    return ok;
  }
  Result<void> remove_address(const OwnAddress& address) override {
    auto ok = model_.change("remove address " + address.address.to_string());
    if (ok) std::erase(host().addresses, address);
    return ok;
  }

  Result<std::vector<WindowsRoute>> routes() override { return read("routes", host().routes); }
  Result<void> add_route(const WindowsRoute& route) override {
    auto ok = model_.change("add route " + text_of(route));
    const bool is_there = std::ranges::any_of(host().routes, [&](const WindowsRoute& one) {
      return one.destination == route.destination && one.link == route.link &&
             one.next_hop == route.next_hop;
    });
    if (ok && is_there) return fail("The object already exists (error 5010)");
    if (ok) host().routes.push_back(route);
    return ok;
  }
  Result<void> remove_route(const WindowsRoute& route) override {
    auto ok = model_.change("remove route " + text_of(route));
    if (ok) std::erase(host().routes, route);
    return ok;
  }
  Result<IpAddress> source_towards(const IpAddress& destination,
                                   std::optional<InterfaceId> link) override {
    if (auto ok = model_.ask("source"); !ok) return fail(ok);
    for (const OwnAddress& address : host().addresses) {
      const bool fits =
          address.address.is_v4() == destination.is_v4() && !address.address.is_link_local();
      if (fits && address.link == link) return address.address;
    }
    return fail("Network unreachable (error 1231)");
  }

  Result<std::vector<InterfaceDns>> dns() override {
    if (auto ok = model_.ask("dns"); !ok) return fail(ok);
    std::vector<InterfaceDns> all;
    for (const auto& [link, servers] : host().dns) all.push_back({link, servers});
    return all;
  }
  Result<void> set_dns(InterfaceId link, IpFamily family,
                       std::span<const IpAddress> servers) override {
    auto ok =
        model_.change("set dns " + std::to_string(link) + " " + text_of(family) + text_of(servers));
    if (!ok) return ok;
    auto& all = host().dns[link];
    std::erase_if(all, [&](const IpAddress& one) { return family_of(one) == family; });
    all.insert(family == IpFamily::kV4 ? all.begin() : all.end(), servers.begin(), servers.end());
    return ok;
  }
  Result<std::vector<ResolutionPolicy>> resolution_policies() override {
    return read("policies", host().policies);
  }
  Result<void> add_resolution_policy(const ResolutionPolicy& policy) override {
    auto ok = model_.change("add policy " + policy.key + text_of(policy.servers));
    if (!ok) return ok;
    forget_policy(policy.key);
    host().policies.push_back(policy);
    return ok;
  }
  Result<void> remove_resolution_policy(const std::string& key) override {
    auto ok = model_.change("remove policy " + key);
    if (ok) forget_policy(key);
    return ok;
  }

  Result<std::unique_ptr<FilterSession>> open_filters(const std::string& name) override {
    if (auto ok = model_.change("open filters " + name); !ok) return fail(ok);
    return std::make_unique<ModelFilters>(model_, model_.next_session++);
  }

 private:
  NetworkModel::Host& host() { return model_.host; }
  void forget_policy(const std::string& key) {
    std::erase_if(host().policies, [&](const ResolutionPolicy& one) { return one.key == key; });
  }
  template <typename Value>
  Result<Value> read(const std::string& what, const Value& value) {
    if (auto ok = model_.ask(what); !ok) return fail(ok);
    return value;
  }

  NetworkModel& model_;
};

}  // namespace network_model

inline void PrintTo(const NetworkModel::Host& host, std::ostream* out) {
  for (const auto& [key, settings] : host.settings) {
    *out << key.first << ' ' << network_model::text_of(key.second) << ' '
         << network_model::text_of(settings) << '\n';
  }
  for (const OwnAddress& address : host.addresses) *out << address.address.to_string() << '\n';
  for (const WindowsRoute& route : host.routes) *out << network_model::text_of(route) << '\n';
  for (const auto& [link, servers] : host.dns)
    *out << link << " dns" << network_model::text_of(servers) << '\n';
  for (const ResolutionPolicy& policy : host.policies) *out << policy.key << '\n';
  for (const auto& [id, filters] : host.filters) *out << filters.size() << " filters\n";
}

inline std::unique_ptr<NetworkCalls> NetworkModel::open() {
  return std::make_unique<network_model::ModelCalls>(*this);
}

inline NetworkModel NetworkModel::with_network() {
  NetworkModel model;
  const IpSettings usual{
      .mtu = 1500, .has_automatic_metric = true, .metric = 25, .configures_itself = false};
  IpSettings usual6 = usual;
  usual6.configures_itself = true;
  model.host.interfaces = {{kLoopback, 1, "Loopback Pseudo-Interface 1", "Loopback", true},
                           {kEthernet, 3, "Ethernet", "Some Ethernet Controller", true},
                           {kRadio, 4, "Wi-Fi", "Some Radio", false},
                           {kTun, 9, "qdt0", "QDT Tunnel", true}};
  for (const InterfaceId link : {kLoopback, kEthernet, kRadio, kTun}) {
    model.host.settings[{link, IpFamily::kV4}] = usual;
    model.host.settings[{link, IpFamily::kV6}] = usual6;
  }
  model.host.addresses = {{kEthernet, ip("192.168.1.20"), 24},
                          {kEthernet, ip("2001:db8:1::20"), 64}};
  const IpAddress v4_link, v6_link = ip("::");
  model.host.routes = {{net("0.0.0.0/0"), kEthernet, ip("192.168.1.1"), 0},
                       {net("192.168.1.0/24"), kEthernet, v4_link, 256},
                       {net("127.0.0.0/8"), kLoopback, v4_link, 256},
                       {net("::/0"), kEthernet, ip("fe80::1"), 16},
                       {net("2001:db8:1::/64"), kEthernet, v6_link, 256}};
  model.host.dns = {{kEthernet, {ip("192.168.1.1")}}, {kTun, {}}};
  return model;
}

}  // namespace qdt::os
