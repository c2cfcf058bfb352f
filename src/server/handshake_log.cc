#include "server/handshake_log.h"

#include <algorithm>
#include <utility>

namespace qdt::server {

void HandshakeLog::add(const SocketAddress& client, std::string reason, Timestamp now) {
  const std::lock_guard lock(mutex_);
  forget_old(now);
  const bool is_known = std::ranges::any_of(
      recent_, [&](const Line& line) { return line.client.address == client.address; });
  if (is_known || recent_.size() >= kLinesPerPeriod) {
    if (untold_++ == 0) untold_since_ = now;
    return;
  }
  recent_.push_back({client, std::move(reason), now});
}

void HandshakeLog::tell(Timestamp now) {
  std::vector<std::string> lines;
  {
    const std::lock_guard lock(mutex_);
    for (Line& line : recent_) {
      if (std::exchange(line.is_written, true)) continue;
      lines.push_back("handshake from " + line.client.to_string() + " failed: " + line.reason);
    }
    if (untold_ > 0 && now - untold_since_ >= kPeriod) {
      lines.push_back(std::to_string(std::exchange(untold_, 0)) +
                      " more handshakes failed, from the same or other addresses");
    }
  }
  // Without the lock: a reader of the log may be slow, and shards do not wait for it.
  for (const std::string& line : lines) logger_.info(line);
}

void HandshakeLog::forget_old(Timestamp now) {
  std::erase_if(recent_,
                [now](const Line& line) { return line.is_written && now - line.time >= kPeriod; });
}

}  // namespace qdt::server
