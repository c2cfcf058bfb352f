#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace qdt::wire {

inline constexpr std::size_t kSha256Bytes = 32;
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

/// Overwrites a secret that is not needed any more; the compiler does not leave it out.
void wipe(MutableBytes secret);

}  // namespace qdt::wire
