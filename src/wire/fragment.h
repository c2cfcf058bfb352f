#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/drop.h"
#include "base/time.h"
#include "wire/datagram.h"

namespace qdt::wire {

/// The first 12 bytes of a Fragment's plaintext (docs/protocol-v1.md, Fragments).
struct FragmentHeader {
  std::uint32_t id = 0;      ///< the packet's, counted up by its sender
  std::uint32_t offset = 0;  ///< of this piece in the packet
  std::uint32_t total = 0;   ///< the packet's length
};

inline constexpr std::size_t kFragmentHeaderBytes = 12;
/// The overhead of a Fragment datagram over the piece of packet in it.
inline constexpr std::size_t kFragmentOverhead = kDatagramOverhead + kFragmentHeaderBytes;

std::array<std::uint8_t, kFragmentHeaderBytes> encode_fragment_header(const FragmentHeader& header);

/// Whether a packet fits one Data datagram of at most `max_datagram_bytes`.
constexpr bool fits_one_datagram(std::size_t packet_bytes, std::size_t max_datagram_bytes) {
  return packet_bytes + kDatagramOverhead <= max_datagram_bytes;
}

/// Puts packets together from their fragments. Half-built packets live in one ring of memory that
/// is allocated with the first fragment and never grows: when it is full the oldest half-built
/// packet gives way, since it is the one most likely to have lost a piece. One thread.
class Reassembler {
 public:
  /// Half-built packets that may wait at one time.
  static constexpr std::size_t kMaxPackets = 64;
  /// Pieces that one packet may come in: 65,535 bytes over a path of 1200 need 60.
  static constexpr std::size_t kMaxPieces = 64;
  static constexpr Duration kTimeout = 5s;

  /// `max_bytes` bounds the bytes of all half-built packets together, and so each packet's.
  explicit Reassembler(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// Takes the plaintext of a Fragment. Returns the whole packet when this was its last missing
  /// piece (valid until the next call), nothing when more are missing, or why the piece, or the
  /// packet it belongs to, was dropped.
  std::expected<std::optional<Bytes>, Drop> add(Bytes plaintext, Timestamp now);

  /// Gives up packets that have been half-built for kTimeout; returns how many.
  std::size_t expire(Timestamp now);

  /// Half-built packets that gave way to newer ones since the last call.
  std::size_t take_evicted() { return std::exchange(evicted_, 0); }

  std::size_t half_built() const { return count_; }

 private:
  struct Piece {
    std::uint32_t offset;
    std::uint32_t bytes;
  };
  struct Packet {
    std::uint32_t id;
    std::uint32_t total;
    std::uint32_t received;
    std::size_t at;  // in the ring
    Timestamp started;
    std::size_t piece_count;
    std::array<Piece, kMaxPieces> pieces;
    bool is_waiting;  // false: complete or given up, its memory not yet reclaimed
  };
  struct Store;
  struct StoreDeleter {
    void operator()(Store* store) const;
  };

  Packet* find(std::uint32_t id);
  Packet* start(const FragmentHeader& header, Timestamp now);
  /// Where a packet of `bytes` may lie now; nothing when an older one has to give way first.
  std::optional<std::size_t> place(std::size_t bytes) const;
  void give_up(Packet& packet);
  void reclaim();

  std::size_t max_bytes_;
  std::unique_ptr<Store, StoreDeleter> store_;
  // Packets [first_, last_) modulo kMaxPackets, in order of arrival; count_ of them are waiting.
  std::size_t first_ = 0;
  std::size_t last_ = 0;
  std::size_t count_ = 0;
  std::size_t evicted_ = 0;
};

}  // namespace qdt::wire
