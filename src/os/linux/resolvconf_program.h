#pragma once

#include <span>
#include <string>

#include "base/ip_address.h"
#include "base/result.h"

namespace qdt::os {

// resolvconf(8), of openresolv or of Debian: a program that writes resolv.conf from records, each
// named for the interface that it came with.

bool is_resolvconf_installed();

/// The name for our record. Debian's resolvconf ranks records by name, so ours begins as a tunnel's
/// does.
std::string resolvconf_record(const std::string& tun_name);

/// Makes `text`, lines as in resolv.conf, the record, and the only one that counts where resolvconf
/// knows of such (openresolv's -x). A failure leaves no record.
Result<void> add_resolvconf_record(const std::string& record, const std::string& text);
/// Nothing happens where there is no such record.
Result<void> delete_resolvconf_record(const std::string& record);

}  // namespace qdt::os
