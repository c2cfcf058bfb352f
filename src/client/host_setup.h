#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/logger.h"
#include "base/name_server.h"
#include "base/result.h"
#include "base/routing.h"
#include "os/host_control.h"
#include "os/host_network.h"
#include "os/kill_switch.h"
#include "os/poller.h"
#include "wire/handshake.h"

namespace qdt::client {

/// This host, made ready for the tunnel, and put back when the object goes. The thread of main.
class HostSetup {
 public:
  struct Options {
    std::string tun_name;
    Routing routing = Routing::kEverything;
    std::vector<NameServer> dns;  ///< empty: what the server pushes
    bool has_dns = true;          ///< false: the host's own stay in force
    std::vector<std::string>
        dns_domains;            ///< likewise empty; for a tunnel that takes not everything
    bool dns_required = false;  ///< a host whose name servers cannot be set is a failure
    std::vector<Prefix>
        routes;  ///< go into the tunnel besides the server's, unless everything does
    std::vector<Prefix> exclude;  ///< stay outside, whatever else is said
    /// Routing::kEverything: local networks that stay outside besides those with private addresses,
    /// which do so only with `leaves_lan`, as do answers to connections that come in there.
    std::vector<Prefix> lan;
    bool leaves_lan = true;
    std::size_t mtu = wire::kDefaultMtu;
    /// A program and its arguments to run when the tunnel is up, and before it goes; empty: none.
    std::vector<std::string> up;
    std::vector<std::string> down;
    /// Readable once this process is to stop: nothing waits for `up` any more then.
    std::optional<os::PollHandle> stop;
    bool has_kill_switch = false;
    bool kill_switch_allows_lan = false;
  };

  /// Before the TUN device is there, and before the first packet to the server.
  static Result<std::unique_ptr<HostSetup>> open(const Options& options, os::HostControl& host,
                                                 Logger& logger);

  /// Whether this host has an address that the server lends: which, in words. Nothing is touched.
  std::optional<std::string> find_own_lease(const wire::ConnectResponse& response) const;
  /// This host is in other networks than before: a LAN that has the pool's addresses is told of,
  /// and with Routing::kEverything stays reachable.
  void follow_networks(const wire::ConnectResponse& response);
  /// Takes the lease off the device: it has become another device's address. apply() sets the next
  /// one.
  Result<void> release_lease();

  /// Applies what a server granted: address, MTU, routes, name servers. Called again, after a
  /// reconnect, it changes what differs. `server` is where the tunnel's own packets go. A failure
  /// ends the client, whose end undoes all of it.
  Result<void> apply(const wire::ConnectResponse& response, const SocketAddress& server);
  /// The path to the server carries packets of `path_mtu` bytes: the TUN device gets the MTU that
  /// leaves. After apply().
  Result<void> follow_path(std::size_t path_mtu, std::size_t tunnel_mtu);
  /// The TUN device's; 0 before apply().
  std::size_t mtu() const { return mtu_; }
  /// Looks whether all that still stands, and puts back what somebody has changed. Cheap.
  os::Upkeep keep();
  /// The TUN device has been made again, after keep() missed it.
  Result<void> adopt_device() { return network_->adopt_device(); }
  /// The name servers to ask for the server's address now, by os::resolve(): the system may only
  /// know name servers inside the tunnel, and its questions do not pass the kill switch; or this
  /// process may not read what the system's resolver reads. Empty: the system.
  std::vector<NameServer> name_servers() const;
  /// Routes of the host's networks that do not count; see os::HostNetwork.
  std::vector<std::string> ignored_routes() const { return network_->ignored_routes(); }
  /// The name servers that the tunnel has brought to this host; none: its own stay in force.
  std::vector<std::string> name_servers_in_force() const;
  /// Runs `down`, once, where `up` was run or would have been. Before the TUN device goes.
  void bring_down();
  /// The user asked for the end: the kill switch goes with the object. At every other end it stays.
  void let_go() { lets_go_ = true; }

  HostSetup(const HostSetup&) = delete;
  HostSetup& operator=(const HostSetup&) = delete;
  ~HostSetup();

 private:
  HostSetup(const Options& options, os::HostControl& host, Logger& logger)
      : options_(options), host_(host), logger_(logger) {}

  os::NameServerWish wish_of(const wire::ConnectResponse& response) const;
  Result<void> apply_dns(const wire::ConnectResponse& response);
  std::vector<Prefix> addresses_inside(const wire::ConnectResponse& response) const;
  std::vector<IpAddress> name_servers_allowed() const;
  Result<void> route_everything();
  void follow_name_servers();
  Result<void> run_up(const wire::ConnectResponse& response, const SocketAddress& server);
  Result<void> check_networks(const wire::ConnectResponse& response, const IpAddress& server);
  Result<void> apply_routes(const wire::ConnectResponse& response, const SocketAddress& server);

  Options options_;
  os::HostControl& host_;
  Logger& logger_;
  bool is_applied_ = false;
  bool has_set_dns_ = false;
  std::size_t mtu_ = 0;                   ///< of the TUN device
  std::optional<os::Hook::Tunnel> told_;  ///< what hooks were told last; nothing is up without
  std::vector<Prefix> reachable_pools_;   ///< of the server's: none is a LAN of this host
  std::string taken_network_;             ///< likewise
  std::string hidden_pool_;               ///< as was warned of last
  bool lets_go_ = false;
  std::string dns_note_;  ///< what was said last of name servers
  IpAddress server_;      ///< since apply()
  os::NameServerWish wish_;
  std::vector<IpAddress> allowed_;  ///< name servers that may be asked outside the tunnel
  std::vector<Prefix> inside_;      ///< what no LAN gets
  std::unique_ptr<os::KillSwitch> kill_switch_;
  std::unique_ptr<os::HostNetwork> network_;
};

}  // namespace qdt::client
