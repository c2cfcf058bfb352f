#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/linux/change.h"
#include "os/linux/undo_step.h"

namespace qdt::os {

/// An nftables table that is to stay as it was made, to the last rule.
class KeptTable {
 public:
  /// `make` replaces the table by a new one. It has just been called.
  KeptTable(std::string name, std::function<Result<void>()> make);

  const std::string& name() const { return name_; }
  /// Makes the table again where somebody has deleted or changed it. kNotNeeded: nobody has.
  Result<Change> keep();

 private:
  std::string name_;
  std::function<Result<void>()> make_;
  std::string text_;  // as nftables prints it
};

/// How the host is to be for as long as this process wants it so: what the steps of its journal
/// would undo, and what was so before. A step that leaves the journal is not wanted any more.
class DesiredState {
 public:
  /// A change that this process has made, and noted in its journal.
  void add(const UndoStep& step);
  /// A state that was there already.
  void add_found(const UndoStep& step);
  /// How to make the table that the journal's step names.
  void set_table(const std::string& name, std::function<Result<void>()> make);
  /// The journal has another step in the place of one.
  void replace(const UndoStep& step, const UndoStep& with);

  /// The steps that are wanted, in the order in which it can be made: tables (which refuse what
  /// would go around the tunnel meanwhile), settings, links, addresses, routes, rules. Of several
  /// steps for one setting or link, the newest. `journal`: its steps.
  std::vector<UndoStep> wanted(std::span<const UndoStep> journal) const;
  KeptTable* find_table(const std::string& name);

  /// nftables' generation at which all tables stood.
  std::optional<std::uint32_t> generation;

 private:
  std::vector<UndoStep> made_;
  std::vector<UndoStep> found_;
  std::vector<KeptTable> tables_;
};

}  // namespace qdt::os
