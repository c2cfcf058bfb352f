#pragma once

// For tests only: a host whose network is open, to be changed.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "os/host_network.h"
#include "os/linux/network_fixture.h"

namespace qdt::os {

inline const IpAddress kInner = *IpAddress::parse("10.8.0.2");
inline const std::vector<Prefix> kRoutes = {*Prefix::parse("172.16.0.0/12")};
inline const NatOptions kNat{.pool = *Prefix::parse("10.8.0.0/24"), .external_interface = "up0"};

/// A host with a device `up0` to the world and a TUN device, and its network, opened.
struct Host {
  TestLogger logger;
  TestTun up{"up0"};
  TestTun tun{"qdt0"};
  std::string before;
  std::unique_ptr<HostNetwork> network;

  Host() {
    EXPECT_EQ(shell("ip link set up0 up && ip address add 192.0.2.2/24 dev up0 && "
                    "ip route add default via 192.0.2.1"),
              "");
    before = host_state();
    open();
  }

  void open() {
    auto opened = open_host_network("qdt0", logger);
    ASSERT_TRUE(opened) << opened.error().message;
    network = std::move(*opened);
  }
};

inline void expect_ok(const Result<void>& result) {
  EXPECT_TRUE(result) << result.error().message;
}

inline void change_everything(HostNetwork& network) {
  expect_ok(network.configure_tun(kInner, 24, 1350));
  expect_ok(network.enable_forwarding());
  expect_ok(network.install_nat(kNat));
  expect_ok(network.route_only(kRoutes));
  expect_ok(network.route_everything_through_tunnel());
  expect_ok(network.use_dns(std::vector{*IpAddress::parse("10.8.0.1")}));
}

}  // namespace qdt::os
