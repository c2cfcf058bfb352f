#pragma once

#include <functional>
#include <string>
#include <utility>

#include "base/result.h"
#include "control/transactions.h"
#include "control/user_message.h"

namespace qdt::control {

/// Answers requests about groups of users (docs/control.md). The answers are JSON. One thread.
class Groups {
 public:
  explicit Groups(Transactions store) : store_(std::move(store)) {}

  Result<std::string> list();
  Result<std::string> show(const std::string& name);
  Result<std::string> add(const UserRequest& request);
  Result<std::string> set(const UserRequest& request, const std::string& name);
  Result<std::string> remove(const UserRequest& request, const std::string& name);

 private:
  /// Gives `work` the group as it is then, in one transaction.
  Result<void> change(const users::Deed& deed, const std::string& name,
                      const std::function<Result<void>(users::Edit&, users::Group&)>& work);

  Transactions store_;
};

}  // namespace qdt::control
