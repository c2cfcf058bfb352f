#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "os/windows/network_calls.h"

namespace qdt::os {

// How to undo each kind of change that we make to the host. What restores something knows what we
// wrote, so as to leave alone what somebody else has changed since. Filters are not among them:
// they go with the process.

struct RestoreIpSettings {
  InterfaceId link = 0;
  IpFamily family = IpFamily::kV4;
  IpSettings was;
  IpSettings wrote;
  bool operator==(const RestoreIpSettings&) const = default;
};

struct RemoveAddress {
  OwnAddress address;
  bool operator==(const RemoveAddress&) const = default;
};

struct RemoveRoute {
  WindowsRoute route;
  bool operator==(const RemoveRoute&) const = default;
};

/// The name servers of one IP version of an interface.
struct RestoreDns {
  InterfaceId link = 0;
  IpFamily family = IpFamily::kV4;
  std::vector<IpAddress> was;
  std::vector<IpAddress> wrote;
  bool operator==(const RestoreDns&) const = default;
};

struct RemoveResolutionPolicy {
  std::string key;
  bool operator==(const RemoveResolutionPolicy&) const = default;
};

using UndoStep =
    std::variant<RestoreIpSettings, RemoveAddress, RemoveRoute, RestoreDns, RemoveResolutionPolicy>;

/// The keys of our resolution policies begin with it.
inline constexpr std::string_view kPolicyPrefix = "QDT-";

/// One line of words, without its end.
std::string to_line(const UndoStep& step);
/// Nothing for what to_line() does not write.
std::optional<UndoStep> parse_undo_step(std::string_view line);

/// Undoes a change, if it is still as we made it, and tells what was done; an empty text when there
/// was nothing left to do.
Result<std::string> undo(const UndoStep& step, NetworkCalls& calls);

}  // namespace qdt::os
