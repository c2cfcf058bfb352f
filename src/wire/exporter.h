#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "wire/hkdf.h"

namespace qdt::wire {

/// Makes secrets that only the two ends of one TLS 1.3 connection can know (RFC 8446 section 7.5),
/// also when its TLS session is gone. Holds the secret behind them, and wipes it at its end.
class Exporter {
 public:
  /// Has no secret.
  Exporter() = default;
  /// `master_secret` is TLS's exporter_master_secret: 32 bytes where the cipher suite has SHA-256,
  /// 48 where it has SHA-384.
  explicit Exporter(Bytes master_secret);
  ~Exporter() { wipe(secret_); }
  Exporter(Exporter&& other) noexcept : Exporter() { *this = std::move(other); }
  Exporter& operator=(Exporter&& other) noexcept;

  bool has_secret() const { return bytes_ != 0; }

  /// Fills `out`, of at most 255 times the secret's length. `label` has at most 249 bytes; an empty
  /// context is the same as none. Needs a secret.
  void derive(std::string_view label, Bytes context, MutableBytes out) const;
  /// 32 bytes without a context.
  HkdfSecret derive(std::string_view label) const;

 private:
  std::array<std::uint8_t, kSha384Bytes> secret_{};
  std::size_t bytes_ = 0;
};

}  // namespace qdt::wire
