#pragma once

#include <string>
#include <utility>

#include "base/random.h"
#include "base/result.h"
#include "control/transactions.h"
#include "control/user_message.h"

namespace qdt::control {

/// Answers requests about links, by which a user's device comes in (docs/control.md). The answers
/// are JSON. One thread.
class Invitations {
 public:
  Invitations(Transactions store, Random& random) : store_(std::move(store)), random_(random) {}

  /// Adds the user where there is none of that name: the link is all that a person needs.
  Result<std::string> add(const UserRequest& request);
  /// The user's links that nobody has used let nobody in any more.
  Result<std::string> cancel(const UserRequest& request, const std::string& name);

 private:
  Transactions store_;
  Random& random_;
};

}  // namespace qdt::control
