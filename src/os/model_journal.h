#pragma once

// For tests only: what an undo journal needs, in memory.

#include <string>
#include <string_view>

#include "base/logger.h"
#include "os/journal_file.h"

namespace qdt::os {

/// A journal in memory that outlives its owner.
class ModelJournalFile final : public JournalFile {
 public:
  explicit ModelJournalFile(std::string& content, bool* is_full = nullptr)
      : content_(content), is_full_(is_full) {}
  std::string content() override { return content_; }
  Result<void> append(std::string_view line) override {
    if (is_full_ != nullptr && *is_full_) return fail("There is not enough space on the disk");
    content_ += line;
    return {};
  }
  bool replace(std::string_view content) override {
    if (is_full_ != nullptr && *is_full_ && content.size() > content_.size()) return false;
    content_ = content;
    return true;
  }
  void remove_at_end() override { content_.clear(); }

 private:
  std::string& content_;
  bool* is_full_;
};

/// Keeps what is logged.
class ModelLogger final : public Logger {
 public:
  std::string text;

 private:
  void write(LogLevel level, std::string_view message) override {
    if (level == LogLevel::kDebug) return;
    text += level == LogLevel::kInfo ? "info " : "warning ";
    text.append(message) += '\n';
  }
};

}  // namespace qdt::os
