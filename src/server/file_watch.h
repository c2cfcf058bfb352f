#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace qdt::server {

/// When files that somebody may change at any time are to be read: once they have changed, and then
/// stood still for a moment. Who writes several files writes one after the other, so files that are
/// not sound are tried again for a while before that is worth a word. Pure.
class FileWatch {
 public:
  /// So long no file has changed before they are read, and so long after a failure, again.
  static constexpr Duration kRest = 2s;
  /// Files that change all the time are read all the same, and those that are not sound told of.
  static constexpr Duration kPatience = 10s;

  /// The stamp of the files as they were read; another one once one of them has changed.
  explicit FileWatch(std::uint64_t stamp) : seen_(stamp) {}

  /// True: read them, then on_read().
  bool look(std::uint64_t stamp, Timestamp now);
  /// True: the files are not sound, and that is to be told. It is, once, until they change again.
  bool on_read(bool is_sound, Timestamp now);

 private:
  std::uint64_t seen_;
  std::optional<Timestamp> changed_at_;  // the first time since they were read
  std::optional<Timestamp> failed_at_;   // likewise
  Timestamp read_at_;
};

}  // namespace qdt::server
