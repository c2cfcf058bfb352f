#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "access/user_table.h"
#include "base/ip_address.h"
#include "wire/ed25519.h"
#include "wire/token_keys.h"

// Users, their devices and their limits, as they are kept. Plain values. Times are seconds since
// the Unix epoch, rates bits a second, ids random numbers that no other row of their kind has.

namespace qdt::users {

/// The user of the configuration's `token` and `devices`: no other may have the name.
inline constexpr const char* kDefaultUser = "default";

/// What is said of a user who is in no group: no group may have the name.
inline constexpr const char* kNoGroup = "none";

// Bounds of a store, which hold for every change.
inline constexpr std::size_t kMaxUsers = 100'000;
inline constexpr std::size_t kMaxDevicesOfUser = 256;
inline constexpr std::size_t kMaxTicketsOfUser = 64;
inline constexpr std::size_t kMaxGroups = 1'000;
inline constexpr std::size_t kMaxAllowed = 64;  ///< prefixes of a user

/// The traffic that a user may cause in a month, both directions together.
struct Quota {
  std::uint64_t bytes = 0;
  int reset_day = 1;  ///< of the month, 1 to 28: it begins anew at 00:00 UTC
  /// The rate, each direction, once it is used up; nothing: the user has to wait for the reset day.
  std::optional<std::uint64_t> then;
  bool operator==(const Quota&) const = default;
};

/// What is not there has no limit, or the group's.
struct Limits {
  std::optional<std::uint64_t> up;    ///< of all sessions together, from the clients
  std::optional<std::uint64_t> down;  ///< and to them
  std::optional<Quota> quota;
  std::optional<std::uint64_t> max_devices;   ///< at least 1
  std::optional<std::uint64_t> max_sessions;  ///< at a time, at least 1
  std::vector<Prefix> allowed;                ///< destinations; empty: all that clients reach
  bool operator==(const Limits&) const = default;

  /// These, and the group's where there is none here.
  Limits with_defaults(const Limits& group) const;
};

struct Group {
  std::string name;
  Limits limits;
  bool operator==(const Group&) const = default;
};

/// A device proves itself by one of these: a key, a token, or a name and secret.
struct Device {
  std::uint64_t id = 0;
  std::string name;
  std::optional<wire::Ed25519PublicKey> key;
  std::optional<wire::PresharedKey> psk;  ///< of one with a key
  std::string token;                      ///< empty: none
  std::optional<access::Device::Login> login;
  std::optional<IpAddress> address;  ///< IPv4, always the same; nothing: any of the pool
  /// Nothing sets it: an IPv6 address is lent beside the IPv4 one, by its number.
  std::optional<IpAddress> address6;
  std::int64_t created = 0;
  /// Its secret is sealed under a key that is not the key file's: it cannot come in, and its
  /// secret is kept as it is.
  bool is_locked = false;
  bool operator==(const Device&) const = default;
};

/// A link that lets one device enrol its own key (docs/protocol.md section 12).
struct Ticket {
  std::uint64_t id = 0;
  wire::Ed25519PublicKey key{};  ///< of its secret, which only the link has
  std::int64_t created = 0;
  std::int64_t expires = 0;
  std::uint64_t device = 0;  ///< that it has enrolled, there or removed since; 0: none yet
  bool operator==(const Ticket&) const = default;
};

struct User {
  std::uint64_t id = 0;
  std::string name;
  bool is_enabled = true;
  std::optional<std::int64_t> expires;  ///< from then on it may not come in
  std::string group;                    ///< whose limits are its defaults; empty: none
  Limits limits;
  std::int64_t created = 0;
  std::vector<Device> devices;
  std::vector<Ticket> tickets;
  bool operator==(const User&) const = default;
};

/// All that a store has, at one revision.
struct Contents {
  std::uint64_t revision = 0;
  std::vector<User> users;  ///< by name
  std::vector<Group> groups;
  std::size_t locked_devices = 0;
};

/// Bytes that one device has caused in one month, as one run of one server has counted them since
/// it began: larger numbers take the place of smaller ones, so that none counts twice.
struct Usage {
  std::uint64_t user = 0;
  std::uint64_t device = 0;
  int period = 0;           ///< 202611: November 2026, UTC
  std::string node;         ///< of the server
  std::uint64_t epoch = 0;  ///< of the run
  std::uint64_t up = 0;
  std::uint64_t down = 0;
  bool operator==(const Usage&) const = default;
};

/// Likewise of one user in one day, both directions together: what quotas are reckoned by.
struct DayUsage {
  std::uint64_t user = 0;
  int day = 0;  ///< 20261130, UTC
  std::string node;
  std::uint64_t epoch = 0;
  std::uint64_t bytes = 0;
  bool operator==(const DayUsage&) const = default;
};

/// When something came from a device last.
struct Sighting {
  std::uint64_t device = 0;
  std::int64_t at = 0;
  bool operator==(const Sighting&) const = default;
};

/// What a server has counted, for the store.
struct Counts {
  std::vector<Usage> usage;
  std::vector<DayUsage> days;
  std::vector<Sighting> sightings;
  bool is_empty() const { return usage.empty() && days.empty() && sightings.empty(); }
  bool operator==(const Counts&) const = default;
};

/// What a user has used of its quota since `begin`, when that began anew.
struct QuotaUse {
  std::uint64_t user = 0;
  std::int64_t begin = 0;
  std::uint64_t bytes = 0;
  bool operator==(const QuotaUse&) const = default;
};

/// Who changed what, and when.
struct Deed {
  std::int64_t at = 0;
  std::string who;
  std::string what;
  bool operator==(const Deed&) const = default;
};

}  // namespace qdt::users
