#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/logger.h"
#include "quic/certificate.h"

namespace qdt::server {

/// Warns a person that the certificate in `path` tells every visitor what this server is, and says
/// what can be done; nothing when it does not.
std::optional<std::string> describe_telling_name(const std::string& path,
                                                 const quic::CertificateFacts& certificate);

/// Tells at the start, once a day, and at its end of a certificate that is near its end, past it,
/// or not valid yet. Pure: the wall clock's time goes in, in seconds since the Unix epoch.
class CertificateWatch {
 public:
  CertificateWatch(std::string path, const quic::CertificateFacts& certificate)
      : path_(std::move(path)),
        certificate_(certificate),
        expiry_(certificate.validity.not_after) {}
  /// Another certificate is in use now.
  void replace(std::string path, const quic::CertificateFacts& certificate);

  struct Notice {
    LogLevel level = LogLevel::kWarning;
    std::string text;
  };
  /// Nothing when there is nothing to tell, or the same was told during the last day.
  std::optional<Notice> look(std::int64_t now);
  /// The notice that is due now, told before or not.
  std::optional<Notice> state(std::int64_t now) const;
  /// The end of the certificate in use, in seconds since the Unix epoch. Any thread may read it.
  const std::atomic<std::int64_t>& expiry() const { return expiry_; }

 private:
  std::string remedy() const;

  std::string path_;
  quic::CertificateFacts certificate_;
  std::atomic<std::int64_t> expiry_;
  std::optional<std::int64_t> told_;
  LogLevel told_level_ = LogLevel::kWarning;
};

}  // namespace qdt::server
