#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <functional>

#include "base/bytes.h"
#include "base/random.h"

namespace qdt::quic {

/// A QUIC connection ID: 0 to 20 bytes (RFC 9000 section 17.2).
class ConnectionId {
 public:
  static constexpr std::size_t kMaxBytes = 20;

  ConnectionId() = default;
  explicit ConnectionId(Bytes bytes) : length_(static_cast<std::uint8_t>(bytes.size())) {
    assert(bytes.size() <= kMaxBytes);
    append(bytes_, bytes);
  }

  Bytes bytes() const { return Bytes(bytes_).first(length_); }
  bool operator==(const ConnectionId&) const = default;

 private:
  std::array<std::uint8_t, kMaxBytes> bytes_{};
  std::uint8_t length_ = 0;
};

/// Writes `id` behind its length, as long headers have it, to the start of `out`, which must be
/// long enough, and returns what is left of `out`.
inline MutableBytes append_id(MutableBytes out, const ConnectionId& id) {
  out[0] = static_cast<std::uint8_t>(id.bytes().size());
  return append(out.subspan(1), id.bytes());
}

/// The length of the IDs that this implementation gives out. Short headers carry no length, so it
/// is one for all.
inline constexpr std::size_t kOurConnectionIdBytes = 8;

/// Which shard owns an ID: the kernel's steering program (os/linux) and a client's random first ID
/// follow the same rule.
constexpr std::size_t shard_of(std::uint8_t first_byte, std::size_t shard_count) {
  return first_byte % shard_count;
}

/// A random ID that `shard` of `shard_count` owns.
inline ConnectionId new_connection_id(Random& random, std::size_t shard, std::size_t shard_count) {
  auto bytes = random.bytes<kOurConnectionIdBytes>();
  const std::size_t rounds = (256 - shard + shard_count - 1) / shard_count;
  bytes[0] = static_cast<std::uint8_t>(shard + bytes[0] % rounds * shard_count);
  return ConnectionId(bytes);
}

}  // namespace qdt::quic

template <>
struct std::hash<qdt::quic::ConnectionId> {
  std::size_t operator()(const qdt::quic::ConnectionId& id) const noexcept {
    // Ours are random, and so are a client's first ones by RFC 9000 section 7.2: eight bytes of
    // them are a hash. A client that picks others on purpose reaches one shard's table of half-open
    // connections, which is bounded.
    std::uint64_t prefix = 0;
    const qdt::Bytes bytes = id.bytes();
    if (!bytes.empty()) std::memcpy(&prefix, bytes.data(), std::min(bytes.size(), sizeof prefix));
    return prefix;
  }
};
