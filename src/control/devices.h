#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/random.h"
#include "base/result.h"
#include "control/request_body.h"
#include "control/transactions.h"
#include "control/user_message.h"
#include "users/addresses.h"

namespace qdt::control {

/// Answers requests about the devices of users (docs/control.md). The answers are JSON; one alone
/// has a secret: that to the request which had it made. One thread.
class Devices {
 public:
  /// `random` outlives it. `addresses`: a device may have one of them for good; nothing: they are
  /// not known, and no device is given one.
  Devices(Transactions store, Random& random, const std::optional<users::Addresses>& addresses)
      : store_(std::move(store)), random_(random), addresses_(addresses) {}

  Result<std::string> add(const UserRequest& request);
  /// Gives it an address, or another key, token or secret.
  Result<std::string> set(const UserRequest& request, std::uint64_t id);
  Result<std::string> remove(const UserRequest& request, std::uint64_t id);

 private:
  Result<std::string> set_address(const UserRequest& request, const RequestBody& body,
                                  std::uint64_t id);
  Result<std::string> rotate(const UserRequest& request, const RequestBody& body, std::uint64_t id);
  /// `secret`: that of its new login.
  Result<void> renew(const RequestBody& body, users::Device& device, std::string& secret);
  /// Has `work` change the device or its owner in one transaction. The owner as it is then.
  Result<users::User> change(const UserRequest& request, std::uint64_t id, const std::string& deed,
                             const std::function<Result<void>(users::User&, users::Device&)>& work);

  Transactions store_;
  Random& random_;
  std::optional<users::Addresses> addresses_;
};

}  // namespace qdt::control
