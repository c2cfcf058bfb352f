#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/lasting_fault.h"
#include "base/logger.h"
#include "base/result.h"

namespace qdt::client {

/// The resume token of the latest session on file, so that a client that is started again gets its
/// address again. The file is readable by its owner alone, and the token is for one server: another
/// one is not shown it. A damaged file is reported and forgotten.
class ResumeStore {
 public:
  /// `path`: empty when nothing is to be kept over a restart. `server`: as configured.
  /// `write` makes its content what it is given, or removes it.
  using Write = std::function<Result<void>(std::string_view content)>;
  ResumeStore(std::string path, std::string server, Write write, Logger& logger);

  /// Empty: there is none.
  const std::string& token() const { return token_; }
  /// The answer of a session; empty: there is nothing to resume any more.
  void keep(const std::string& token);

 private:
  void load();

  std::string path_;
  std::string server_;
  Write write_;
  Logger& logger_;
  std::string token_;
  LastingFault fault_;
};

}  // namespace qdt::client
