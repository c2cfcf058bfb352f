#pragma once

#include <optional>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "client/ending.h"
#include "client/proof.h"
#include "quic/tls.h"
#include "tunnel/tunnel.h"
#include "wire/link.h"
#include "wire/request_target.h"

namespace qdt::client {

/// Has the server of a link write down the key of this device (docs/protocol.md section 12). The
/// link has a ticket. Pure: time and payloads come by the tunnel, which has no session. One thread.
class Enrolment final : public tunnel::TunnelEvents {
 public:
  struct Options {
    wire::Link link;
    wire::Ed25519PublicKey device{};  ///< of the key that is to be written down
    std::string name;                 ///< of the device; empty: the server finds one
    std::string platform;
    std::string path_template{wire::kDefaultTemplate};
  };

  /// `tls` trusts any certificate: the link has the server's keys. What is referred to outlives it.
  Enrolment(Options options, const quic::TlsClientContext& tls, Random& random);

  /// Asks the server at this address; again after an end that is not lasting, at another one.
  void begin(tunnel::Tunnel& tunnel, const UdpPath& path, Timestamp now);
  /// The server has written the device down, and has proved that it is the link's.
  bool is_done() const { return is_done_; }
  /// Why the latest attempt came to nothing; nothing while it is under way, and once it is done.
  const std::optional<Ending>& ending() const { return ending_; }

  void on_settings(tunnel::Tunnel& tunnel, quic::Connection& connection) override;
  void on_message(tunnel::Tunnel& tunnel, quic::Connection& connection, quic::StreamId stream,
                  const quic::Message& message) override;
  void on_stream_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                        quic::StreamId stream) override;
  void on_session_closed(tunnel::Tunnel&, tunnel::Session&, tunnel::SessionEnd,
                         const std::string&) override {}
  void on_connection_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                            const quic::CloseReason& reason) override;

 private:
  void take_answer(const quic::Connection& connection, const quic::Message& message);
  void end(tunnel::Tunnel& tunnel, quic::Connection& connection, Ending ending);

  Options options_;
  const quic::TlsClientContext& tls_;
  Random& random_;
  Identity ticket_;
  wire::SessionRequest asked_;
  std::optional<quic::StreamId> stream_;
  bool is_done_ = false;
  std::optional<Ending> ending_;
};

}  // namespace qdt::client
