#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/machine.h"
#include "support/seeded_random.h"

namespace qdt::client {

using Kind = Ending::Kind;
using Phase = Machine::Phase;

inline constexpr Timestamp kStart{Duration(100s)};

inline SocketAddress server(const char* address) {
  return {*IpAddress::parse(address), 443};
}
inline const SocketAddress kA6 = server("2001:db8::1");
inline const SocketAddress kA4 = server("192.0.2.1");
inline const SocketAddress kB4 = server("192.0.2.2");
inline const IpAddress kHome = *IpAddress::parse("198.51.100.2");
inline const IpAddress kCafe = *IpAddress::parse("203.0.113.7");

inline const Ending kNoAnswer{Kind::kNoAnswer, ""};
inline const Ending kOtherVersion{Kind::kOtherVersion, "another version"};
inline const Ending kLost{Kind::kLost, "the server fell silent"};
inline const Ending kBusy{Kind::kRefused, "server busy"};
inline const Ending kUnauthorized{Kind::kRefused, "unauthorized", /*is_lasting=*/true};

inline wire::ConnectResponse lease(const char* address) {
  wire::ConnectResponse response;
  response.client_ip = *IpAddress::parse(address);
  response.resume_token = std::string("token of ") + address;
  return response;
}

/// A machine, and the world around it for as long as all goes well.
class MachineTest : public ::testing::Test {
 protected:
  explicit MachineTest(bool waits_for_server = false)
      : machine({.server_host = "vpn.test", .reconnect = {.waits_for_server = waits_for_server}},
                random, kStart) {}

  void on(const Event& event) { actions = machine.on(event, now); }
  /// The latest event's action of this kind.
  template <typename One>
  const One* find() const {
    for (const Action& action : actions) {
      if (const auto* one = std::get_if<One>(&action)) return one;
    }
    return nullptr;
  }
  template <typename One>
  bool does() const {
    return find<One>() != nullptr;
  }
  std::vector<SocketAddress> started() {
    std::vector<SocketAddress> servers;
    for (const Action& action : actions) {
      const auto* start = std::get_if<action::StartAttempt>(&action);
      if (start == nullptr) continue;
      servers.push_back(start->server);
      attempt = start->attempt;
    }
    return servers;
  }
  /// The moment that the machine waits for.
  void pass() {
    now = std::max(now, machine.due());
    on(event::Due{});
  }

  /// Begins a race whose name servers do not answer yet.
  void begin() {
    pass();
    on(event::SocketOpened{find<action::OpenSocket>()->race, ways(kHome)});
  }
  void resolve(std::vector<SocketAddress> servers) {
    Ways all(servers.size(), kHome);
    on(event::Resolved{std::move(servers), std::move(all)});
    started();
  }
  /// The latest attempt gets a session.
  void grant(const char* address = "10.8.0.2", std::optional<std::string> own_lease = {}) {
    const UdpPath path{.local = {kHome, 1000}, .remote = kA4};
    on(event::Connected{attempt, path, lease(address), std::move(own_lease)});
  }
  void connect(const char* address = "10.8.0.2") {
    begin();
    resolve({kA4});
    grant(address);
    if (machine.phase() == Phase::kSettingUp) on(event::HostReady{attempt});
  }
  /// A session of a minute is lost.
  void lose() {
    now += 1min;
    on(event::Ended{attempt, kLost});
  }
  Ways ways(std::optional<IpAddress> one) const { return Ways(machine.servers().size(), one); }
  /// This host is at `address` now.
  void roam(std::optional<IpAddress> address) {
    on(event::NetworkChanged{.ways = ways(address), .session_way = address});
  }
  /// Once in each state but the last.
  template <typename Check>
  void in_every_phase(Check check) {
    check();
    begin();
    check();
    resolve({kA4});
    check();
    grant();
    check();
    on(event::HostReady{attempt});
    check();
  }

  testing::SeededRandom random{1};
  Timestamp now = kStart;
  Machine machine;
  Machine::Actions actions;
  AttemptId attempt = 0;  // the latest
};

}  // namespace qdt::client
