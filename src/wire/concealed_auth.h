#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "wire/ed25519.h"

namespace qdt::wire {

/// The label of the TLS exporter that a proof is made from (RFC 9729 section 3).
inline constexpr std::string_view kConcealedLabel = "EXPORTER-HTTP-Concealed-Authentication";
/// What the exporter gives: 32 bytes to sign, and 16 that go along with the signature.
using ConcealedExport = std::array<std::uint8_t, 48>;

inline constexpr std::size_t kMaxConcealedAuthBytes = 1024;
inline constexpr std::size_t kMaxKeyIdBytes = 64;

/// The parameters of `Authorization: Concealed` (RFC 9729 section 4). The signature algorithm is
/// Ed25519, and there is no realm.
struct ConcealedAuth {
  std::vector<std::uint8_t> key_id;  ///< 1 to kMaxKeyIdBytes
  Ed25519PublicKey public_key{};
  Ed25519Signature proof{};
  std::array<std::uint8_t, 16> verification{};

  bool operator==(const ConcealedAuth&) const = default;
};

/// Reads the value of an Authorization or Proxy-Authorization field; nothing when it is of another
/// scheme or algorithm, has a realm, or anything in it is wrong: all of that is as if there were no
/// field. Parameters of other names are ignored.
std::optional<ConcealedAuth> parse_concealed_auth(std::string_view field);
std::string write_concealed_auth(const ConcealedAuth& auth);

/// The context for the exporter (RFC 9729 section 3.1). `host` and `port` are those that the
/// client dialled, in a URI's form: an IPv6 address in brackets. Letters count as small ones.
std::vector<std::uint8_t> concealed_context(Bytes key_id, const Ed25519PublicKey& public_key,
                                            std::string_view host, std::uint16_t port);

/// The ID that a key has in QDT: the first 16 bytes of its SHA-256.
std::vector<std::uint8_t> key_id_of(const Ed25519PublicKey& public_key);

/// A client's proof. `exported` is of the context for `key` and `key_id`.
ConcealedAuth prove(const Ed25519Key& key, Bytes key_id, const ConcealedExport& exported);

/// Whether `auth` proves that its sender has the private half of `auth.public_key`; whether that is
/// the key that `auth.key_id` stands for is the caller's to know. `exported` is of the context for
/// what `auth` says. Takes the same time whatever is wrong.
[[nodiscard]] bool is_proven(const ConcealedAuth& auth, const ConcealedExport& exported);

}  // namespace qdt::wire
