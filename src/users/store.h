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
  /// kInvalidArgument where a bound does not hold, or where a name, key, token or login is
  /// another's.
  virtual Result<void> put_user(const User& user) = 0;
  /// With its devices and its usage.
  virtual Result<void> remove_user(std::uint64_t id) = 0;
  virtual Result<void> put_group(const Group& group) = 0;
  /// kInvalidArgument while a user is in it.
  virtual Result<void> remove_group(std::string_view name) = 0;
};

/// Where users are kept. Errors are values, and change nothing: kBusy, somebody else has it; kIo
/// and kPermission, the disk or its rights. One thread.
class Store {
 public:
  virtual ~Store() = default;
  /// A number that every change() makes larger by one.
  virtual Result<std::uint64_t> revision() = 0;
  virtual Result<Contents> read() = 0;
  /// Does `work` in one transaction, which also counts the revision and then writes the deed down:
  /// `work` may change it. What
  /// it returns well is on disk. The new revision.
  virtual Result<std::uint64_t> change(const Deed& deed,
                                       const std::function<Result<void>(Edit&)>& work) = 0;
  /// Keeps the larger of each number and the one that is there, in one transaction; the revision
  /// stays. Usage of users and devices that are gone is dropped. After a crash of the program it is
  /// there; a power cut may lose the latest.
  virtual Result<void> count(std::span<const Usage> usage) = 0;
  /// Of one period.
  virtual Result<std::vector<Usage>> usage(int period) = 0;
  /// The latest deeds, newest first; kMaxDeeds are kept.
  virtual Result<std::vector<Deed>> deeds(std::size_t most) = 0;
  static constexpr std::size_t kMaxDeeds = 10'000;
};

}  // namespace qdt::users
