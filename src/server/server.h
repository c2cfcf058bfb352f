#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "access/admission.h"
#include "base/ip_address.h"
#include "base/lasting_fault.h"
#include "base/logger.h"
#include "base/random.h"
#include "base/result.h"
#include "os/host_control.h"
#include "os/host_network.h"
#include "os/host_watch.h"
#include "os/keep_pace.h"
#include "os/tun_device.h"
#include "os/udp_socket.h"
#include "quic/tls.h"
#include "server/connect_service.h"
#include "server/decoy_proxy.h"
#include "server/end_walk.h"
#include "server/handshake_log.h"
#include "server/lease_book.h"
#include "server/lease_file.h"
#include "server/lease_pool.h"
#include "shard/shard.h"
#include "tunnel/counters.h"
#include "tunnel/session_facts.h"

namespace qdt::server {

/// A server: its TUN device, host network, and shards with a thread each. Made and destroyed in
/// main; destroying it tells the clients, stops the threads and puts the host back.
class Server {
 public:
  struct Options {
    SocketAddress address;
    std::string tun_name;
    std::size_t shard_count = 1;
    os::UdpOffloads udp_offloads;
    bool use_tun_offloads = true;
    access::Admission::Options admission;
    Http3Exchange::Options exchange;
    Reception::Options reception;
    tunnel::Tunnel::Options tunnel;          ///< role and shard are filled in
    std::size_t send_datagram_queue = 1024;  ///< of each shard, in payloads
    os::ClientAccess access{};
    bool has_nat = true;
    bool has_nat6 = true;  ///< with has_nat and IPv6
    std::string external_interface;
    Duration lease_grace = 10min;  ///< 0: cap `resume` is not taken up
    std::string lease_path;        ///< where leases are kept across a restart
    bool is_confined = false;      ///< between open() and run() the process enters its sandbox
  };

  /// The plan for start_host_control(), for a server with these options.
  static os::HostPlan host_plan(const Options& options);

  /// Binds the port, makes the TUN device and sets up the host. No thread starts: the caller may
  /// give up its privilege before run(). An error leaves the host as it was. Referenced
  /// objects outlive the server; `host` was started with host_plan().
  static Result<std::unique_ptr<Server>> open(const Options& options,
                                              const quic::TlsServerContext& tls, Random& random,
                                              os::HostControl& host, Logger& logger);
  /// Starts the threads, and takes clients.
  void run();
  ~Server();

  /// Whether this host's networks leave the pools free: what open() looks for before it touches
  /// anything.
  static Result<void> check_networks(const Options& options);

