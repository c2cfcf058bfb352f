#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/drop.h"
#include "base/time.h"
#include "wire/aead.h"
#include "wire/exporter.h"
#include "wire/header_mask.h"
#include "wire/hkdf.h"
#include "wire/replay_window.h"
#include "wire/seal.h"

namespace qdt::wire {

/// A connection ID of the direct plane (docs/protocol-v1.md section 7).
inline constexpr std::size_t kDirectIdBytes = 8;
using DirectId = std::array<std::uint8_t, kDirectIdBytes>;

inline constexpr std::size_t kDirectHeaderBytes = 1 + kDirectIdBytes + 4;
/// The overhead of a direct packet over its payload.
inline constexpr std::size_t kDirectOverhead = kDirectHeaderBytes + kTagBytes;

/// The secrets behind the keys of a session's direct packets, one for each direction.
struct DirectSecrets {
  AeadAlgorithm algorithm = AeadAlgorithm::kChaCha20Poly1305;
  HkdfSecret client{};  ///< client to server
  HkdfSecret server{};  ///< server to client
};

/// The label by which `exporter` below comes from TLS (docs/protocol-v1.md section 7).
inline constexpr std::string_view kDirectExporterLabel = "EXPORTER-qdt-direct-v1";

/// The key schedule of section 7, over what TLS exports and the token. `algorithm` is that of the
/// session's inner AEAD.
DirectSecrets derive_direct_secrets(const HkdfSecret& exporter, std::string_view token,
                                    const HandshakeNonce& client_nonce,
                                    const HandshakeNonce& server_nonce, AeadAlgorithm algorithm);

/// The same with version 1's label.
DirectSecrets derive_direct_secrets(const Exporter& exporter, std::string_view token,
                                    const HandshakeNonce& client_nonce,
                                    const HandshakeNonce& server_nonce, AeadAlgorithm algorithm);

/// The ID of a packet that may be a direct one; nothing for one too short or with a long header.
std::optional<DirectId> direct_id_of(Bytes payload);

/// The AEAD and IV of one key phase, and the secret that the next is made from.
class DirectPhase {
 public:
  DirectPhase(AeadAlgorithm algorithm, const HkdfSecret& secret);
  ~DirectPhase();
  DirectPhase(DirectPhase&&) noexcept = default;
  DirectPhase& operator=(DirectPhase&&) noexcept = default;

  /// The phase after this one. Allocates.
  DirectPhase next() const;

  void seal(std::uint64_t counter, Bytes header, Bytes payload, MutableBytes out) {
    aead_.seal(nonce(counter), header, payload, out);
  }
  [[nodiscard]] bool open(std::uint64_t counter, Bytes header, Bytes sealed, MutableBytes out) {
    return aead_.open(nonce(counter), header, sealed, out);
  }

 private:
  AeadNonce nonce(std::uint64_t counter) const;

  AeadAlgorithm algorithm_;
  HkdfSecret secret_;
  Aead aead_;
  AeadNonce iv_;
};

/// Seals one direction of a session's direct packets, and updates its key in time. One thread.
class DirectSealer {
 public:
  /// How long a phase lasts, and then until one of its packets is known to have arrived: a phase
  /// that nobody saw would leave the receiver one behind, at the same phase bit, for good (RFC 9001
  /// section 6.1).
  static constexpr std::uint64_t kMaxPhasePackets = std::uint64_t{1} << 30;
  static constexpr Duration kMaxPhaseTime = std::chrono::minutes(10);

  DirectSealer(AeadAlgorithm algorithm, const HkdfSecret& secret, Timestamp now,
               std::uint64_t first_counter = 0);

  /// Writes the packet for `id` with `payload` to `out`, which has room for payload.size() +
  /// kDirectOverhead, and returns that number. `payload` may lie where it is to be in `out`.
  /// Allocates where a phase ends, and nowhere else. Call only while !is_exhausted().
  std::size_t seal(const DirectId& id, Bytes payload, MutableBytes out, Timestamp now);

  /// The peer has seen `counter`, which was sent.
  void acknowledge(std::uint64_t counter) {
    assert(counter < counter_);
    acknowledged_ = std::max(acknowledged_, counter + 1);
  }

  /// Goes on with the next key, as seal() does by itself in time; only once a packet of the present
  /// phase has arrived.
  void update_key(Timestamp now);

  std::uint64_t next_counter() const { return counter_; }
  /// A counter never comes twice: 2^62 of them are there. Nor does a key seal twice what a phase is
  /// meant to: packets that nobody has seen by then need another plane.
  bool is_exhausted() const {
    return counter_ >= std::uint64_t{1} << 62 || counter_ - phase_began_at_ >= 2 * kMaxPhasePackets;
  }

 private:
  DirectPhase phase_;
  HeaderMask mask_;
  std::uint64_t counter_;
  std::uint64_t acknowledged_ = 0;  // one above the highest that the peer has seen
  std::uint64_t phase_began_at_;
  Timestamp phase_began_;
  std::uint8_t phase_bit_ = 0;
};

/// Opens the other direction: header protection, replay window, key phases. One thread.
class DirectOpener {
 public:
  DirectOpener(AeadAlgorithm algorithm, const HkdfSecret& secret);

  struct Opened {
    std::uint64_t counter = 0;
    bool is_newest = false;  ///< no authentic packet had a higher counter
    std::size_t bytes = 0;   ///< of payload, at the start of `out`
  };

  /// Opens `packet`, writing its payload to `out`, which has room for packet.size() -
  /// kDirectOverhead, and may begin where the ciphertext does but not overlap it otherwise. Packets
  /// of the phase before are taken for `keep_old` after an update. Only an authentic packet that
  /// was not there before changes anything, and any other costs the same time, whatever its phase
  /// bit and counter (RFC 9001 section 9.5).
  std::expected<Opened, Drop> open(Bytes packet, MutableBytes out, Timestamp now,
                                   Duration keep_old);

  std::uint64_t highest() const { return window_.highest(); }
  /// The packet that failed last was not meant for this plane.
  void forgive() { --forged_; }
  /// The counter of the latest authentic packet, also of one that was dropped as replayed.
  std::uint64_t latest() const { return latest_; }

 private:
  static constexpr std::size_t kReplayWindow = 8192;
  static constexpr std::uint64_t kMaxForged = std::uint64_t{1} << 36;

  HeaderMask mask_;
  DirectPhase current_;
  DirectPhase next_;
  std::optional<DirectPhase> previous_;
  Timestamp previous_until_;
  std::uint64_t phase_began_at_ = 0;  // the first counter of the current phase that was seen
  bool phase_bit_ = false;
  ReplayWindow<kReplayWindow> window_;
  std::uint64_t latest_ = 0;
  std::uint64_t forged_ = 0;
};

}  // namespace qdt::wire
