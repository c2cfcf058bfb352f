#pragma once

#include <functional>

#include "base/ip_address.h"
#include "quic/http3.h"

namespace qdt::server {

/// Another web server, whose answers strangers get.
class DecoyUpstream {
 public:
  using Done = std::move_only_function<void(quic::Response)>;

  virtual ~DecoyUpstream() = default;
  /// Calls `done` once, on a thread of its own or at once, with the answer of the web server at
  /// `address` to `request`, or with the status that proxies have for its failure. `visitor` is
  /// told to the web server. Any thread; never waits.
  virtual void ask(const SocketAddress& address, const quic::Message& request,
                   const IpAddress& visitor, Done done) = 0;
};

}  // namespace qdt::server
