#pragma once

#include "os/undo_journal.h"
#include "os/windows/undo_step.h"

namespace qdt::os {

using UndoJournal = BasicUndoJournal<UndoStep, to_line, parse_undo_step>;

}  // namespace qdt::os
