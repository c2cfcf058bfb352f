#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "os/linux/netlink.h"

namespace qdt::os {

// How to undo each kind of change that we make to the host. What restores something knows what we
// wrote, so as to leave alone what somebody else has changed since.

struct RestoreSysctl {
  std::string name;
  std::string was;
  std::string wrote;
  bool operator==(const RestoreSysctl&) const = default;
};

struct RestoreLink {
  Link was;
  Link wrote;
  bool operator==(const RestoreLink&) const = default;
};

struct DeleteAddress {
  InterfaceAddress address;
  bool operator==(const DeleteAddress&) const = default;
};

struct DeleteRoute {
  Route route;
  bool operator==(const DeleteRoute&) const = default;
};

struct DeleteRule {
  RoutingRule rule;
  bool operator==(const DeleteRule&) const = default;
};

struct DeleteNftTable {
  std::string name;
  bool operator==(const DeleteNftTable&) const = default;
};

/// systemd-resolved's settings for a link.
struct RevertResolved {
  int link_index = 0;
  bool operator==(const RevertResolved&) const = default;
};

/// A record of the resolvconf program.
struct DeleteResolvconfRecord {
  std::string record;
  bool operator==(const DeleteResolvconfRecord&) const = default;
};

/// A client's name servers in /etc/resolv.conf (os/linux/resolv_conf_layers.h).
struct RemoveResolvConfLayer {
  std::string owner;
  bool operator==(const RemoveResolvConfLayer&) const = default;
};

/// /etc/resolv.conf, where layers cannot be recorded.
struct RestoreResolvConf {
  std::optional<std::string> was;  ///< nothing: there was no such file
  std::string wrote;
  bool operator==(const RestoreResolvConf&) const = default;
};

/// How IPv4's or IPv6's forwarding was while it was off: src/os/linux/forwarding.h.
struct RestoreForwarding {
  bool is_v6 = false;
  std::vector<std::string> forwarding;            ///< interfaces that forwarded alone
  std::vector<std::string> closed;                ///< those that did not
  std::vector<std::string> takes_advertisements;  ///< of routers (accept_ra=1)
  std::vector<std::string> rules;                 ///< notes of other people's tables
  bool operator==(const RestoreForwarding&) const = default;
};

using UndoStep = std::variant<RestoreSysctl, RestoreForwarding, RestoreLink, DeleteAddress,
                              DeleteRoute, DeleteRule, DeleteNftTable, RevertResolved,
                              DeleteResolvconfRecord, RemoveResolvConfLayer, RestoreResolvConf>;

/// One line of JSON, without its end. Bytes that are not UTF-8 survive.
std::string to_json(const UndoStep& step);
/// Nothing for what to_json() does not write.
std::optional<UndoStep> parse_undo_step(std::string_view line);

/// Undoes a change, if it is still as we made it, and tells what was done; an empty text when there
/// was nothing left to do.
Result<std::string> undo(const UndoStep& step);

}  // namespace qdt::os
