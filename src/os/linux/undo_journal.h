#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/logger.h"
#include "base/result.h"
#include "os/linux/undo_step.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {

/// Where the journals of this host are. On a tmpfs, so that they do not outlive what they undo.
inline constexpr const char* kJournalDirectory = "/run/qdt";

/// How to undo what one process has changed for one TUN device in one network namespace, on file
/// before the change is made: `DIRECTORY/TUN.NAMESPACE.undo`, a header that tells process and
/// network, and then a line of JSON for each step, oldest first. The process that holds the file
/// open holds it locked (flock), so a journal that can be locked is a dead process's. The file goes
/// when nothing is left to undo.
class UndoJournal {
 public:
  /// Takes the journal of `tun_name`, with the steps that a crashed owner left in it; lines that
  /// cannot be read are reported and forgotten, as is what was done to an earlier network of the
  /// same number and went with it. Fails while a living process owns it. Whoever opens
  /// journals holds lock_journals().
  static Result<UndoJournal> open(const std::string& directory, const std::string& tun_name,
                                  Logger& logger);
  UndoJournal(UndoJournal&&) noexcept = default;
  UndoJournal& operator=(UndoJournal&&) = delete;
  ~UndoJournal();

  const std::vector<UndoStep>& steps() const { return steps_; }
  bool contains(const UndoStep& step) const;

  /// The step is on file when this returns.
  Result<void> add(const UndoStep& step);
  /// Forgets the newest step: its change was not made.
  void forget_newest();

  /// Forgets a step, wherever it stands: there is nothing to undo any more.
  void forget(const UndoStep& step);

  using Undo = std::function<Result<std::string>(const UndoStep&)>;
  /// Undoes, newest first, the steps behind the first `kept`. Those that fail stay, to be tried
  /// again; the failure is logged, as is what was done, which is also returned, a line each.
  std::vector<std::string> undo_down_to(std::size_t kept, const Undo& undo, Logger& logger);
  /// The same for one step, wherever it stands.
  void undo_one(const UndoStep& step, const Undo& undo, Logger& logger);

 private:
  UndoJournal(std::string path, UniqueFd file) : path_(std::move(path)), file_(std::move(file)) {}
  void load(Logger& logger);
  void rewrite();

  std::string path_;
  UniqueFd file_;
  std::vector<UndoStep> steps_;
};

/// Creates `directory` where it is missing, and keeps other processes from opening journals for as
/// long as the descriptor is open: nobody takes one that is just being cleaned up for one in use.
/// The lock is a file of its own, `DIRECTORY/lock`, for whoever can read one can hold its lock.
Result<UniqueFd> lock_journals(const std::string& directory);

/// The TUN devices that have a journal for this network namespace, in alphabetical order.
std::vector<std::string> find_journals(const std::string& directory);

}  // namespace qdt::os
