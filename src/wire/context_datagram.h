#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include "base/bytes.h"
#include "base/drop.h"
#include "base/role.h"
#include "wire/datagram.h"
#include "wire/replay_window.h"
#include "wire/seal.h"

namespace qdt::wire {

/// The contexts of version 2's datagrams (RFC 9484 section 6; docs/protocol.md section 9).
enum class ContextId : std::uint8_t { kPacket = 0, kFragment = 2, kControl = 4, kSealed = 6 };

/// What two peers agreed on for the datagrams of a session: the contexts beside that of packets.
struct ContextTerms {
  bool fragment = false;              ///< context 2
  bool control = false;               ///< context 4: there is the cap `ping` or `close`
  std::optional<SessionKeys> sealed;  ///< context 6, and no other
};

/// A context ID's bytes: the overhead of a datagram of context 0.
inline constexpr std::size_t kContextBytes = 1;
/// The overhead of a datagram of context 6 over its content: context, counter, type and tag.
inline constexpr std::size_t kSealedOverhead = kContextBytes + 8 + 1 + kTagBytes;

/// Writes one direction of a session's datagrams, from the context ID on. One thread; allocates
/// only when made.
class ContextSealer {
 public:
  /// `role` is the writer's. Counters begin with `first_counter`, where there are any.
  ContextSealer(const ContextTerms& terms, Role role, std::uint64_t first_counter = 0);

  /// What a datagram of `type` has beyond its content.
  std::size_t overhead(DatagramType type) const {
    if (sealed_) return kSealedOverhead;
    const bool is_control = type != DatagramType::kData && type != DatagramType::kFragment;
    return is_control ? kContextBytes + 1 : kContextBytes;
  }

  /// Writes a whole datagram whose content is `prefix` and then `body` to `out`, and returns its
  /// length: overhead(type) + prefix.size() + body.size(), for which `out` has room. `type` is
  /// kPing or one that the terms have. A Ping to a peer that knows none is in a context that nobody
  /// has registered, whose datagrams the peer drops (RFC 9484 section 6), as QUIC acknowledges
  /// them. Call only while !is_exhausted().
  std::size_t seal(DatagramType type, Bytes prefix, Bytes body, MutableBytes out);

  /// Every counter was used once; never without `sealed`.
  bool is_exhausted() const { return is_exhausted_; }

 private:
  struct Sealed {
    DirectionKey key;
    Aead aead;
    std::uint64_t counter;
  };

  std::size_t seal_it(DatagramType type, Bytes prefix, Bytes body, MutableBytes out);

  std::uint8_t control_context_;
  bool is_exhausted_ = false;
  std::optional<Sealed> sealed_;
};

/// Reads the other direction. One thread; allocates only when made.
class ContextOpener {
 public:
  /// `role` is the reader's.
  ContextOpener(const ContextTerms& terms, Role role);

  /// Checks `datagram`, and writes its content to `out`, which has room for datagram.size(). Drops
  /// what is of no context of the terms. With `sealed`, only what is authentic moves the replay
  /// window.
  std::expected<DatagramOpener::Opened, Drop> open(Bytes datagram, MutableBytes out);

 private:
  struct Sealed {
    DirectionKey key;
    Aead aead;
    ReplayWindow<kDatagramReplayWindow> window;
  };

  std::expected<DatagramOpener::Opened, Drop> open_sealed(Bytes sealed, MutableBytes out);

  bool has_fragment_;
  bool has_control_;
  std::optional<Sealed> sealed_;
};

}  // namespace qdt::wire
