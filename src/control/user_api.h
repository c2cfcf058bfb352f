#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/random.h"
#include "base/result.h"
#include "control/user_message.h"
#include "ops/http_server.h"
#include "users/addresses.h"
#include "users/store_file.h"
#include "users/tickets.h"
#include "users/usage.h"
#include "wire/handshake.h"

namespace qdt::control {

/// Answers them from a store. One thread.
class UserApi {
 public:
  /// What is referred to outlives it. `now`: seconds since the Unix epoch. `addresses`: of which
  /// devices may have one for good; nothing: they are not known, and no device is given one.
  UserApi(users::StoreFile& file, Random& random, std::function<std::int64_t()> now,
          const std::optional<users::Addresses>& addresses = std::nullopt)
      : file_(file), random_(random), now_(std::move(now)), addresses_(addresses) {}

  ops::HttpResponse answer(const UserRequest& request);
  /// Writes a device down that asks by a ticket; kEnrolled once it is on disk. kNotReady: it cannot
  /// be written now.
  wire::HandshakeResult enrol(const users::Enrolment& enrolment);
  /// The whole store for the server; nothing where `version` is that of the store, or where there
  /// is none.
  struct Version {
    std::uint64_t number = 0;  ///< of no store: 0
    std::string contents;      ///< as users/contents_code.h has them
  };
  Result<std::optional<Version>> contents_unless(std::uint64_t version);
  /// Store::count(); kNotFound where there is no store.
  Result<void> count(const users::Counts& counts);
  /// users::quota_uses() now.
  Result<std::vector<users::QuotaUse>> quota_uses();

 private:
  Result<std::string> answer_text(const UserRequest& request);
  Result<std::string> list_users();
  Result<std::string> show_user(const std::string& name);
  /// A user, and the limits of its group.
  struct Member {
    users::User user;
    users::Limits defaults;
  };
  Result<Member> read_user(const std::string& name);
  /// What is known of its usage: nothing, where that cannot be read.
  users::UserFacts facts_of(const Member& member);
  Result<std::string> list_groups();
  Result<std::string> show_group(const std::string& name);
  Result<std::string> add_group(const UserRequest& request);
  Result<std::string> set_group(const UserRequest& request, const std::string& name);
  Result<std::string> remove_group(const UserRequest& request, const std::string& name);
  Result<std::string> list_deeds();
  /// `2026-11`; empty: this month.
  Result<std::string> show_usage(const std::string& month);
  Result<std::string> add_user(const UserRequest& request);
  Result<std::string> set_user(const UserRequest& request, const std::string& name);
  Result<std::string> remove_user(const UserRequest& request, const std::string& name);
  Result<std::string> invite(const UserRequest& request);
  Result<std::string> cancel_invitations(const UserRequest& request, const std::string& name);
  Result<std::string> add_device(const UserRequest& request);
  /// Gives it an address, or another key, token or secret.
  Result<std::string> post_device(const UserRequest& request, std::uint64_t id);
  Result<std::string> set_device(const UserRequest& request, std::uint64_t id);
  Result<std::string> rotate_device(const UserRequest& request, std::uint64_t id);
  Result<std::string> remove_device(const UserRequest& request, std::uint64_t id);
  /// Gives `work` the user whom `find` finds, in one transaction: the user as it is then. `what` is
  /// missing where there is none.
  template <typename Find, typename Work>
  Result<users::User> change(const users::Deed& deed, const std::string& what, Find find,
                             Work work);
  /// Has `work` change the user, and puts it back.
  template <typename Work>
  Result<Member> change_user(const UserRequest& request, const std::string& name,
                             const std::string& deed, Work work);
  /// The user who has the device; `work` gets both.
  template <typename Work>
  Result<users::User> change_device(const UserRequest& request, std::uint64_t id, const char* deed,
                                    Work work);
  /// Gives `work` the group as it is then, in one transaction.
  template <typename Work>
  Result<void> change_group(const users::Deed& deed, const std::string& name, Work work);
  std::uint64_t new_id() { return random_.number() >> 1 | 1; }

  users::StoreFile& file_;
  Random& random_;
  std::function<std::int64_t()> now_;
  std::optional<users::Addresses> addresses_;
};

}  // namespace qdt::control
