#pragma once

#include "quic/connection.h"
#include "server/exchange.h"
#include "tunnel/tunnel.h"

namespace qdt::server {

/// A stream of HTTP/3 on a connection of `tunnel`.
class Http3Exchange final : public Exchange {
 public:
  struct Options {
    bool has_shaper = true;  ///< of a session's direct plane
  };
  Http3Exchange(const Options& options, tunnel::Tunnel& tunnel, quic::Connection& connection,
                quic::StreamId stream)
      : options_(options), tunnel_(tunnel), connection_(connection), stream_(stream) {}

  const void* connection() const override { return &connection_; }
  SocketAddress from() const override { return connection_.home_path().remote; }
  bool is_carriage_known() const override { return connection_.has_settings(); }
  Carriage carriage() const override;
  void respond(const quic::Response& response) override;
  void close() override;
  void open(Grant& grant, tunnel::SessionOptions& options) override;

 private:
  Options options_;
  tunnel::Tunnel& tunnel_;
  quic::Connection& connection_;
  quic::StreamId stream_;
};

}  // namespace qdt::server
