#pragma once

#include "base/result.h"
#include "client/client.h"
#include "ops/config.h"
#include "quic/tls.h"

namespace qdt::apps {

/// A client of this configuration on this host. Reads its key file, where there is one; an error
/// is of that file.
Result<client::Client::Options> client_options(const ops::ClientConfig& config);

/// The trust in the server's certificate that the configuration asks for. May read the system's.
Result<quic::TlsClientContext> trust(const ops::ClientConfig& config);

}  // namespace qdt::apps
