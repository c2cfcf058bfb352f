#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace qdt::os {

/// Unix sockets without a file, of other processes.
enum class AbstractSockets { kRefused, kAllowed };

/// Has the calling thread and its descendants open only these files, and what is in these folders,
/// and only for reading; make none, listen on no TCP port, send signals to no process outside, and
/// connect to none by an abstract Unix socket but where `abstract` says so. As far as this kernel's
/// Landlock knows it. What is open stays open. A path that is not there allows nothing. Needs
/// no_new_privs. Returns what could not be restricted, in words; empty: nothing.
Result<std::string> restrict_files(const std::vector<std::string>& readable,
                                   AbstractSockets abstract = AbstractSockets::kRefused);

/// Has the calling thread and its descendants change these files alone, and make, change and remove
/// files in these folders alone; what they may read and run stays as it is. Otherwise as
/// restrict_files().
Result<std::string> restrict_writing(const std::vector<std::string>& places);

}  // namespace qdt::os
