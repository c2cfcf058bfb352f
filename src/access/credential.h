#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "wire/hkdf.h"

namespace qdt::access {

/// The secret that a peer showed to prove who it is; a token, so far. A session's keys are made
/// from the one that was shown for it. It is in one place at a time, and overwritten where it was.
class Credential {
 public:
  Credential() = default;
  explicit Credential(std::string_view token) : token_(token) {}
  Credential(Credential&& other) noexcept : token_(other.token()) { other.forget(); }
  Credential& operator=(Credential&& other) noexcept {
    if (this == &other) return *this;
    forget();
    token_ = other.token();
    other.forget();
    return *this;
  }
  ~Credential() { forget(); }

  /// Empty: nothing was shown.
  std::string_view token() const { return token_; }

 private:
  void forget() {
    token_.resize(token_.capacity());  // a longer one may have been there
    wire::wipe({reinterpret_cast<std::uint8_t*>(token_.data()), token_.size()});
    token_.clear();
  }

  std::string token_;
};

}  // namespace qdt::access
