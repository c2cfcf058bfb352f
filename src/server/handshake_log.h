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
/// and ten in all, so that whoever floods the server does not flood the log; how many more there
/// were is told. Any thread.
class HandshakeLog {
 public:
  explicit HandshakeLog(Logger& logger) : logger_(logger) {}

  void add(const SocketAddress& client, const std::string& reason, Timestamp now);
  /// Tells of those that were not logged, once the second is over. To be called now and then.
  void tell_rest(Timestamp now);

 private:
  static constexpr Duration kPeriod = 1s;
  static constexpr std::size_t kLinesPerPeriod = 10;

  struct Line {
    IpAddress address;
    Timestamp time;
  };
  void forget_old(Timestamp now);

  std::mutex mutex_;
  Logger& logger_;
  std::vector<Line> recent_;  // of the last kPeriod; at most kLinesPerPeriod
  std::uint64_t untold_ = 0;  // failures without a line
  Timestamp untold_since_;
};

}  // namespace qdt::server
