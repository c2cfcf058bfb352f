#pragma once

#include <string>

#include "base/result.h"
#include "quic/tls.h"

namespace qdt::server {

/// The certificate chain and the key in two PEM files, the latter read by its owner alone. The
/// error names the file at fault, and the system's reason or the content's.
Result<quic::TlsServerContext> load_certificate(const std::string& certificate_path,
                                                const std::string& key_path);

}  // namespace qdt::server
