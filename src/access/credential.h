#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "wire/hkdf.h"

namespace qdt::access {

/// The secret that a peer showed to prove who it is; a token, so far. A session's keys are made
/// from the one that was shown for it. The bytes are overwritten when it is no longer needed.
class Credential {
 public:
  Credential() = default;
  explicit Credential(std::string_view token) : token_(token) {}
  Credential(const Credential&) = default;
  Credential(Credential&& other) noexcept : token_(other.token_) { other.forget(); }
  Credential& operator=(Credential other) noexcept {
    token_.swap(other.token_);
    return *this;
  }
  ~Credential() { forget(); }

  /// Empty: nothing was shown.
  std::string_view token() const { return token_; }

 private:
  void forget() {
    wire::wipe({reinterpret_cast<std::uint8_t*>(token_.data()), token_.size()});
    token_.clear();
  }

  std::string token_;
};

}  // namespace qdt::access
