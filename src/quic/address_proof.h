#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ip_address.h"
#include "base/random.h"
#include "base/time.h"
#include "quic/connection_id.h"
#include "quic/tls.h"
#include "wire/aead.h"

namespace qdt::quic {

/// How a client shows that it is at its address before anything is kept of it: Retry packets (RFC
/// 9000 section 8.1.2), whose tokens come back sealed. A token is for one address and port and for
/// one connection, lasts 30 s, and counts once. No library is asked and no key made for a packet,
/// so that one costs less than the system call that sends it. One thread.
class AddressProof {
 public:
  /// Some round trips of a slow path, or the time until a lost packet was sent again.
  static constexpr Duration kLifetime = 30s;
  /// So many tokens that have counted are remembered; one more takes the place of an older one,
  /// which may then count again as long as it lasts.
  static constexpr std::size_t kMaxSpent = 8192;
  static constexpr std::size_t kTokenBytes =
      1 + wire::kAeadNonceBytes + 8 + 1 + ConnectionId::kMaxBytes + wire::kTagBytes;

  explicit AddressProof(const ServerSecret& secret) : secret_(secret), spent_(kMaxSpent) {}

  /// The IDs of a first packet and of the packet that asks for it once more.
  struct Ids {
    ConnectionId client;    ///< the client's own
    ConnectionId original;  ///< that the client made up for the server
    ConnectionId retry;     ///< by which it is to come back
  };
  /// Writes the Retry packet for a client at `from` to `out`; returns its length, 0 where `out` is
  /// too short.
  std::size_t write(const SocketAddress& from, const Ids& ids, Random& random, Timestamp now,
                    MutableBytes out);

  /// Whether a token is from a Retry packet, genuine or not.
  static bool is_token(Bytes token);

  enum class Verdict { kGood, kSpent, kFalse };
  struct Proof {
    Verdict verdict = Verdict::kFalse;
    ConnectionId original;
    std::uint64_t tag = 0;  ///< of a good token
  };
  /// Judges a first packet from `from` to the ID `retry` with `token`, which does not count yet.
  Proof judge(Bytes token, const SocketAddress& from, const ConnectionId& retry, Timestamp now);
  /// A good token has counted: its connection begins.
  void spend(const Proof& proof);

 private:
  static constexpr std::size_t kWays = 4;
  static constexpr Duration kEpoch = 1h;
  struct Key {
    std::int64_t epoch = -1;
    std::optional<wire::Aead> aead;
  };

  static std::int64_t epoch_of(Timestamp time);
  wire::Aead& key_of(Timestamp time);
  std::span<std::uint64_t> ways_of(std::uint64_t tag);

  ServerSecret secret_;
  // Nonces are random: a key is used for an hour, far fewer than 2^32 tokens.
  std::array<Key, 2> keys_;
  std::optional<wire::Aead> integrity_;
  std::vector<std::uint64_t> spent_;  // tags, in sets of kWays, the latest first
};

}  // namespace qdt::quic
