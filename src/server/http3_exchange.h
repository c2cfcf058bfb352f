#pragma once

#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "quic/connection.h"
#include "server/exchange.h"
#include "server/ip_signalling.h"
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
  void open(Grant& grant, const SettledSession& session, tunnel::SessionOptions& options) override;

  /// Takes bytes on the stream of a session of version 2 as IpSignalling::receive() does.
  Result<std::optional<Bytes>> receive(Bytes& bytes);
  /// Tells the client of a session of version 2 which routes the server pushes from now on. May end
  /// the connection.
  void use_routes(std::span<const Prefix> pushed);
  /// Asks the client to send no faster (IpSignalling::rate_capsule()).
  void ask_for_rate(std::uint64_t bits_per_second);
  /// A session of version 2 has begun on the stream.
  bool has_signalling() const { return signalling_.has_value(); }
  /// Whether the client may end its side now, as IpSignalling::may_end() says.
  bool may_end() const { return !signalling_ || signalling_->may_end(); }

 private:
  void tell(std::vector<std::uint8_t> capsule);
  void open_version1(Grant& grant, const Version1Session& session, tunnel::SessionOptions& options);
  void open_version2(Grant& grant, const Version2Session& session, tunnel::SessionOptions& options);
  void add_direct(Grant& grant, const std::optional<wire::DirectSecrets>& secrets,
                  tunnel::SessionOptions& options);

  Options options_;
  tunnel::Tunnel& tunnel_;
  quic::Connection& connection_;
  quic::StreamId stream_;
  std::optional<IpSignalling> signalling_;  // of a session of version 2
};

}  // namespace qdt::server
