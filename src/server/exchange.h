#pragma once

#include <string_view>
#include <variant>

#include "base/ip_address.h"
#include "quic/http3.h"
#include "server/grant.h"
#include "server/version2.h"
#include "tunnel/session.h"

namespace qdt::server {

/// The part of a session in which the versions of the protocol differ.
using SettledSession = std::variant<Version1Session, Version2Session>;

/// A request and the way to answer it, whatever carries them: a stream of HTTP/3 is one. Used a few
/// times in a handshake, never for a packet. It ends with its stream, and no later than with its
/// connection. One thread.
class Exchange {
 public:
  virtual ~Exchange() = default;

  /// The same for all exchanges of one connection; nothing to look into.
  virtual const void* connection() const = 0;
  /// Where the peer is, as far as it has shown that.
  virtual SocketAddress from() const = 0;
  /// Whether carriage() is final; Reception::on_carriage_known() tells when.
  virtual bool is_carriage_known() const = 0;
  virtual Carriage carriage() const = 0;

  /// Answers the request. May end the connection.
  virtual void respond(const quic::Response& response) = 0;
  /// Ends the connection instead of answering.
  virtual void close() = 0;
  /// Opens the session that was granted, and answers that it is open. The rest of `options` is as
  /// it is to be; what depends on the carrier or the version is filled in.
  virtual void open(Grant& grant, const SettledSession& session,
                    tunnel::SessionOptions& options) = 0;
};

}  // namespace qdt::server
