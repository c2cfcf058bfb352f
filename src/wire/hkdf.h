#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace qdt::wire {

inline constexpr std::size_t kSha256Bytes = 32;
inline constexpr std::size_t kSha384Bytes = 48;
/// A pseudo-random key, or a secret that another is made from.
using HkdfSecret = std::array<std::uint8_t, kSha256Bytes>;

/// HKDF-Extract with SHA-256 (RFC 5869 section 2.2).
HkdfSecret hkdf_extract(Bytes salt, Bytes secret);

/// HKDF-Expand with SHA-256 (RFC 5869 section 2.3): fills `out`, of at most 255 * 32 bytes.
void hkdf_expand(const HkdfSecret& secret, std::string_view info, MutableBytes out);

/// HKDF-Expand-Label of TLS 1.3 with an empty context (RFC 8446 section 7.1): fills `out`, of at
/// most 255 bytes. `label` has at most 18.
void hkdf_expand_label(std::span<const std::uint8_t, kSha256Bytes> secret, std::string_view label,
                       MutableBytes out);

/// The same with a context, of at most 255 bytes, and by the hash that has the secret's length:
/// SHA-256 or SHA-384. Fills `out`, of at most 255 times that length. `label` has at most 249
/// bytes.
void hkdf_expand_label(Bytes secret, std::string_view label, Bytes context, MutableBytes out);

/// The hash of a TLS 1.3 cipher suite: SHA-256 or SHA-384, whichever has the length of `out`.
void tls_hash(Bytes message, MutableBytes out);

/// Overwrites a secret that is not needed any more; the compiler does not leave it out.
void wipe(MutableBytes secret);

}  // namespace qdt::wire
