#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"

namespace qdt::os {

// The requests to Windows' network, as values: no Windows type is needed to say it, so that what is
// built on top of it is tested against a model (network_model.h), call by call, anywhere.

/// An interface, by what stays the same as long as it exists (NET_LUID).
using InterfaceId = std::uint64_t;

struct Interface {
  InterfaceId id = 0;
  std::uint32_t index = 0;
  std::string name;         ///< as `netsh interface show interface` has it: the alias
  std::string description;  ///< its driver's, such as "QDT Tunnel"
  bool is_up = false;       ///< with a cable, or in a wireless network
  /// One of QDT's, of whichever process. Wintun describes its adapters by the type that
  /// tun_device.cc gives them.
  bool is_tunnel() const { return description.starts_with("QDT Tunnel"); }
  bool operator==(const Interface&) const = default;
};

enum class IpFamily : std::uint8_t { kV4, kV6 };

inline IpFamily family_of(const IpAddress& address) {
  return address.is_v4() ? IpFamily::kV4 : IpFamily::kV6;
}

/// How an interface does one IP version.
struct IpSettings {
  std::uint32_t mtu = 0;
  bool has_automatic_metric = true;
  std::uint32_t metric = 0;  ///< added to those of its routes
  /// IPv6: the system gives it a link-local address, and looks for routers.
  bool configures_itself = true;
  bool operator==(const IpSettings&) const = default;
};

struct OwnAddress {
  InterfaceId link = 0;
  IpAddress address;
  int prefix_length = 0;
  bool is_usable = true;  ///< not tentative, not a duplicate
  auto operator<=>(const OwnAddress&) const = default;
};

struct WindowsRoute {
  Prefix destination;
  InterfaceId link = 0;
  IpAddress next_hop;  ///< unspecified: on the link
  std::uint32_t metric = 0;
  auto operator<=>(const WindowsRoute&) const = default;
};

struct InterfaceDns {
  InterfaceId link = 0;
  std::vector<IpAddress> servers;
  bool operator==(const InterfaceDns&) const = default;
};

/// A rule of the name resolution policy table: questions for names of these domains and below go to
/// these servers and to no others, whichever interfaces have servers of their own.
struct ResolutionPolicy {
  std::string key;                 ///< its name in the registry
  std::vector<std::string> names;  ///< `.corp.example`; `.` for all names
  std::vector<IpAddress> servers;
  bool operator==(const ResolutionPolicy&) const = default;
};

/// The layer at which a connection, or a packet that belongs to none, is filtered. Those of one
/// kind are alternatives; those of different kinds must all hold.
struct OnInterface {
  InterfaceId link = 0;
  bool operator==(const OnInterface&) const = default;
};
struct OnLoopback {
  bool operator==(const OnLoopback&) const = default;
};
struct OfThisProgram {
  bool operator==(const OfThisProgram&) const = default;
};
struct RemotePrefix {
  Prefix prefix;
  bool operator==(const RemotePrefix&) const = default;
};
struct IpProtocol {
  std::uint8_t number = 0;
  bool operator==(const IpProtocol&) const = default;
};
/// ICMP: the type.
struct LocalPort {
  std::uint16_t port = 0;
  bool operator==(const LocalPort&) const = default;
};
struct RemotePort {
  std::uint16_t port = 0;
  bool operator==(const RemotePort&) const = default;
};
using FilterCondition = std::variant<OnInterface, OnLoopback, OfThisProgram, RemotePrefix,
                                     IpProtocol, LocalPort, RemotePort>;

enum class Direction : std::uint8_t { kOut, kIn };

/// The matching one of the greatest weight decides.
struct Filter {
  std::string name;  ///< for whoever looks at `netsh wfp show filters`
  Direction direction = Direction::kOut;
  IpFamily family = IpFamily::kV4;
  bool is_permit = false;
  std::uint8_t weight = 0;  ///< 0..15
  std::vector<FilterCondition> conditions;
  bool operator==(const Filter&) const = default;
};

/// Filters that exist as long as the object, and never longer than the process.
class FilterSession {
 public:
  virtual ~FilterSession() = default;
  /// Puts `filters` in the place of the earlier ones, in one step: at no moment are there none.
  virtual Result<void> replace(std::span<const Filter> filters) = 0;
  /// Whether all of them are still there.
  virtual bool stands() = 0;
};

/// The calls. What changes something has read back when it returns that it is so; an error says
/// what could not be done, to what, and why. One thread.
class NetworkCalls {
 public:
  virtual ~NetworkCalls() = default;

  /// An error without an administrator's rights.
  virtual Result<void> check_rights() = 0;
  virtual Result<std::vector<Interface>> interfaces() = 0;

  /// An error when the interface does not do this IP version.
  virtual Result<IpSettings> ip_settings(InterfaceId link, IpFamily family) = 0;
  virtual Result<void> set_ip_settings(InterfaceId link, IpFamily family,
                                       const IpSettings& settings) = 0;

  virtual Result<std::vector<OwnAddress>> addresses() = 0;
  /// Returns when the address can be used.
  virtual Result<void> add_address(const OwnAddress& address) = 0;
  virtual Result<void> remove_address(const OwnAddress& address) = 0;

  virtual Result<std::vector<WindowsRoute>> routes() = 0;
  virtual Result<void> add_route(const WindowsRoute& route) = 0;
  virtual Result<void> remove_route(const WindowsRoute& route) = 0;
  /// The address from which packets to `destination` leave by this interface, or by whichever
  /// Windows would choose.
  virtual Result<IpAddress> source_towards(const IpAddress& destination,
                                           std::optional<InterfaceId> link) = 0;

  /// Name servers of every interface, also where they came by DHCP.
  virtual Result<std::vector<InterfaceDns>> dns() = 0;
  /// Those of one IP version; empty: none.
  virtual Result<void> set_dns(InterfaceId link, IpFamily family,
                               std::span<const IpAddress> servers) = 0;
  virtual Result<std::vector<ResolutionPolicy>> resolution_policies() = 0;
  virtual Result<void> add_resolution_policy(const ResolutionPolicy& policy) = 0;
  virtual Result<void> remove_resolution_policy(const std::string& key) = 0;

  /// A session without filters yet.
  virtual Result<std::unique_ptr<FilterSession>> open_filters(const std::string& name) = 0;
};

}  // namespace qdt::os
