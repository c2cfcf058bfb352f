#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>

#include "base/bytes.h"
#include "base/drop.h"
#include "wire/replay_window.h"
#include "wire/seal.h"
#include "wire/session_id.h"

namespace qdt::wire {

/// The type of a datagram's content (docs/protocol-v1.md, Datagram).
enum class DatagramType : std::uint8_t {
  kData = 0,
  kFragment = 1,
  kPing = 2,
  kPong = 3,
  kClose = 4
};

inline constexpr std::size_t kDatagramHeaderBytes = 22;
/// The overhead of a datagram over its plaintext.
inline constexpr std::size_t kDatagramOverhead = kDatagramHeaderBytes + kTagBytes;
/// Ping, Pong and Close carry at most this much.
inline constexpr std::size_t kMaxControlBytes = 64;
/// How far behind the highest counter a datagram may come.
inline constexpr std::size_t kDatagramReplayWindow = 2048;

struct DatagramHeader {
  DatagramType type = DatagramType::kData;
  std::uint8_t flags = 0;
  SessionId session_id = 0;
  std::uint64_t counter = 0;
};

/// Writes the 22 bytes of `header` to the start of `to`.
void write_datagram_header(MutableBytes to, const DatagramHeader& header);

/// Reads the header of a datagram that may hold header and tag. The type is as it came, known or
/// not: it may be believed once the datagram is authentic.
std::expected<DatagramHeader, Drop> parse_datagram_header(Bytes datagram);

/// Seals one direction of a session: numbers the datagrams and writes them. One thread.
class DatagramSealer {
 public:
  DatagramSealer(SessionId session_id, const DirectionKey& key, std::uint64_t first_counter = 0);

  /// Writes a whole datagram whose plaintext is `prefix` and then `body` to `out`, and returns its
  /// length: kDatagramOverhead + prefix.size() + body.size(), for which `out` has room. Call only
  /// while !is_exhausted().
  std::size_t seal(DatagramType type, Bytes prefix, Bytes body, MutableBytes out);

  /// Every counter was used once: the session has to end, a counter never comes twice.
  bool is_exhausted() const { return is_exhausted_; }
  std::uint64_t next_counter() const { return counter_; }

 private:
  SessionId session_id_;
  DirectionKey key_;
  Aead aead_;
  std::uint64_t counter_;
  bool is_exhausted_ = false;
};

/// Opens the other direction: header checks, replay window, authentication, in the protocol's
/// order. One thread.
class DatagramOpener {
 public:
  DatagramOpener(SessionId session_id, const DirectionKey& key);

  struct Opened {
    DatagramType type;
    std::size_t bytes;  ///< of plaintext, at the start of `out`
  };

  /// Checks and opens `datagram`, writing its plaintext to `out`, which has room for
  /// datagram.size() - kDatagramOverhead. Only an authentic datagram moves the replay window.
  std::expected<Opened, Drop> open(Bytes datagram, MutableBytes out);

 private:
  SessionId session_id_;
  DirectionKey key_;
  Aead aead_;
  ReplayWindow<kDatagramReplayWindow> window_;
};

}  // namespace qdt::wire
