#include "os/windows/undo_journal.h"

#include <algorithm>

namespace qdt::os {
namespace {

constexpr std::string_view kHeader = "QDT undo journal 1, process ";  // 12

}  // namespace

UndoJournal::UndoJournal(std::unique_ptr<JournalFile> file, std::string_view process,
                         Logger& logger)
    : file_(std::move(file)), header_(std::string(kHeader).append(process).append("\n")) {
  load(logger);
  rewrite();
}

UndoJournal::~UndoJournal() {
  if (file_ && steps_.empty()) file_->remove_at_end();
}

void UndoJournal::load(Logger& logger) {
  const std::string content = file_->content();
  std::string_view rest = content;
  for (int number = 1; !rest.empty(); ++number) {
    const auto end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    if (number == 1 && line.starts_with(kHeader)) continue;
    // A line without its end was being written when the process ended: its change was not made.
    auto step = end == rest.npos ? std::nullopt : parse_undo_step(line);
    if (step) {
      steps_.push_back(std::move(*step));
    } else {
      logger.warning("line " + std::to_string(number) +
                     " of the undo journal is damaged: what it would have undone stays as it is");
    }
  }
}

bool UndoJournal::contains(const UndoStep& step) const {
  return std::ranges::find(steps_, step) != steps_.end();
}

Result<void> UndoJournal::add(const UndoStep& step) {
  const auto written = file_->append(to_line(step) + "\n");
  if (!written) return fail("write the undo journal: " + written.error().message);
  steps_.push_back(step);
  return {};
}

void UndoJournal::forget_newest() {
  steps_.pop_back();
  rewrite();
}

void UndoJournal::forget(const UndoStep& step) {
  const auto place = std::ranges::find(steps_, step);
  if (place == steps_.end()) return;
  steps_.erase(place);
  rewrite();
}

std::vector<std::string> UndoJournal::undo_down_to(std::size_t kept, const Undo& undo,
                                                   Logger& logger) {
  std::vector<std::string> done;
  std::vector<UndoStep> failed;
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

void UndoJournal::undo_one(const UndoStep& step, const Undo& undo, Logger& logger) {
  const auto place = std::ranges::find(steps_, step);
  if (place == steps_.end()) return;
  const auto undone = undo(step);
  if (!undone) return logger.warning("cannot undo: " + undone.error().message);
  if (!undone->empty()) logger.info(*undone);
  steps_.erase(place);
  rewrite();
}

void UndoJournal::rewrite() {
  std::string content = header_;
  for (const UndoStep& step : steps_) content += to_line(step) + "\n";
  file_->replace(content);
}

}  // namespace qdt::os
