#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/logger.h"

namespace qdt::os {

/// Logs the output of a program: a bounded number of bounded lines, fit for a terminal.
class ProgramOutput {
 public:
  ProgramOutput(std::string name, Logger& logger) : name_(std::move(name)), logger_(logger) {}
  ~ProgramOutput() { end_line(); }
  ProgramOutput(const ProgramOutput&) = delete;
  ProgramOutput& operator=(const ProgramOutput&) = delete;

  void add(std::string_view text) {
    for (const char letter : text) {
      const auto byte = static_cast<unsigned char>(letter);
      if (letter == '\n') {
        end_line();
      } else if (line_.size() < kMaxLineBytes) {
        line_ += byte < 0x20 || byte == 0x7f ? '?' : letter;
      }
    }
  }

 private:
  static constexpr std::size_t kMaxLines = 100;
  static constexpr std::size_t kMaxLineBytes = 400;

  void end_line() {
    if (!line_.empty() && ++lines_ <= kMaxLines) logger_.info(name_ + ": " + line_);
    line_.clear();
  }

  std::string name_;
  Logger& logger_;
  std::string line_;
  std::size_t lines_ = 0;
};

}  // namespace qdt::os
