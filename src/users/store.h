#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "users/model.h"

namespace qdt::users {

/// Reads and changes within one transaction of a Store. An error has it undone as a whole.
class Edit {
 public:
  virtual ~Edit() = default;
  /// With its devices.
  virtual Result<std::optional<User>> find_user(std::string_view name) = 0;
  /// The user who has the device.
  virtual Result<std::optional<User>> find_owner(std::uint64_t device) = 0;
  /// The user whose ticket it is.
  virtual Result<std::optional<User>> find_invited(std::uint64_t ticket) = 0;
  virtual Result<std::optional<Group>> find_group(std::string_view name) = 0;
  /// Makes the user, or replaces the one with its ID; its devices and tickets are all that it has
  /// then.
  /// kInvalidArgument where a bound does not hold, or where a name, key, token, login or
  /// address is another's.
  virtual Result<void> put_user(const User& user) = 0;
  /// With its devices, tickets and usage.
  virtual Result<void> remove_user(std::uint64_t id) = 0;
  /// Makes the group, or replaces the one of its name. kInvalidArgument where a bound does not
  /// hold, or where a user in it has more devices than it would allow.
  virtual Result<void> put_group(const Group& group) = 0;
  /// kInvalidArgument while a user is in it.
  virtual Result<void> remove_group(std::string_view name) = 0;
};

/// Where users are kept. Errors are values, and change nothing: kBusy, somebody else has it; kIo
/// and kPermission, the disk or its rights. One thread.
class Store {
 public:
  using OneUser = std::optional<std::uint64_t>;
  virtual ~Store() = default;
  /// A number that every change() makes larger by one.
  virtual Result<std::uint64_t> revision() = 0;
  virtual Result<Contents> read() = 0;
  /// Does `work` in one transaction, which also counts the revision and then writes the deed down:
  /// `work` may change it. What
  /// it returns well is on disk. The new revision.
  virtual Result<std::uint64_t> change(const Deed& deed,
                                       const std::function<Result<void>(Edit&)>& work) = 0;
  /// Keeps the larger of each number and the one that is there, and the latest sighting told, in
  /// one transaction; the revision stays. Usage of users who are gone is dropped; that of their
  /// devices stays the users'. After a crash of the program it is there; a power cut may lose the
  /// latest.
  virtual Result<void> count(const Counts& counts) = 0;
  /// Of one period. `user`, here and below: of this one alone.
  virtual Result<std::vector<Usage>> usage(int period, OneUser user = {}) = 0;
  /// Of one day and those behind it, the sums of each user and day. kDaysKept are there.
  virtual Result<std::vector<DayUsage>> days(int first_day, OneUser user = {}) = 0;
  static constexpr std::size_t kDaysKept = 64;
  /// Of devices that were seen.
  virtual Result<std::vector<Sighting>> sightings(OneUser user = {}) = 0;
  /// The latest deeds, newest first; kMaxDeeds are kept.
  virtual Result<std::vector<Deed>> deeds(std::size_t most) = 0;
  static constexpr std::size_t kMaxDeeds = 10'000;
};

}  // namespace qdt::users
