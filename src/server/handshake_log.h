#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/logger.h"
#include "base/time.h"

namespace qdt::server {

/// Failed handshakes in the log, with address and reason: at most one line a second for an address
/// and ten in all, so that a flood of handshakes is no flood of lines; the number of the others
/// is told. Any thread.
/// Nothing is written before tell(): a line takes longer than an answer, and a stranger could tell
/// a wrong token from an unknown path by the time that its answer takes.
class HandshakeLog {
 public:
  explicit HandshakeLog(Logger& logger) : logger_(logger) {}

  void add(const SocketAddress& client, std::string reason, Timestamp now);
  /// Writes the lines, and, once the second is over, how many more there were. To be called now and
  /// then.
  void tell(Timestamp now);

 private:
  static constexpr Duration kPeriod = 1s;
  static constexpr std::size_t kLinesPerPeriod = 10;

  struct Line {
    SocketAddress client;
    std::string reason;
    Timestamp time;
    bool is_written = false;
  };
  void forget_old(Timestamp now);

  std::mutex mutex_;
  Logger& logger_;
  std::vector<Line> recent_;  // of the last kPeriod, or unwritten; at most kLinesPerPeriod
  std::uint64_t untold_ = 0;  // failures without a line
  Timestamp untold_since_;
};

}  // namespace qdt::server
