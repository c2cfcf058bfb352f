#pragma once

#include <string>
#include <utility>

#include "base/result.h"
#include "control/transactions.h"
#include "control/user_message.h"

namespace qdt::control {

/// Answers requests about users, what they have used, and what was changed (docs/control.md). The
/// answers are JSON. One thread.
class Users {
 public:
  explicit Users(Transactions store) : store_(std::move(store)) {}

  Result<std::string> list();
  Result<std::string> show(const std::string& name);
  Result<std::string> add(const UserRequest& request);
  Result<std::string> set(const UserRequest& request, const std::string& name);
  Result<std::string> remove(const UserRequest& request, const std::string& name);
  /// `2026-11`; empty: this month.
  Result<std::string> show_usage(const std::string& month);
  Result<std::string> list_deeds();

 private:
  Transactions store_;
};

}  // namespace qdt::control
