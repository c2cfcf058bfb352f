#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/auth.h"
#include "base/packet_batch.h"
#include "base/random.h"
#include "client/ending.h"
#include "client/events.h"
#include "client/ip_signalling.h"
#include "client/liveness.h"
#include "client/proof.h"
#include "quic/tls.h"
#include "tunnel/tunnel.h"
#include "wire/handshake.h"
#include "wire/json_end.h"
#include "wire/request_target.h"
#include "wire/session_field.h"

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
  /// The server advertises other routes for the session than `response` of on_connected(), or of
  /// the latest call, had; once a second at most.
  virtual void on_routes(AttemptId /*attempt*/, const wire::ConnectResponse& /*response*/) {}
  /// Once for each connect() that abandon() did not end.
  virtual void on_ended(AttemptId attempt, const Ending& ending) = 0;
};

/// The client's side of the handshake: connects, asks for a session by version 2 or 1, opens the
/// one that the server grants. Several attempts may be under way; the first whose handshake is
/// complete goes on alone. One thread.
class Connector final : public tunnel::TunnelEvents {
 public:
  struct Options {
    std::string token;
    std::string server_name;  ///< the host part of `server`: for SNI and :authority
    std::uint16_t server_port = 443;
    Auth auth = Auth::kToken;
    /// For version 2; nothing: there is a token alone, of which both sides make their keys.
    std::optional<Identity> identity;
    std::string path_template{wire::kDefaultTemplate};
    /// The server's certificate is verified or pinned: version 1's token may go to it.
    bool knows_certificate = true;
    std::size_t mtu = wire::kDefaultMtu;
    std::size_t version1_mtu = kMaxPacketBytes;  ///< of version 1's sessions, where that is less
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
  enum class State { kConnecting, kAsking, kConnected, kSetAside };
  /// What a request of version 2 has been answered so far.
  struct Version2 {
    wire::SessionRequest asked;
    std::optional<wire::SessionAnswer> answer;  // believed
    Timestamp answered_at;
    bool has_asked_for_addresses = false;
    IpSignalling signalling;
    // What the session began with, or has told of last.
    std::vector<Prefix> lent;
    std::vector<wire::IpRange> routes;
  };
  struct Attempt {
    quic::Connection* connection;
    AttemptId id;
    UdpPath path;
    std::string resume_token;
    State state = State::kConnecting;
    quic::StreamId stream = -1;  ///< of the request; -1: none is under way
    bool is_narrow = false;      ///< as was told
    bool is_answered = false;    ///< likewise
    wire::JsonEnd answer_end;
    std::shared_ptr<Version2> version2;  // attempts are copied to be walked over
  };

  Attempt* find(const quic::Connection& connection);
  /// The one that has a session.
  Attempt* connected();
  void tell_sizes(const Attempt& attempt);
  void tell_routes(tunnel::Tunnel& tunnel, const Attempt& attempt);
  /// Looks for the reason when an attempt got no answer.
  void look_at_path(tunnel::Tunnel& tunnel, Attempt& attempt);
  /// Ends the session, which the server may not hear.
  void lose(tunnel::Tunnel& tunnel, const Attempt& attempt, const std::string& why);
  /// Closes all but `winner`.
  void end_others(const quic::Connection& winner, Timestamp now);
  /// Why version 1 is not spoken with a server that does not take version 2; nothing: it is.
  std::optional<Ending> refuse_version1(const Attempt& attempt) const;
  std::optional<quic::StreamId> ask_by_version1(const Attempt& attempt,
                                                quic::Connection& connection);
  std::optional<quic::StreamId> ask_by_version2(Attempt& attempt, quic::Connection& connection);
  /// Asks by version 1 a server that has refused version 2, as soon as it takes another request.
  void ask_again(Attempt& attempt);
  void take_refusal(tunnel::Tunnel& tunnel, Attempt& attempt, const quic::Message& message);
  void take_version1(tunnel::Tunnel& tunnel, Attempt& attempt, const quic::Message& message);
  void take_version2(tunnel::Tunnel& tunnel, Attempt& attempt, const quic::Message& message);
  /// Hands datagrams to the session, and sends what is to be answered.
  static Result<void> take_signalling(tunnel::Tunnel& tunnel, quic::Connection& connection,
                                      quic::StreamId stream, IpSignalling& signalling, Bytes bytes);
  /// Ends an attempt or session whose stream is malformed.
  void end_malformed(tunnel::Tunnel& tunnel, const Attempt& attempt, const std::string& why);
  /// Asks a server for addresses that has assigned none.
  void press_for_addresses(tunnel::Tunnel& tunnel, Attempt& attempt);
  void open_version2(tunnel::Tunnel& tunnel, Attempt& attempt);
  /// Has the session of `connection`, if there is one, keep to what the server asked for last.
  static void use_send_rate(quic::Connection& connection, Version2& version2);
  void open(tunnel::Tunnel& tunnel, Attempt& attempt, const wire::ConnectResponse& response,
            tunnel::SessionOptions options);
  /// The server as `:authority` has it.
  wire::Authority authority() const {
    return wire::authority_of(options_.server_name, options_.server_port);
  }
  std::size_t mtu_of(const Attempt& attempt) const {
    return attempt.version2 ? options_.mtu : std::min(options_.mtu, options_.version1_mtu);
  }
  void end(const quic::Connection& connection, Ending ending);
  void give_up(quic::Connection& connection, const Ending& ending, Timestamp now);

  Options options_;
  const quic::TlsClientContext& tls_;
  ConnectorEvents& events_;
  Random& random_;
  Identity identity_;  // for version 2

  std::vector<Attempt> attempts_;
  Liveness liveness_;          // of the session
  PathSizes told_sizes_;       // of its path
  bool had_version2_ = false;  // this server has spoken it
  wire::HandshakeNonce nonce_{};
  std::vector<wire::DirectId> direct_ids_;
};

}  // namespace qdt::client
