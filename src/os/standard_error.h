#pragma once

namespace qdt::os {

/// Whether standard error goes straight to systemd's journal, which adds the time itself and reads
/// a level from the start of each line (systemd.exec(5), JOURNAL_STREAM; sd-daemon(3)).
bool is_standard_error_the_journal();

}  // namespace qdt::os
