#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "base/ip_address.h"
#include "base/logger.h"
#include "base/random.h"
#include "base/result.h"
#include "client/connector.h"
#include "client/host_setup.h"
#include "os/process.h"
#include "os/udp_socket.h"
#include "quic/tls.h"
#include "shard/mailbox.h"
#include "shard/shard.h"
#include "tunnel/counters.h"

namespace qdt::client {

/// A client from its start to its end, on the thread of main: resolves the server, connects, sets
/// the host up, and puts it back. The tunnel itself runs in one shard on a thread of its own.
class Client final : private ConnectorEvents {
 public:
  struct Options {
    std::string server_host;
    std::uint16_t server_port = 443;
    HostSetup::Options host;
    bool use_tun_offloads = true;
    Duration timeout = 10s;      ///< for reaching the server
    os::UdpOffloads udp_offloads;
    Connector::Options connector;
  };

  /// What main exits with (README, Exit status).
  enum class Exit { kStopped = 0, kHost = 1, kRefused = 2, kUnreachable = 3 };
  struct Outcome {
    Exit exit = Exit::kStopped;
    std::string text;  ///< why, for a person; empty when it was asked to stop
  };

  /// What is referred to outlives the client.
  Client(const Options& options, const quic::TlsClientContext& tls, Random& random, Logger& logger);
  ~Client() override;

  /// Connects, and carries packets until `stop` arrives or the session ends.
  Outcome run(os::StopSignal& stop);

 private:
  using Event = std::variant<wire::ConnectResponse, Ending>;
  using Answer = Result<std::vector<SocketAddress>>;

  /// What main waits for.
  enum class Woken { kStop, kEvent, kAnswer, kDeadline };
  Woken wait(Timestamp deadline);
  /// The oldest event; wait() said that there is one.
  Event take_event();

  Result<void> set_up();
  std::variant<std::vector<SocketAddress>, Outcome> resolve();
  /// An attempt at one address: connected, or why not.
  std::variant<wire::ConnectResponse, Outcome> connect(const SocketAddress& server,
                                                       Timestamp deadline);
  Outcome serve(const wire::ConnectResponse& response, const SocketAddress& server);
  Outcome outcome_of(const Ending& ending) const;

  // ConnectorEvents, on the shard's thread
  void on_connected(const wire::ConnectResponse& response) override { events_->post(response); }
  void on_ended(const Ending& ending) override { events_->post(ending); }

  Options options_;
  Random& random_;
  Logger& logger_;
  os::StopSignal* stop_ = nullptr;

  std::unique_ptr<HostSetup> host_;
  std::optional<os::Poller> poller_;
  std::unique_ptr<shard::Mailbox<Event>> events_;
  std::deque<Event> inbox_;
  // Shared with the thread that resolves the server's name: it cannot be interrupted, and may
  // outlive a client that was told to stop meanwhile.
  std::shared_ptr<shard::Mailbox<Answer>> answers_;
  tunnel::Counters counters_;
  Connector connector_;
  std::unique_ptr<shard::Shard> shard_;
  std::thread thread_;
};

}  // namespace qdt::client
