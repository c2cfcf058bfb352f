#pragma once

#include <cstddef>

#include "base/logger.h"
#include "base/result.h"
#include "os/linux/change.h"
#include "os/linux/undo_journal.h"
#include "os/linux/undo_step.h"

namespace qdt::os {

/// Changes to the host that belong together: unless commit() is called, destroying the transaction
/// undoes those that it made.
class Transaction {
 public:
  Transaction(UndoJournal& journal, Logger& logger)
      : journal_(journal), logger_(logger), kept_(journal.steps().size()) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() {
    if (!is_committed_) journal_.undo_down_to(kept_, undo, logger_);
  }

  /// Notes how to undo a change, then makes it by `make()`, which is all or nothing and returns
  /// Result<Change> or Result<void>. kMade: it is as wanted, and ours to undo. kNotNeeded: it was
  /// so before us.
  template <typename Make>
  Result<Change> change(const UndoStep& step, Make make) {
    const bool is_ours = journal_.contains(step);
    if (!is_ours) journal_.add(step);
    Result<Change> change = as_change(make());
    if (is_ours && change) return Change::kMade;
    if (is_ours) return change;
    if (!change || *change == Change::kNotNeeded) journal_.forget_newest();
    return change;
  }

  void commit() { is_committed_ = true; }

 private:
  UndoJournal& journal_;
  Logger& logger_;
  std::size_t kept_;
  bool is_committed_ = false;
};

}  // namespace qdt::os
