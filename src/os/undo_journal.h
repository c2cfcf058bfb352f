#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/logger.h"
#include "base/result.h"
#include "os/journal_file.h"

namespace qdt::os {

/// The beginning of a journal's first line; the process follows.
inline constexpr std::string_view kJournalHeader = "QDT undo journal 1, process ";

/// How to undo what one process has changed for one TUN device, on file before the change is made:
/// a header that names the process, and then a line for each step, oldest first. `line_of` and
/// `parse` turn steps into lines without their ends and back; `parse` finds nothing in what
/// `line_of` does not write.
template <typename Step, std::string (*line_of)(const Step&),
          std::optional<Step> (*parse)(std::string_view)>
class BasicUndoJournal {
 public:
  /// With those of the steps that a crashed owner left which are `still_due`; lines that cannot be
  /// read are reported and forgotten. `owner`: the process, and what else the header is to tell.
  /// The logger outlives the journal.
  BasicUndoJournal(
      std::unique_ptr<JournalFile> file, std::string_view owner, Logger& logger,
      const std::function<bool(const Step&)>& still_due = [](const Step&) { return true; })
      : file_(std::move(file)),
        logger_(&logger),
        header_(std::string(kJournalHeader).append(owner).append("\n")) {
    load(still_due, logger);
    rewrite();
  }
  BasicUndoJournal(BasicUndoJournal&&) noexcept = default;
  BasicUndoJournal& operator=(BasicUndoJournal&&) = delete;
  ~BasicUndoJournal() {
    if (file_ && steps_.empty()) file_->remove_at_end();
  }

  const std::vector<Step>& steps() const { return steps_; }
  bool contains(const Step& step) const { return std::ranges::find(steps_, step) != steps_.end(); }

  /// The step is on file when this returns; or, where the file cannot be written, in memory alone,
  /// which is told once: a full disk ends no tunnel, and this process undoes its changes as ever.
  void add(const Step& step) {
    steps_.push_back(step);
    if (is_behind_) return rewrite();
    const auto written = file_->append(line_of(step) + "\n");
    if (written) return;
    is_behind_ = true;
    logger_->warning("write " + file_->name() + ": " + written.error().message +
                     "; this program goes on, and undoes its changes when it ends, but after a "
                     "crash --cleanup would not know all of them");
  }

  /// Forgets the newest step: its change was not made.
  void forget_newest() {
    steps_.pop_back();
    rewrite();
  }

  /// Forgets a step, wherever it stands: there is nothing to undo any more.
  void forget(const Step& step) {
    const auto place = std::ranges::find(steps_, step);
    if (place == steps_.end()) return;
    steps_.erase(place);
    rewrite();
  }

  /// Puts another step in the place of one: what there is to undo has changed.
  void replace(const Step& step, const Step& with) {
    const auto place = std::ranges::find(steps_, step);
    if (place == steps_.end() || *place == with) return;
    *place = with;
    rewrite();
  }

  using Undo = std::function<Result<std::string>(const Step&)>;
  /// Undoes, newest first, the steps behind the first `kept`. Those that fail stay, to be tried
  /// again; the failure is logged, as is what was done, which is also returned, a line each.
  std::vector<std::string> undo_down_to(std::size_t kept, const Undo& undo, Logger& logger) {
    std::vector<std::string> done;
    std::vector<Step> failed;
    while (steps_.size() > kept) {
      const auto undone = undo(steps_.back());
      if (!undone) {
        logger.warning("cannot undo: " + undone.error().message);
        failed.insert(failed.begin(), steps_.back());
      } else if (!undone->empty()) {
        logger.info(*undone);
        done.push_back(*undone);
      }
      steps_.pop_back();
    }
    steps_.insert(steps_.end(), failed.begin(), failed.end());
    rewrite();
    return done;
  }

  /// The same for one step, wherever it stands.
  void undo_one(const Step& step, const Undo& undo, Logger& logger) {
    const auto place = std::ranges::find(steps_, step);
    if (place == steps_.end()) return;
    const auto undone = undo(step);
    if (!undone) return logger.warning("cannot undo: " + undone.error().message);
    if (!undone->empty()) logger.info(*undone);
    steps_.erase(place);
    rewrite();
  }

 private:
  void load(const std::function<bool(const Step&)>& still_due, Logger& logger) {
    const std::string content = file_->content();
    std::string_view rest = content;
    for (int number = 1; !rest.empty(); ++number) {
      const auto end = rest.find('\n');
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
      if (number == 1 && line.starts_with(kJournalHeader)) continue;
      // A line without its end was being written when the process ended: its change was not made.
      auto step = end == rest.npos ? std::nullopt : parse(line);
      if (!step) {
        logger.warning("line " + std::to_string(number) + " of " + file_->name() +
                       " is damaged: what it would have undone stays as it is");
      } else if (still_due(*step)) {
        steps_.push_back(std::move(*step));
      }
    }
  }

  void rewrite() {
    std::string content = header_;
    for (const Step& step : steps_) content += line_of(step) + "\n";
    const bool is_written = file_->replace(content);
    if (is_written && std::exchange(is_behind_, false)) {
      logger_->info(file_->name() + " can be written again");
    }
  }

  std::unique_ptr<JournalFile> file_;
  Logger* logger_;
  std::string header_;
  std::vector<Step> steps_;
  bool is_behind_ = false;  // the file lacks steps
};

}  // namespace qdt::os
