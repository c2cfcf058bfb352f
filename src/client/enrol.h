#pragma once

#include "base/logger.h"
#include "base/random.h"
#include "client/ending.h"
#include "client/enrolment.h"
#include "os/process.h"
#include "quic/tls.h"

namespace qdt::client {

/// Asks the server of a link to write this device's key down: resolves its name, and asks at its
/// addresses one after the other until one has answered. Blocks, some seconds for each address that
/// does not answer, or until `stop`; no thread, no change to the host. Nothing: it is done.
std::optional<Ending> enrol(const Enrolment::Options& options, const quic::TlsClientContext& tls,
                            Random& random, os::StopSignal& stop, Logger& logger);

}  // namespace qdt::client
