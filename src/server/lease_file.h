#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/lasting_fault.h"
#include "base/logger.h"
#include "base/result.h"
#include "base/time.h"
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

/// Keeps a lease book in a file (0600, replaced as a whole), so that clients get their leases back
/// from the next process. Never fatal: what cannot be read is reported and given up, what cannot be
/// written is reported once. One thread.
class LeaseFile {
 public:
  /// Referenced objects outlive the file.
  LeaseFile(std::string path, LeaseBook& book, Logger& logger)
      : path_(std::move(path)), book_(book), logger_(logger) {}

  void load(const Moment& now);
  /// Writes the book, if it has changed since the last time.
  void save(const Moment& now);

 private:
  const std::string path_;
  LeaseBook& book_;
  Logger& logger_;
  std::uint64_t saved_version_ = 0;
  Timestamp tried_at_;
  LastingFault fault_;
};

}  // namespace qdt::server
