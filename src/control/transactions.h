#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "control/user_message.h"
#include "users/model.h"
#include "users/store.h"
#include "users/store_file.h"
#include "users/usage.h"

namespace qdt::control {

/// A user, and the limits of its group.
struct Member {
  users::User user;
  users::Limits defaults;
};

/// The limits of the user's group, as this transaction finds them. A user in no group has none.
Result<users::Limits> defaults_of(users::Edit& edit, const users::User& user);

/// Reads the store for requests, and changes it in transactions. Errors are those of the store
/// where a comment names none. One thread.
class Transactions {
 public:
  /// What is referred to outlives it. `now`: seconds since the Unix epoch.
  Transactions(users::StoreFile& file, Random& random, std::function<std::int64_t()> now)
      : file_(file), random_(random), now_(std::move(now)) {}

  std::int64_t now() const { return now_(); }
  /// For a user, a device or a ticket.
  std::uint64_t new_id() { return random_.number() >> 1 | 1; }

  // Where there is no store, these are empty.
  Result<users::Contents> contents();
  Result<std::vector<users::Deed>> deeds(std::size_t most);
  Result<std::vector<users::Usage>> usage(int period);
  /// users::user_facts() at this time.
  Result<users::UserFacts> facts(const users::Contents& contents);
  /// users::quota_uses() at this time.
  Result<std::vector<users::QuotaUse>> quota_uses();

  /// kNotFound: there is no such user.
  Result<Member> member(const std::string& name);
  /// Empty where its usage cannot be read.
  users::UserFacts facts(const Member& member);

  /// An entry for the log of changes: whoever made the request does `what` now.
  users::Deed deed(const UserRequest& request, std::string what) const;
  using Work = std::function<Result<void>(users::Edit&)>;
  /// Does `work` in one transaction: users::Store::change(). kNotFound: there is no store, so there
  /// is no `what`, such as "user ann".
  Result<void> change(const users::Deed& deed, const std::string& what, const Work& work);
  /// The same, and makes the store where there is none.
  Result<void> change_or_make(const users::Deed& deed, const Work& work);
  /// Has `work` change the user of that name, and returns what the user is then. kNotFound: there
  /// is no such user.
  Result<Member> change_user(const users::Deed& deed, const std::string& name,
                             const std::function<Result<void>(users::User&)>& work);

 private:
  users::StoreFile& file_;
  Random& random_;
  std::function<std::int64_t()> now_;
};

}  // namespace qdt::control
