#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "os/linux/undo_step.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {

// Forwarding belongs to the whole network (IPv4's or IPv6's), and to nobody alone: several servers
// may need it, and other programs come to rely on it. The first server that finds it off notes how
// everything was; every later one takes over that note; the last one to end switches it off again,
// unless somebody else seems to want it.

/// A server's share in forwarding that QDT has switched on. It goes with the object, or the
/// process.
struct ForwardingClaim {
  UniqueFd lock;
  UniqueFd writes;  ///< tells of everybody's writes to the setting (inotify), once it is on
  /// How it was before QDT switched it on; nothing where it is on by somebody else.
  std::optional<RestoreForwarding> before;
};

/// Before forwarding is switched on for the device `tun_name`.
Result<ForwardingClaim> claim_forwarding(bool is_v6, const std::string& tun_name);
/// Nothing came of it.
void give_up(ForwardingClaim claim);

/// Switches on what `before` describes; interfaces that took router advertisements go on doing so.
Result<void> switch_forwarding_on(const RestoreForwarding& before);

/// Looks from now on whether somebody writes to the setting.
void watch_writes(ForwardingClaim& claim);
/// Whether somebody has set it to 1 since the last call, although it was: notes that this is to
/// stay.
void note_wishes(const ForwardingClaim& claim);
/// All writes since the last call were ours.
void forget_writes(const ForwardingClaim& claim);

/// Puts everything back, or says why not: another server goes on, or somebody else wants it, as
/// sysctl files, other firewall tables or devices that are new tell. The caller's own claim is
/// gone.
Result<std::string> put_back_forwarding(const RestoreForwarding& before);

/// Its name below /proc/sys.
std::string forwarding_sysctl(bool is_v6);

}  // namespace qdt::os
