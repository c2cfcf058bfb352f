#pragma once

#include <optional>
#include <string>

#include "base/random.h"
#include "quic/tls.h"
#include "tunnel/tunnel.h"
#include "wire/handshake.h"

namespace qdt::client {

/// Why there is no session, or no session any more.
struct Ending {
  enum class Kind {
    kRefused,      ///< the server answered, and said no
    kUnreachable,  ///< the server did not answer, or not as a QDT server does
    kLost,         ///< there was a session, and it ended
  };
  Kind kind = Kind::kUnreachable;
  std::string text;  ///< in words for a person
};

/// For a person: `server` did not answer, and what may be the matter.
std::string explain_silence(const SocketAddress& server);

/// What a connector tells. Called on the tunnel's thread.
class ConnectorEvents {
 public:
  virtual ~ConnectorEvents() = default;
  virtual void on_connected(const wire::ConnectResponse& response) = 0;
  /// Once for each connect().
  virtual void on_ended(const Ending& ending) = 0;
};

/// The client's side of the handshake: connects, sends `POST /connect`, opens the session that the
/// server grants. One thread.
class Connector final : public tunnel::TunnelEvents {
 public:
  struct Options {
    std::string token;
    std::string server_name;  ///< the host part of `server`: for SNI and :authority
    std::size_t mtu = wire::kDefaultMtu;
    /// What to offer in `caps`; a plain v1 client offers none.
    wire::Capabilities caps = wire::Capabilities::supported();
    std::string client_id;
    std::string platform;
    std::size_t send_queue = 1024;
    std::size_t max_reassembly_bytes = 256 * 1024;
  };

  Connector(const Options& options, const quic::TlsClientContext& tls, ConnectorEvents& events,
            Random& random);

  /// Begins one attempt; ends with on_connected(), on_ended(), or both in this order.
  void connect(tunnel::Tunnel& tunnel, const UdpPath& path, Timestamp now);

  void on_settings(tunnel::Tunnel& tunnel, quic::Connection& connection) override;
  void on_message(tunnel::Tunnel& tunnel, quic::Connection& connection, quic::StreamId stream,
                  const quic::Message& message) override;
  void on_stream_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                        quic::StreamId stream) override;
  void on_session_closed(tunnel::Tunnel& tunnel, tunnel::Session& session, tunnel::SessionEnd end,
                         const std::string& detail) override;
  void on_connection_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                            const quic::CloseReason& reason) override;

 private:
  enum class State { kIdle, kConnecting, kAsking, kConnected };

  void open(tunnel::Tunnel& tunnel, quic::Connection& connection, quic::StreamId stream,
            const wire::ConnectResponse& response);
  void end(const Ending& ending);
  void give_up(tunnel::Tunnel& tunnel, quic::Connection& connection, const Ending& ending);

  Options options_;
  const quic::TlsClientContext& tls_;
  ConnectorEvents& events_;
  Random& random_;

  State state_ = State::kIdle;
  SocketAddress server_;
  wire::HandshakeNonce nonce_{};
};

}  // namespace qdt::client
