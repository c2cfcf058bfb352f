#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "client/ending.h"
#include "client/events.h"
#include "client/liveness.h"
#include "quic/tls.h"
#include "tunnel/tunnel.h"
#include "wire/handshake.h"
#include "wire/json_end.h"

namespace qdt::client {

/// The events of a connector. Called on the tunnel's thread.
class ConnectorEvents {
 public:
  virtual ~ConnectorEvents() = default;
  virtual void on_connected(AttemptId attempt, const UdpPath& path,
                            const wire::ConnectResponse& response) = 0;
  /// Nobody answers there any more: it may help to go on from another socket, by migrate().
  virtual void on_silence(AttemptId /*attempt*/) {}
  /// The handshake got its first answer, and goes on: told within a second.
  virtual void on_answer(AttemptId /*attempt*/) {}
  /// The handshake gets no answer, small packets do: explain_narrow_path(). It may still get one.
  virtual void on_narrow_path(AttemptId /*attempt*/) {}
  /// The path of the session carries more, or less, than was told last; at first, than nothing.
  virtual void on_path_mtu(AttemptId /*attempt*/, const PathSizes& /*sizes*/) {}
  /// Once for each connect() that abandon() did not end.
  virtual void on_ended(AttemptId attempt, const Ending& ending) = 0;
};

/// The client's side of the handshake: connects, sends `POST /connect`, opens the session that the
/// server grants. Several attempts may be under way; the first whose handshake is complete goes on
/// alone. One thread.
class Connector final : public tunnel::TunnelEvents {
 public:
  struct Options {
    std::string token;
    std::string server_name;  ///< the host part of `server`: for SNI and :authority
    std::size_t mtu = wire::kDefaultMtu;
    /// The capabilities to offer in `caps`; a plain v1 client offers none.
    wire::Capabilities caps = wire::Capabilities::supported();
    std::string client_id;
    std::string platform;
    std::size_t send_queue = 1024;
    std::size_t max_reassembly_bytes = 256 * 1024;
    bool needs_direct = false;  ///< no packet takes the QUIC plane (`caps.direct` is set)
    bool has_shaper = true;     ///< of the direct plane
  };

  Connector(const Options& options, const quic::TlsClientContext& tls, ConnectorEvents& events,
            Random& random);

  /// Begins an attempt; it ends with on_connected(), on_ended(), or both in this order.
  /// `resume_token`: from the latest answer of the same server, or empty.
  quic::Connection& connect(tunnel::Tunnel& tunnel, const UdpPath& path, AttemptId id,
                            Timestamp now, const std::string& resume_token = "");
  /// Takes the session to another local address or port; ends it where that cannot be.
  void migrate(tunnel::Tunnel& tunnel, const UdpPath& path, Timestamp now);
  /// Lets go of the session without an end: the server still has it, and lends its addresses to
  /// nobody else, while the next attempts are under way. Without an event.
  void set_aside();
  /// Ends the sessions that were set aside.
  void end_set_aside(tunnel::Tunnel& tunnel, Timestamp now);
  /// Ends every attempt, and the session, without an event.
  void abandon(tunnel::Tunnel& tunnel, Timestamp now);

  void on_settings(tunnel::Tunnel& tunnel, quic::Connection& connection) override;
  void on_message(tunnel::Tunnel& tunnel, quic::Connection& connection, quic::StreamId stream,
                  const quic::Message& message) override;
  void on_stream_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                        quic::StreamId stream) override;
  Timestamp on_tick(tunnel::Tunnel& tunnel) override;
  void on_session_closed(tunnel::Tunnel& tunnel, tunnel::Session& session, tunnel::SessionEnd end,
                         const std::string& detail) override;
  void on_connection_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                            const quic::CloseReason& reason) override;

 private:
  enum class State { kConnecting, kAsking, kConnected, kSetAside };
  struct Attempt {
    quic::Connection* connection;
    AttemptId id;
    UdpPath path;
    std::string resume_token;
    State state = State::kConnecting;
    bool is_narrow = false;    ///< as was told
    bool is_answered = false;  ///< likewise
    wire::JsonEnd answer_end;
  };

  Attempt* find(const quic::Connection& connection);
  /// The one that has a session.
  Attempt* connected();
  void tell_sizes(const Attempt& attempt);
  /// Looks for the reason when an attempt got no answer.
  void look_at_path(tunnel::Tunnel& tunnel, Attempt& attempt);
  /// Ends the session, which the server may not hear.
  void lose(tunnel::Tunnel& tunnel, const Attempt& attempt, const std::string& why);
  /// Closes all but `winner`.
  void end_others(const quic::Connection& winner, Timestamp now);
  void open(tunnel::Tunnel& tunnel, Attempt& attempt, quic::StreamId stream,
            const wire::ConnectResponse& response);
  void end(const quic::Connection& connection, const Ending& ending);
  void give_up(quic::Connection& connection, const Ending& ending, Timestamp now);

  Options options_;
  const quic::TlsClientContext& tls_;
  ConnectorEvents& events_;
  Random& random_;

  std::vector<Attempt> attempts_;
  Liveness liveness_;     // of the session
  PathSizes told_sizes_;  // of its path
  wire::HandshakeNonce nonce_{};
  std::vector<wire::DirectId> direct_ids_;
};

}  // namespace qdt::client