  /// Looks after the host's network where that is due: puts back what somebody has changed, and
  /// takes no clients while it cannot. The thread of main, as are the next two.
  void check_host(Timestamp now);
  /// When check_host() is due.
  Timestamp next_check() const { return pace_.due(); }
  /// To be told by on_host_notice() when it is readable. Nothing: take it out of the poller, until
  /// check_host() has looked.
  std::optional<os::PollHandle> host_notices() const;
  void on_host_notice(Timestamp now);
  /// Logs the failed handshakes of late. Now and then.
  void tell_failures();
  /// Writes down whose leases are kept, when that has changed. The thread of main, now and then.
  void save_leases();
  /// Clients that connect from now on are shown this certificate. The thread of main.
  void use_certificate(const std::shared_ptr<const quic::TlsServerContext>& tls);
  /// `users` may come in from now on, with the limits there, which count for their sessions, too;
  /// sessions of others live on. The thread of main.
  void use_users(const access::UserTable::Snapshot& users);
  /// As use_users(); sessions of users and devices that are not there any more end, but for those
  /// of the configuration's user. `ends` says why, by the user's name; others are removed.
  /// `addresses` of devices, also of users who may not come in, are lent to these alone: whoever
  /// else has one, or a device with another than its own, is ended, and may come again. Those that
  /// the pool does not lend count for none.
  void use_users(const access::UserTable::Snapshot& users, const EndWalk::Ends& ends,
                 const std::vector<IpAddress>& addresses);
  /// The users who may come in now. The thread of main.
  const access::UserTable::Snapshot& users() const { return users_; }
  /// The limits of these options for sessions from now on (Admission::use_limits()); its users
  /// stay. The thread of main.
  void use_limits(const access::Admission::Options& options);
  /// Sessions from now on are pushed this. Of those that are there, the ones of version 2 are told
  /// the routes, and the others keep what they were told. The thread of main.
  void use_pushed(const Pushed& pushed);
  /// The users' sessions now, and the packets that they have carried. The thread of main.
  std::vector<access::UserTable::Usage> usage() const { return users_->usage(); }
  /// The sessions now, those of a shard together. A session that moves within its shard's table
  /// meanwhile may be missing no more than one that has just begun or ended. Not on the threads of
  /// shards; fails with kTimeout at `deadline`.
  Result<std::vector<tunnel::SessionFacts>> sessions(Timestamp deadline) const;
  /// Ends this session, whose client is told; it may come again. Fails with kNotFound where there
  /// is none. As sessions().
  Result<tunnel::SessionFacts> kick(wire::SessionId session, Timestamp deadline) const;
  /// Visitors without the token get its answers from now on. The thread of main.
  void use_decoy(const std::shared_ptr<const Decoy>& decoy);
  /// At a time; 0: unlimited. Any thread.
  std::size_t max_sessions() const { return admission_.max_sessions(); }
  std::size_t max_sessions_per_client() const { return admission_.max_of_client(); }
  /// Whether it takes clients. Any thread.
  bool is_ready() const { return admission_.is_ready(); }
  /// Why not, in words; nothing when it does. Any thread.
  std::optional<std::string> obstacle() const;
  /// How often each part of the host's network was put back. Any thread.
  os::HostRepairs host_repairs() const;

  const SocketAddress& local_address() const { return local_address_; }
  std::vector<const tunnel::Counters*> counters() const;
  const tunnel::HandshakeCounters& handshakes() const { return handshakes_; }
  const tunnel::DecoyCounters& decoy_counters() const { return decoy_proxy_.counters(); }
  const LeasePool& leases() const { return leases_; }
  std::size_t kept_leases() const { return book_.kept(); }

 private:
  Server(const Options& options, Random& random, os::HostControl& host, Logger& logger);
  Result<void> set_up(const quic::TlsServerContext& tls);
  Result<void> set_up_host();
  /// Makes the TUN device again and gives its queues to the shards.
  Result<void> restore_device();
  void judge(const os::Upkeep& upkeep);
  void end_replaced(const LeaseBook::Holder& replaced, const IpAddress& lease);
  void start_proxy(const Decoy* decoy);
  void steer(const os::UdpSocket& socket);
  Result<void> add_shard(os::UdpSocket socket, os::TunQueue tun, const quic::TlsServerContext& tls);

  Options options_;
  Random& random_;
  os::HostControl& host_;
  Logger& logger_;
  SocketAddress local_address_;

  // In the order in which they depend on each other: the last one goes first.
  std::unique_ptr<os::HostNetwork> network_;
  std::optional<os::HostWatch> watch_;
  os::KeepPace pace_;
  std::array<std::atomic<std::uint64_t>, os::kHostParts> repairs_{};
  mutable std::mutex obstacle_mutex_;
  std::string obstacle_ = "the server is starting";
  access::Admission admission_;
  access::UserTable::Snapshot users_;
  LeasePool leases_;
  LeaseBook book_;
  LeaseFile lease_file_;
  LastingFault address_fault_;
  tunnel::HandshakeCounters handshakes_;
  HandshakeLog handshake_log_;
  std::vector<std::unique_ptr<tunnel::Counters>> counters_;
  std::vector<std::unique_ptr<ConnectService>> services_;
  std::vector<std::unique_ptr<shard::Shard>> shards_;
  std::vector<std::thread> threads_;
  DecoyProxy decoy_proxy_;  // its threads write to the shards
};

}  // namespace qdt::server
