#include "client_check.h"

#include "client_options.h"
#include "os/program.h"
#include "user_check.h"

namespace qdt::apps {
namespace {

void check_hook(const std::string& key, const std::vector<std::string>& words,
                std::vector<Finding>& findings) {
  if (words.empty()) return;
  if (const auto ok = os::check_program(words[0]); !ok) {
    findings.push_back({key, ok.error().message, true});
  }
}

}  // namespace

std::vector<Finding> check_client(const ops::ClientConfig& config) {
  std::vector<Finding> findings;
  check_hook("up", config.up, findings);
  check_hook("down", config.down, findings);
  check_user(config.user, findings);
  if (const auto options = client_options(config); !options) {
    findings.push_back({"key_file", options.error().message, true});
  }
  return findings;
}

}  // namespace qdt::apps
