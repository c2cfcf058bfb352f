#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ip_address.h"
#include "base/random.h"
#include "base/recent_maximum.h"
#include "os/poller.h"
#include "os/tun_device.h"
#include "os/udp_socket.h"
#include "shard/link.h"
#include "shard/mailbox.h"
#include "tunnel/backlog_watch.h"
#include "tunnel/tunnel.h"
#include "wire/coalescer.h"
#include "wire/segmenter.h"

namespace qdt::shard {

/// Payloads that reached another shard than their connection's.
struct StrayPayloads {
  struct Entry {
    UdpPath path;
    Ecn ecn;
    std::size_t bytes;
  };
  std::vector<std::uint8_t> bytes;  // all payloads, back to back
  std::vector<Entry> entries;
};

/// Packets that reached another shard than their session's.
struct StrayPackets {
  std::vector<std::uint8_t> bytes;
  std::vector<std::size_t> sizes;
};

class Shard;

/// Something to be done to a shard on its own thread.
using Task = std::move_only_function<void(Shard& shard, Timestamp now)>;

using Mail = std::variant<StrayPayloads, StrayPackets, Task>;

/// One thread and everything that only it may touch: a link to the network, a TUN queue, and the
/// tunnel between them. Shards share nothing; what reaches the wrong one, and control, comes by
/// mail.
class Shard {
 public:
  struct Options {
    std::string thread_name = "qdt";
    bool is_confined = false;  ///< run() gives up all that moving packets does not need
    std::size_t index = 0;
    tunnel::Tunnel::Options tunnel;
    std::size_t send_datagram_queue = 1024;  ///< payloads that may wait for the socket
    /// Which shard has the session with this lease; asked for strays only. Any thread.
    std::function<std::optional<std::size_t>(const IpAddress&)> owner_of_lease;
  };

  /// Referenced objects outlive the shard.
  static Result<std::unique_ptr<Shard>> create(const Options& options, os::TunQueue tun,
                                               const quic::TlsServerContext* server_tls,
                                               tunnel::TunnelEvents& events, Random& random,
                                               tunnel::Counters& counters);

  /// The mailboxes of all shards in order, this one's included. Call it once all shards exist.
  void set_siblings(std::vector<Mailbox<Mail>*> siblings) { siblings_ = std::move(siblings); }
  Mailbox<Mail>& mailbox() { return mailbox_; }

  /// Sends and receives by `socket` from now on; what waited for the one before is dropped. On the
  /// shard's thread, or before run().
  Result<void> use_socket(os::UdpSocket socket) { return link_.use_socket(std::move(socket)); }
  /// The same for a session that goes on: for some seconds, what arrives at the socket before is
  /// taken as well, as if it had come by this one. On a slow path answers are on their way to it.
  Result<void> replace_socket(os::UdpSocket socket, Timestamp now) {
    return link_.replace_socket(std::move(socket), now);
  }
  /// Takes packets from `tun` and gives them to it from now on; what waited in the queue before is
  /// dropped with that queue. On the shard's thread.
  Result<void> use_tun(os::TunQueue tun);
  /// Its socket has `remote` for its only peer from now on. On the shard's thread.
  Result<void> connect_socket(const SocketAddress& remote) { return link_.connect_socket(remote); }
  /// Leaves packets in the TUN device's queue, where as many wait as it holds: there is no session
  /// that could take them. On the shard's thread.
  void hold_packets();
  /// Takes them again. What waited is dropped where it waited too long to be of use to anyone.
  void release_packets(Timestamp now);
  /// On the shard's thread.
  tunnel::Tunnel& tunnel() { return tunnel_; }

  /// Works until stop(). Call on the shard's own thread.
  void run();

  /// Has `task` done between two batches. Any thread.
  void post(Task task) { mailbox_.post(std::move(task)); }
  /// Closes everything in the tunnel, then lets run() return. Any thread.
  void stop(tunnel::SessionEnd end, std::string text);

 private:
  Shard(const Options& options, os::TunQueue tun, os::Poller poller, os::Waker waker,
        const quic::TlsServerContext* server_tls, tunnel::TunnelEvents& events, Random& random,
        tunnel::Counters& counters);

  void take_payloads(const Link& link, Timestamp now);
  void read_packets(Timestamp now);
  void forward_read(Timestamp now);
  Timestamp take_mail();  ///< returns the time when it was there
  void receive(const UdpPath& path, Ecn ecn, Bytes payload, Timestamp now);
  void flush(Timestamp now);
  void note_turn(Timestamp begun);
  void write_packets();
  Result<void> watch_tun();
  void unwatch_tun();
  void hand_over_payloads();
  void hand_over_packets();

  Options options_;
  os::TunQueue tun_;
  os::Poller poller_;
  Mailbox<Mail> mailbox_;
  std::vector<Mailbox<Mail>*> siblings_;
  tunnel::Counters& counters_;

  Link link_;  // the one that there is
  os::UdpReceiveBatch received_;
  wire::Segmenter segmenter_;
  PacketBatch read_;
  tunnel::BacklogWatch backlog_;  // of what waits in tun_
  wire::Coalescer coalescer_;
  std::vector<StrayPayloads> stray_payloads_;  // one for each sibling
  tunnel::Tunnel tunnel_;
  RecentMaximum longest_turn_;
  bool is_stopping_ = false;
  std::optional<Timestamp> held_since_;  // packets stay in the TUN device's queue
  bool is_tun_watched_ = false;          // by the poller
};

}  // namespace qdt::shard
