#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/bytes.h"

namespace qdt::quic {

/// Bytes on their way out on a stream that lives long: each stays where it is until the peer has
/// acknowledged it. One thread.
class OutgoingBytes {
 public:
  /// That may wait for an acknowledgement.
  static constexpr std::size_t kMaxBytes = 64 * 1024;

  /// False, and nothing has changed, when more than kMaxBytes would wait.
  [[nodiscard]] bool add(std::vector<std::uint8_t> bytes);
  /// The next bytes that were not taken yet; empty when all were. Valid until all of them are
  /// acknowledged.
  Bytes take();
  /// The peer has so many bytes more of those that were taken.
  void acknowledge(std::uint64_t bytes);
  /// That wait for an acknowledgement, taken or not.
  std::size_t size() const { return size_; }

 private:
  std::deque<std::vector<std::uint8_t>> pieces_;
  std::size_t taken_ = 0;         // pieces: all, or all but the last
  std::size_t acknowledged_ = 0;  // bytes of the first piece
  std::size_t size_ = 0;
};

}  // namespace qdt::quic
