#pragma once

#include <memory>

#include "base/drop.h"
#include "base/ip_address.h"
#include "base/logger.h"
#include "base/result.h"
#include "os/poller.h"
#include "os/process.h"
#include "os/system_random.h"
#include "os/udp_socket.h"
#include "quic/endpoint.h"

namespace qdt::probe {

/// The parts of the host that a program here uses: a socket, and a poller that waits for it and for
/// a signal.
struct Host {
  static Result<Host> open(const os::UdpSocket::Options& options);
  /// Waits until `deadline` at the longest; `received` has what came then. False once a signal
  /// came.
  bool wait(Timestamp deadline, os::UdpReceiveBatch& received);

  std::unique_ptr<Logger> logger;  ///< the socket's: standard error
  os::UdpSocket socket;
  os::Poller poller;
  os::StopSignal stop;
  bool was_stopped = false;
};

/// One end of QUIC connections, on a socket of the host. One thread.
class QuicEnd final {
 public:
  /// A server has `tls`.
  QuicEnd(Host host, const quic::Endpoint::Options& options, const quic::TlsServerContext* tls,
          quic::ConnectionEvents& events);

  /// Sends what is due.
  void write();
  /// Waits until `deadline` at the longest, and takes what came. False once a signal came.
  bool wait(Timestamp deadline);

  SocketAddress local_address() const { return host_.socket.local_address(); }
  void send(UdpSendQueue& queue) { host_.socket.send(queue); }
  quic::Endpoint& endpoint() { return endpoint_; }
  UdpSendQueue& out() { return out_; }
  os::SystemRandom& random() { return random_; }

 private:
  Host host_;
  os::SystemRandom random_;
  DropCounters drops_;
  quic::Endpoint endpoint_;
  os::UdpReceiveBatch received_;
  UdpSendQueue out_{256};
};

}  // namespace qdt::probe
