#pragma once

#include <span>
#include <vector>

#include "base/name_server.h"
#include "base/result.h"
#include "os/host_network.h"
#include "os/linux/change.h"

namespace qdt::os {

// systemd-resolved, over the system bus (org.freedesktop.resolve1(5)).

/// How far resolved answers for the host.
enum class ResolvedReach {
  kAllPrograms,
  kSomePrograms,  ///< /etc/resolv.conf is not resolved's, so those that read it are not reached
};

/// Whether resolved runs, in this network namespace, and knows the link: an error says what is not
/// so. Never starts it.
Result<ResolvedReach> find_resolved(int link_index);

/// Makes the wish's name servers the link's, and the link the way for its domains, or for every
/// name; reads back what was set. A failure leaves nothing set.
Result<void> set_resolved_dns(int link_index, const NameServerWish& wish);

/// The link's name servers as they are now.
Result<std::vector<NameServer>> read_resolved_dns(int link_index);

/// Forgets every setting of the link. A link that is gone, or resolved not running, needs nothing.
Result<Change> revert_resolved(int link_index);

}  // namespace qdt::os
