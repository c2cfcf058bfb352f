#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "os/linux/nftables.h"
#include "os/linux/transaction.h"

namespace qdt::os {

/// An nftables table that is there as long as this object, even where somebody flushes all tables,
/// and goes with the process, however that ends. Where the kernel is too old for that (before 5.12)
/// it is a table like any other, noted in the journal.
class HeldTable {
 public:
  /// `name`: of the plain table; those that are owned take `NAME.1` and `NAME.2` in turn.
  explicit HeldTable(std::string name) : name_(std::move(name)) {}

  /// The ruleset that makes the table `name` with `flags`, a line of its own or nothing.
  using Form = std::function<std::string(const std::string& name, const std::string& flags)>;
  /// Makes the table, or another in its place without a gap. When that fails, the one that was
  /// there stays.
  Result<void> set(const Form& form, Transaction& transaction);
  /// Lets go of the table that is owned; a plain one goes with the journal.
  void drop();
  /// Whether the kernel lets the process own it.
  bool is_owned() const { return owner_.has_value(); }
  bool is_set() const { return !rules_.empty(); }

 private:
  std::string name_;
  std::string rules_;  ///< as set
  bool is_first_ = false;
  std::optional<NftOwner> owner_;
};

}  // namespace qdt::os
