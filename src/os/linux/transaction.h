#pragma once

#include <cstddef>
#include <functional>
#include <string>

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
    if (is_ours && change) *change = Change::kMade;
    const bool is_made = change && *change == Change::kMade;
    if (is_made) journal_.desired().add(step);
    if (!is_ours && !is_made) journal_.forget_newest();
    return change;
  }

  /// Makes an nftables table by `make()`, which replaces one of that name if need be, and which the
  /// desired state keeps, to make the table again: it refers to nothing that ends earlier.
  Result<Change> install_table(const std::string& name, std::function<Result<void>()> make) {
    const auto made = change(DeleteNftTable{name}, make);
    if (made) journal_.desired().set_table(name, std::move(make));
    return made;
  }

  /// A state that was there before us is to stay, too. There is nothing to undo unless somebody
  /// changes it.
  void want(const UndoStep& step) { journal_.desired().add_found(step); }

  /// Notes a step that is to be undone with the others and says nothing about how the host is to be
  /// until then.
  void note(const UndoStep& step) {
    if (!journal_.contains(step)) journal_.add(step);
  }

  void commit() { is_committed_ = true; }

 private:
  UndoJournal& journal_;
  Logger& logger_;
  std::size_t kept_;
  bool is_committed_ = false;
};

}  // namespace qdt::os
