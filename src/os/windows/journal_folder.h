#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/logger.h"
#include "base/result.h"
#include "os/windows/undo_journal.h"

namespace qdt::os {

// Undo journals as files `FOLDER\TUN.undo`. Whoever has one open keeps others from writing it; a
// file that can be opened is a dead process's.

/// Takes the journal of `tun_name`. Fails while a living process has it.
Result<UndoJournal> open_journal(const std::string& folder, const std::string& tun_name,
                                 Logger& logger);

/// The TUN devices that have a journal, in alphabetical order.
std::vector<std::string> find_journals(const std::string& folder);

}  // namespace qdt::os
