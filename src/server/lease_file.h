#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/lasting_fault.h"
#include "base/logger.h"
#include "base/result.h"
#include "base/time.h"
#include "os/kept_file.h"
#include "server/lease_book.h"

namespace qdt::server {

/// One moment by both clocks: the server's own, and the one that goes on while the host is down.
struct Moment {
  Timestamp time;
  std::chrono::sys_seconds wall;
};

/// A lease book as the text of its file: a line for each lease, and a digest over all, so that what
/// was cut short or changed is not believed.
std::string to_text(const std::vector<LeaseBook::Entry>& entries, const Moment& now);
/// The error says what is wrong with the text.
Result<std::vector<LeaseBook::Entry>> parse_leases(std::string_view text, const Moment& now);
/// Reads a file in which a crash may have left two such texts (os/kept_file.h): the last one that
/// is whole counts.
Result<std::vector<LeaseBook::Entry>> find_leases(std::string_view text, const Moment& now);

/// Keeps a lease book in a file (0600, replaced as a whole), so that clients get their leases back
/// from the next process. It stays open, since later the process may open none; where it is
/// missing, somebody else opens it. Never fatal: what cannot be read is reported and given up, what
/// cannot be written is reported once. One thread.
class LeaseFile {
 public:
  using Open = std::function<Result<os::KeptFile>()>;

  /// Referenced objects outlive the file. `open` makes the file at `path`.
  LeaseFile(std::string path, LeaseBook& book, Open open, Logger& logger)
      : path_(std::move(path)), book_(book), open_(std::move(open)), logger_(logger) {}

  /// Takes over what is in it, if there is one.
  void load(const Moment& now);
  /// Writes the book, if it has changed since the last time.
  void save(const Moment& now);

 private:
  Result<void> write(const Moment& now);

  const std::string path_;
  LeaseBook& book_;
  const Open open_;
  Logger& logger_;
  std::optional<os::KeptFile> file_;
  std::uint64_t saved_version_ = 0;
  Timestamp tried_at_;
  LastingFault fault_;
};

}  // namespace qdt::server
