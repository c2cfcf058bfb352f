#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "control/devices.h"
#include "control/groups.h"
#include "control/invitations.h"
#include "control/transactions.h"
#include "control/user_message.h"
#include "control/users.h"
#include "ops/http_server.h"
#include "users/addresses.h"
#include "users/store_file.h"
#include "users/tickets.h"
#include "wire/handshake.h"

namespace qdt::control {

/// Answers requests about users, and what a server asks about them, from the file that has them.
/// One thread.
class UserApi {
 public:
  /// What is referred to outlives it. `now`: seconds since the Unix epoch. `addresses`: of which
  /// devices may have one for good; nothing: they are not known, and no device is given one.
  UserApi(users::StoreFile& file, Random& random, std::function<std::int64_t()> now,
          const std::optional<users::Addresses>& addresses = std::nullopt);

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
  Result<std::vector<users::QuotaUse>> quota_uses() { return store_.quota_uses(); }

 private:
  Result<std::string> answer_text(const UserRequest& request);

  users::StoreFile& file_;
  Transactions store_;
  Users users_;
  Groups groups_;
  Devices devices_;
  Invitations invitations_;
};

}  // namespace qdt::control
