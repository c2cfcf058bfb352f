#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "server/http3_exchange.h"
#include "server/reception.h"
#include "tunnel/tunnel.h"

namespace qdt::server {

/// Takes the requests of one shard from HTTP/3 to its Reception. One thread.
class ConnectService final : public tunnel::TunnelEvents {
 public:
  ConnectService(const Http3Exchange::Options& exchange, const Reception::Options& reception,
                 const Tables& tables, tunnel::HandshakeCounters& handshakes, Random& random,
                 Logger& logger)
      : exchange_(exchange),
        reception_(reception, tables, handshakes, random, logger),
        logger_(logger) {}

  /// As the Reception's.
  void use_users(access::UserTable::Snapshot users) { reception_.use_users(std::move(users)); }
  void use_pushed(Pushed pushed) { reception_.use_pushed(std::move(pushed)); }
  /// Tells the client of a session that there is of the routes that are pushed now, as far as its
  /// version has words for it.
  void tell_routes(tunnel::Session& session);
  void on_peer_rate(tunnel::Tunnel& tunnel, tunnel::Session& session,
                    std::uint64_t bits_per_second) override;
  void use_decoy(std::shared_ptr<const Decoy> decoy) { reception_.use_decoy(std::move(decoy)); }

  void on_settings(tunnel::Tunnel& tunnel, quic::Connection& connection) override;
  void on_message(tunnel::Tunnel& tunnel, quic::Connection& connection, quic::StreamId stream,
                  const quic::Message& message) override;
  void on_stream_bytes(tunnel::Tunnel& tunnel, quic::Connection& connection, quic::StreamId stream,
                       Bytes bytes) override;
  void on_stream_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                        quic::StreamId stream) override;
  void on_path_tried(tunnel::Tunnel& tunnel, quic::Connection& connection, const UdpPath& path,
                     bool is_usable) override;
  void on_wake(tunnel::Tunnel& tunnel) override { reception_.on_wake(tunnel); }
  void on_session_closed(tunnel::Tunnel& tunnel, tunnel::Session& session, tunnel::SessionEnd end,
                         const std::string& detail) override {
    reception_.on_session_closed(tunnel, session, end, detail);
  }
  void on_connection_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                            const quic::CloseReason& reason) override;

 private:
  struct Stream {
    Http3Exchange exchange;
    Reception::Request request;
  };
  static void end_session(tunnel::Tunnel& tunnel, quic::Connection& connection);
  /// Ends the session of a stream that is malformed, and the connection with it.
  void end_malformed(tunnel::Tunnel& tunnel, quic::Connection& connection, const std::string& why);
  /// Of a session of version 2; nothing for others.
  Http3Exchange* exchange_of(tunnel::Session& session);
  /// Nothing where there is none any more.
  Http3Exchange* exchange_on(const quic::Connection& connection, quic::StreamId stream);

  // The requests of one connection: one, as a rule, since without a session it may have no more.
  using Streams = std::map<quic::StreamId, Stream>;

  Http3Exchange::Options exchange_;
  Reception reception_;
  Logger& logger_;
  // A look-up by connection costs the same however many there are.
  std::unordered_map<const quic::Connection*, Streams> streams_;
};

}  // namespace qdt::server
