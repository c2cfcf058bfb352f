#pragma once

#include <string>

#include "base/result.h"
#include "quic/tls.h"

namespace qdt::server {

/// A certificate chain and its key, in PEM, and where they are from, for errors.
struct CertificateFiles {
  std::string certificate_path;
  std::string key_path;
  std::string certificate;
  std::string key;
};

/// The contents of both files: a certificate, and a key that its owner alone may read: root, this
/// process's user, or `user`, as which the server is to run (os::check_secret()).
Result<CertificateFiles> read_certificate_files(const std::string& certificate_path,
                                                const std::string& key_path,
                                                const std::string& user = "");
/// An error when the key is not the certificate's.
Result<quic::TlsServerContext> use_certificate(const CertificateFiles& files);

/// Reads and uses both files. The error names the file at fault, and the system's reason or the
/// content's.
Result<quic::TlsServerContext> load_certificate(const std::string& certificate_path,
                                                const std::string& key_path,
                                                const std::string& user = "");

}  // namespace qdt::server
