#pragma once

#include <functional>
#include <string>

#include "base/logger.h"
#include "base/random.h"
#include "base/result.h"
#include "load/load.h"
#include "os/process.h"
#include "os/udp_socket.h"
#include "quic/endpoint.h"

namespace qdt::load {

struct RunOptions {
  Load::Options load;
  quic::ConnectionOptions connection;
  os::UdpOffloads udp_offloads;
  /// How long the clients stay once all are up.
  Duration time = 10s;
  /// How long they may take for that; zero: four times what their rate asks for, and 30 s.
  Duration ramp{};
};

/// Runs a load until its time is over, or until `stop`: connects, carries, then ends all sessions.
/// `progress` gets the figures once a second. The socket is bound to any address and sends from
/// those of the clients, which this host has to have. Errors: the socket, an address that is not
/// this host's, clients that no server will let in.
Result<Report> run(const RunOptions& options, const quic::TlsClientContext& tls, Random& random,
                   os::StopSignal& stop, Logger& logger,
                   const std::function<void(const Report&)>& progress);

}  // namespace qdt::load
