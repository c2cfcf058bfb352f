#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/name_server.h"

namespace qdt::os {

/// The user's program to run at a moment of a tunnel's life.
struct Hook {
  enum class Moment { kUp, kDown };
  enum class Reason { kConnected, kChanged, kStopped, kFailed };
  /// An address inside the tunnel, the server's, and the pool that both are from.
  struct Inner {
    IpAddress address;
    IpAddress gateway;
    Prefix pool;
    bool operator==(const Inner&) const = default;
  };
  /// The facts about the tunnel that the program gets.
  struct Tunnel {
    Inner ipv4;
    std::optional<Inner> ipv6;
    std::size_t mtu = 0;
    std::vector<NameServer> dns;
    SocketAddress server;
    bool operator==(const Tunnel&) const = default;
  };

  Moment moment = Moment::kUp;
  Reason reason = Reason::kConnected;
  Tunnel tunnel;
  bool operator==(const Hook&) const = default;
};

/// `NAME=VALUE` for each variable that the program gets (docs/operations.md, Hooks).
inline std::vector<std::string> environment_of(const Hook& hook, const std::string& tun_name) {
  const auto reason = [&] {
    switch (hook.reason) {
      case Hook::Reason::kConnected: return "connected";
      case Hook::Reason::kChanged: return "changed";
      case Hook::Reason::kStopped: return "stopped";
      case Hook::Reason::kFailed: break;
    }
    return "failed";
  };
  const Hook::Tunnel& tunnel = hook.tunnel;
  std::string dns;
  for (const NameServer& server : tunnel.dns) dns += (dns.empty() ? "" : " ") + server.to_string();
  const auto& ipv6 = tunnel.ipv6;
  return {"QDT_DEVICE=" + tun_name,
          "QDT_ADDRESS=" + tunnel.ipv4.address.to_string(),
          "QDT_GATEWAY=" + tunnel.ipv4.gateway.to_string(),
          "QDT_CIDR=" + tunnel.ipv4.pool.to_string(),
          "QDT_ADDRESS6=" + (ipv6 ? ipv6->address.to_string() : ""),
          "QDT_GATEWAY6=" + (ipv6 ? ipv6->gateway.to_string() : ""),
          "QDT_CIDR6=" + (ipv6 ? ipv6->pool.to_string() : ""),
          "QDT_MTU=" + std::to_string(tunnel.mtu),
          "QDT_DNS=" + dns,
          "QDT_SERVER=" + tunnel.server.to_string(),
          std::string("QDT_REASON=") + reason()};
}

}  // namespace qdt::os
