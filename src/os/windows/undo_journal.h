#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/logger.h"
#include "base/result.h"
#include "os/windows/undo_step.h"

namespace qdt::os {

/// Where a journal is kept: a file that nobody else has open for writing, and that goes with its
/// last line.
class JournalFile {
 public:
  virtual ~JournalFile() = default;
  virtual std::string content() = 0;
  /// On disk when this returns; a failure leaves the file as it was.
  virtual Result<void> append(std::string_view line) = 0;
  virtual void replace(std::string_view content) = 0;
  /// The file goes when the object does.
  virtual void remove_at_end() = 0;
};

/// How to undo what one process has changed for one TUN device, on file before the change is made:
/// a header that names the process, and then a line for each step, oldest first.
class UndoJournal {
 public:
  /// With the steps that a crashed owner left; lines that cannot be read are reported and
  /// forgotten.
  UndoJournal(std::unique_ptr<JournalFile> file, std::string_view process, Logger& logger);
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
  void load(Logger& logger);
  void rewrite();

  std::unique_ptr<JournalFile> file_;
  std::string header_;
  std::vector<UndoStep> steps_;
};

}  // namespace qdt::os
