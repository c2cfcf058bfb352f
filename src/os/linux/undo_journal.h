#pragma once

#include <string>
#include <vector>

#include "base/logger.h"
#include "base/result.h"
#include "base/time.h"
#include "os/linux/desired_state.h"
#include "os/linux/undo_step.h"
#include "os/linux/unique_fd.h"
#include "os/undo_journal.h"

namespace qdt::os {

// Undo journals as files `DIRECTORY/TUN.NAMESPACE.undo`, one for each TUN device and network
// namespace, whose header tells process and network. The process that holds one open holds it
// locked (flock), so a journal that can be locked is a dead process's.

/// Steps are lines of JSON. Beside the way back stands the way there: the state that the host is to
/// stay in until then, which is this process's alone and on no file.
class UndoJournal : public BasicUndoJournal<UndoStep, to_json, parse_undo_step> {
 public:
  using BasicUndoJournal::BasicUndoJournal;
  DesiredState& desired() { return desired_; }

 private:
  DesiredState desired_;
};

/// Where the journals of this host are. On a tmpfs, so that they do not outlive what they undo.
inline constexpr const char* kJournalDirectory = "/run/qdt";

/// How long a lock is waited for whose holder is at work.
inline constexpr Duration kJournalPatience = 30s;

/// Takes the journal of `tun_name`, with the steps that a crashed owner left in it, but for what
/// was done to an earlier network of the same number and went with it. Fails while a living process
/// owns it. Where `directory` is full or read-only, the journal is in memory, and says so. Whoever
/// opens journals holds lock_journals().
Result<UndoJournal> open_journal(const std::string& directory, const std::string& tun_name,
                                 Logger& logger);

/// Creates `directory` where it is missing, and keeps other processes from opening journals for as
/// long as the descriptor is open: nobody takes one that is just being cleaned up for one in use.
/// The lock is a file of its own, `DIRECTORY/lock`, for whoever can read one can hold its lock. No
/// descriptor where there can be no file: on a disk that is full or read-only. An error, which
/// names the holder, when somebody else does not let go within `patience`.
Result<UniqueFd> lock_journals(const std::string& directory, Duration patience = kJournalPatience);

/// The name of the file of `tun_name` in a directory of journals.
Result<std::string> journal_name(const std::string& tun_name);

/// The TUN devices that have a journal for this network namespace, in alphabetical order.
std::vector<std::string> find_journals(const std::string& directory);

}  // namespace qdt::os
