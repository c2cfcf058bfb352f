#pragma once

namespace qdt::os {

/// Whether standard error goes straight to systemd's journal, which adds the time itself and reads
/// a level from the start of each line (systemd.exec(5), JOURNAL_STREAM; sd-daemon(3)); or, in a
/// service of Windows, to the event log, for which we do the same.
bool is_standard_error_the_journal();

}  // namespace qdt::os
