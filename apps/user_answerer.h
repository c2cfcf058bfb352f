#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace qdt::apps {

/// Answers a request about users (docs/control.md): a running server, or this process on the file.
using Ask = std::function<Result<std::string>(const std::string& method, const std::string& path,
                                              const std::string& body)>;

/// The server with this TUN device (empty: the only one), or where none runs the file beside
/// `config_path`. Null, and the exit code, where nobody can be asked: that was said.
Ask find_answerer(const std::string& program, const std::string& tun_name,
                  const std::string& config_path, int& exit_code);

}  // namespace qdt::apps
