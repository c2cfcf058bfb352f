#pragma once

#include <string>
#include <vector>

#include "command_line.h"
#include "ops/config.h"

namespace qdt::apps {

/// Something that a start would meet on this host.
struct Finding {
  std::string key;  ///< of the configuration; empty: of none alone
  std::string text;
  bool is_error = false;  ///< the start fails, or clients do; else it is a warning
};

/// Prints all of them with their place in the file. Whether none is an error.
template <typename Config>
bool report(const std::string& program, const std::string& config_path,
            const ops::Loaded<Config>& loaded, const std::vector<Finding>& findings) {
  bool is_good = true;
  for (const Finding& finding : findings) {
    is_good = is_good && !finding.is_error;
    const std::string label = finding.is_error ? "error: " : "warning: ";
    print_error(program, loaded.at(config_path, finding.key, label, finding.text));
  }
  return is_good;
}

}  // namespace qdt::apps
