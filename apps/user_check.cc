#include "user_check.h"

#include "os/sandbox.h"

namespace qdt::apps {

void check_user(const std::string& user, std::vector<Finding>& findings) {
  const auto found = os::find_process_user(user);
  if (!found) findings.push_back({"user", found.error().message, true});
}

}  // namespace qdt::apps
