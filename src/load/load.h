#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <queue>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ip_address.h"
#include "base/random.h"
#include "client/connector.h"
#include "load/metronome.h"
#include "load/report.h"
#include "quic/tls.h"
#include "tunnel/tunnel.h"

namespace qdt::load {

/// Many clients of one server in one tunnel, each with a Connector of its own, as a real client has
/// it; what they carry is echo requests to the server's gateway address. Pure: time goes in,
/// payloads and packets go in and out by the tunnel. One thread.
class Load final : public tunnel::TunnelEvents {
 public:
  struct Options {
    std::size_t clients = 1;
    double connects_per_second = 100;
    double echoes_per_second = 1;  ///< of each client; 0: none
    std::size_t echo_bytes = 100;  ///< an inner packet, kMinEchoBytes at least
    double churn_per_second = 0;   ///< sessions ended and begun again, of all clients
    double roams_per_second = 0;   ///< moves to another address, of all clients
    SocketAddress server;
    /// Where client i is, by turns: of these and the following ones.
    SocketAddress first_local;
    std::size_t addresses = 1;  ///< twice `clients` where they roam
    std::string name = "load";  ///< client_id of client i: NAME-i
    client::Connector::Options connector;
  };

  /// Referenced objects outlive the load.
  Load(const Options& options, const quic::TlsClientContext& tls, Random& random);
  ~Load() override;

  /// Does what is due: connects, sends, moves, ends sessions.
  void turn(tunnel::Tunnel& tunnel, Timestamp now);
  Timestamp next_turn() const;
  /// Whether a payload that arrived at `local` reaches its client: not one that has moved away.
  bool is_there(const SocketAddress& local) const;
  /// Takes the answers that have come.
  void take_packets(tunnel::Tunnel& tunnel, Timestamp now);
  /// No more of anything: what is under way may still be answered.
  void rest(Timestamp now);

  const Report& report() const { return report_; }
  bool are_all_up() const { return report_.up == clients_.size(); }
  /// Why no client will ever be let in, or empty.
  const std::string& fatal() const { return fatal_; }

  void on_settings(tunnel::Tunnel& tunnel, quic::Connection& connection) override;
  void on_message(tunnel::Tunnel& tunnel, quic::Connection& connection, quic::StreamId stream,
                  const quic::Message& message) override;
  void on_stream_bytes(tunnel::Tunnel& tunnel, quic::Connection& connection, quic::StreamId stream,
                       Bytes bytes) override;
  void on_stream_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                        quic::StreamId stream) override;
  Timestamp on_tick(tunnel::Tunnel& tunnel) override;
  void on_session_closed(tunnel::Tunnel& tunnel, tunnel::Session& session, tunnel::SessionEnd end,
                         const std::string& detail) override;
  void on_connection_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                            const quic::CloseReason& reason) override;

 private:
  class Client;

  Client* find(const quic::Connection& connection) const;
  void begin(tunnel::Tunnel& tunnel, Client& client, Timestamp now);
  void send_echo(tunnel::Tunnel& tunnel, Client& client, Timestamp now);
  void churn(tunnel::Tunnel& tunnel, Timestamp now);
  void roam(tunnel::Tunnel& tunnel, Timestamp now);
  Client* some_client_up();
  UdpPath path_of(const Client& client) const;

  void take_session(Client& client, tunnel::Tunnel& tunnel, const quic::Connection& connection);
  void on_up(Client& client, Timestamp now);
  void on_down(Client& client);
  void on_ended(Client& client, const client::Ending& ending, Timestamp now);

  Options options_;
  const quic::TlsClientContext& tls_;
  Random& random_;
  Report report_;
  std::string fatal_;

  std::vector<std::unique_ptr<Client>> clients_;
  std::unordered_map<const quic::Connection*, Client*> by_connection_;
  std::unordered_map<std::uint32_t, Client*> by_lease_;
  std::deque<Client*> idle_;  // to be connected as soon as the rate allows
  using Wait = std::pair<Timestamp, Client*>;
  std::priority_queue<Wait, std::vector<Wait>, std::greater<>> waiting_;  // to be idle at the time
  Metronome connects_;
  Metronome echoes_;
  Metronome churns_;
  Metronome roams_;
  std::size_t next_echo_ = 0;  // whose turn it is
  Timestamp began_ = kNever;
  Timestamp all_up_ = kNever;  // since when, for the first time
  Timestamp resting_ = kNever;
  std::vector<std::uint8_t> packet_;
};

}  // namespace qdt::load
