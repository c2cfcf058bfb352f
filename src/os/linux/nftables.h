#pragma once

#include <string>

#include "base/result.h"
#include "os/linux/change.h"

namespace qdt::os {

/// Runs commands in nft(8)'s language as one transaction: all of them take effect, or none. Errors
/// quote nftables and name the kernel module that seems to be missing.
Result<void> run_nft(const std::string& commands);

/// What a command such as `list chains` prints, in JSON (libnftables-json(5)).
Result<std::string> list_nft(const std::string& command);

/// Deletes the table `inet NAME` with all that is in it.
Result<Change> delete_nft_table(const std::string& name);

}  // namespace qdt::os
