#include "server/certificate_watch.h"

namespace qdt::server {
namespace {

constexpr std::int64_t kDay = 24 * 60 * 60;
constexpr std::int64_t kEarly = 30 * kDay;

std::string days(std::int64_t seconds) {
  const std::int64_t count = seconds / kDay;
  return count == 1 ? "1 day" : std::to_string(count) + " days";
}

}  // namespace

void CertificateWatch::replace(std::string path, const quic::CertificateFacts& certificate) {
  path_ = std::move(path);
  certificate_ = certificate;
  expiry_ = certificate.validity.not_after;
  told_.reset();
}

std::optional<CertificateWatch::Notice> CertificateWatch::look(std::int64_t now) {
  auto notice = state(now);
  if (!notice) return std::nullopt;
  // A clock that was set back does not silence it, nor does the warning before silence the end.
  const bool is_told =
      told_ && now >= *told_ && now - *told_ < kDay && told_level_ == notice->level;
  if (is_told) return std::nullopt;
  told_ = now;
  told_level_ = notice->level;
  return notice;
}

std::optional<CertificateWatch::Notice> CertificateWatch::state(std::int64_t now) const {
  const auto& [not_before, not_after] = certificate_.validity;
  const std::string subject = "the certificate " + path_ + " ";
  if (now > not_after) {
    return Notice{LogLevel::kError,
                  subject + "expired on " + quic::time_text(not_after) + remedy()};
  }
  if (now < not_before) {
    return Notice{LogLevel::kError, subject + "is not valid before " + quic::time_text(not_before) +
                                        ", and this host's clock says " + quic::time_text(now) +
                                        ": is the clock right?"};
  }
  if (not_after - now > kEarly) return std::nullopt;
  return Notice{LogLevel::kWarning, subject + "expires in " + days(not_after - now) + ", on " +
                                        quic::time_text(not_after) + remedy()};
}

std::string CertificateWatch::remedy() const {
  if (certificate_.is_self_signed) {
    return ": clients with tls_fingerprint go on all the same; others need a new certificate, and "
           "with it comes a new fingerprint";
  }
  return ": clients without tls_fingerprint refuse this server from then on; renew it: "
         "qdt-server reads the new files by itself";
}

std::optional<std::string> describe_telling_name(const std::string& path,
                                                 const quic::CertificateFacts& certificate) {
  // As the first start wrote them once, with this host's addresses beside it.
  if (certificate.common_name != "qdt-server") return std::nullopt;
  return "the certificate " + path +
         " says qdt-server, perhaps with this host's inner addresses, to everybody who asks the "
         "port; "
         "to have a new one made, move it and its key away and restart, then give every client the "
         "new tls_fingerprint (qdt-server client-config prints it)";
}

}  // namespace qdt::server
