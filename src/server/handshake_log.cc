#include "server/handshake_log.h"

#include <algorithm>

namespace qdt::server {

void HandshakeLog::add(const SocketAddress& client, const std::string& reason, Timestamp now) {
  const std::lock_guard lock(mutex_);
  forget_old(now);
  const bool is_known = std::ranges::find(recent_, client.address, &Line::address) != recent_.end();
  if (is_known || recent_.size() >= kLinesPerPeriod) {
    if (untold_++ == 0) untold_since_ = now;
    return;
  }
  recent_.push_back({client.address, now});
  logger_.info("handshake from " + client.to_string() + " failed: " + reason);
}

void HandshakeLog::tell_rest(Timestamp now) {
  const std::lock_guard lock(mutex_);
  if (untold_ == 0 || now - untold_since_ < kPeriod) return;
  logger_.info(std::to_string(untold_) +
               " more handshakes failed, from the same or other addresses");
  untold_ = 0;
}

void HandshakeLog::forget_old(Timestamp now) {
  std::erase_if(recent_, [now](const Line& line) { return now - line.time >= kPeriod; });
}

}  // namespace qdt::server
