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
  struct Told {
    std::string client;
    std::string reason;
  };
  std::vector<Told> lines;
  std::uint64_t more = 0;
  {
    const std::lock_guard lock(mutex_);
    for (Line& line : recent_) {
      if (std::exchange(line.is_written, true)) continue;
      lines.push_back({line.client.to_string(), line.reason});
    }
    if (untold_ > 0 && now - untold_since_ >= kPeriod) more = std::exchange(untold_, 0);
  }
  // Without the lock: a reader of the log may be slow, and shards do not wait for it.
  for (const auto& [client, reason] : lines) {
    logger_.info("handshake from " + client + " failed: " + reason,
                 {{"address", client}, {"reason", reason}});
  }
  if (more > 0) {
    logger_.info(std::to_string(more) +
                 " more handshakes failed, from the same or other addresses");
  }
}

void HandshakeLog::forget_old(Timestamp now) {
  std::erase_if(recent_,
                [now](const Line& line) { return line.is_written && now - line.time >= kPeriod; });
}

}  // namespace qdt::server
