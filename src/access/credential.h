#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "wire/ed25519.h"
#include "wire/hkdf.h"

namespace qdt::access {

/// What a peer showed to prove who it is. A session of version 1 makes its keys from the token that
/// was shown for it. It is in one place at a time, and overwritten where it was.
class Credential {
 public:
  enum class Kind : std::uint8_t {
    kToken,   ///< the token of version 1; empty: nothing was shown
    kKey,     ///< a public key, to which the peer has shown that it has the private half
    kSecret,  ///< a name and a secret, as other people's clients send them
  };

  Credential() = default;
  explicit Credential(std::string_view token) : text_(token) {}
  static Credential of_key(const wire::Ed25519PublicKey& proven) {
    return {Kind::kKey, std::string(as_text(proven))};
  }
  /// `name` is empty where the secret alone is sent (RFC 6750).
  static Credential of_secret(std::string_view name, std::string_view secret) {
    // A name has no such byte (RFC 7617 section 2).
    return {Kind::kSecret, std::string(name) + '\0' + std::string(secret)};
  }
  Credential(Credential&& other) noexcept { *this = std::move(other); }
  Credential& operator=(Credential&& other) noexcept {
    if (this == &other) return *this;
    forget();
    kind_ = other.kind_;
    text_ = other.text_;  // a copy: what the other has is to be overwritten
    other.forget();
    return *this;
  }
  ~Credential() { forget(); }

  Kind kind() const { return kind_; }
  /// Empty: nothing was shown, or something else than a token.
  std::string_view token() const { return kind_ == Kind::kToken ? text_ : std::string_view(); }
  /// The key that was proved; nothing for another kind.
  std::optional<wire::Ed25519PublicKey> key() const {
    if (kind_ != Kind::kKey) return std::nullopt;
    wire::Ed25519PublicKey key;
    append(key, as_bytes(text_));
    return key;
  }
  /// Of the kind.
  std::string_view bytes() const { return text_; }

 private:
  Credential(Kind kind, std::string text) : kind_(kind), text_(std::move(text)) {}

  void forget() {
    text_.resize(text_.capacity());  // a longer one may have been there
    wire::wipe({reinterpret_cast<std::uint8_t*>(text_.data()), text_.size()});
    text_.clear();
    kind_ = Kind::kToken;
  }

  Kind kind_ = Kind::kToken;
  std::string text_;
};

}  // namespace qdt::access
