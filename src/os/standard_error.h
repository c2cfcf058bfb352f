#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace qdt::os {

/// Whether standard error goes straight to systemd's journal, which adds the time itself and reads
/// a level from the start of each line (systemd.exec(5), JOURNAL_STREAM; sd-daemon(3)); or, in a
/// service of Windows, to the event log, for which we do the same.
bool is_standard_error_the_journal();

/// Writes lines to standard error, and on Linux never waits for whoever is to read them: a pipe or
/// terminal that nobody reads takes a bounded number of lines, and what comes then is lost, as it
/// is where the reader is gone or the disk is full. One thread at a time.
class StandardError {
 public:
  StandardError();
  StandardError(const StandardError&) = delete;
  StandardError& operator=(const StandardError&) = delete;
  /// Gives a slow reader a moment for what it has not read yet.
  ~StandardError();

  /// `line` has its end.
  void write(std::string_view line);
  /// How many lines were lost since this was asked last; 0 as long as lines are being lost, so that
  /// it can be told.
  std::uint64_t take_lost();

 private:
  enum class Way {
    kPlain,   ///< a file, or what cannot be told to return at once
    kOwn,     ///< a pipe or terminal, opened again so as not to wait
    kSocket,  ///< the journal's
  };
  enum class Outcome { kDone, kMustWait, kLost };
  Outcome try_to_write(std::string_view& rest);
  /// Writes what has waited, as far as that goes.
  void catch_up();

  Way way_ = Way::kPlain;
  int fd_ = 2;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t lost_ = 0;
  bool is_losing_ = false;
  bool is_in_line_ = false;  // the beginning of a lost line was written
};

}  // namespace qdt::os
