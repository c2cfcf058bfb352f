#pragma once

#include <cstddef>

#include "base/logger.h"
#include "base/result.h"
#include "os/windows/undo_journal.h"

namespace qdt::os {

/// Changes to the host that belong together: unless commit() is called, destroying the transaction
/// undoes those that it made.
class Transaction {
 public:
  Transaction(UndoJournal& journal, NetworkCalls& calls, Logger& logger)
      : journal_(journal), calls_(calls), logger_(logger), kept_(journal.steps().size()) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() {
    if (is_committed_) return;
    journal_.undo_down_to(kept_, [&](const UndoStep& step) { return undo(step, calls_); }, logger_);
  }

  /// Notes how to undo a change, then makes it by `make()`, which is all or nothing.
  template <typename Make>
  Result<void> change(const UndoStep& step, Make make) {
    journal_.add(step);
    const Result<void> made = make();
    if (!made) journal_.forget_newest();
    return made;
  }

  void commit() { is_committed_ = true; }

 private:
  UndoJournal& journal_;
  NetworkCalls& calls_;
  Logger& logger_;
  std::size_t kept_;
  bool is_committed_ = false;
};

}  // namespace qdt::os
