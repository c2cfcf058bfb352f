#pragma once

#include "base/result.h"

namespace qdt::os {

// Linux runs programs of ours for a TUN device: one counts what waits there (os/linux/
// tun_arrivals.h), one chooses its queues (os/steering.h). To load them takes CAP_BPF and bpf(2),
// which a service is better without. So a step before its start loads them, and the service manager
// keeps them for the service itself (FileDescriptorStoreMax= of systemd), which uses them with
// neither.

/// Whether this system has such programs.
bool has_tun_programs();

/// Loads them and hands them to the service manager that has started this process ($NOTIFY_SOCKET),
/// in the place of those that it has. Waits until it has taken them, for some seconds.
Result<void> hand_over_tun_programs();

}  // namespace qdt::os
