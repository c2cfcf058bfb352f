#include "server/file_watch.h"

#include <algorithm>

namespace qdt::server {

bool FileWatch::look(std::uint64_t stamp, Timestamp now) {
  if (seen_ != stamp) {
    seen_ = stamp;
    changed_at_ = changed_at_.value_or(now);
    read_at_ = std::min(now + kRest, *changed_at_ + kPatience);
  }
  return changed_at_ && now >= read_at_;
}

bool FileWatch::on_read(bool is_sound, Timestamp now) {
  const bool is_to_be_told = !is_sound && failed_at_ && now - *failed_at_ >= kPatience;
  if (is_sound || is_to_be_told) {
    changed_at_.reset();
    failed_at_.reset();
    return is_to_be_told;
  }
  failed_at_ = failed_at_.value_or(now);
  changed_at_ = now;
  read_at_ = now + kRest;
  return false;
}

}  // namespace qdt::server
