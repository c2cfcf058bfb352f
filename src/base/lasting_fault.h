#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/logger.h"
#include "base/result.h"

namespace qdt {

/// A fault of something that is tried again and again: logged when it comes and when it is over,
/// not each time.
class LastingFault {
 public:
  /// `consequence` goes behind the fault's own words, `over` is said once it has gone.
  void look(const Result<void>& done, std::string_view consequence, std::string_view over,
            Logger& logger) {
    const bool was_there = std::exchange(is_there_, !done);
    if (!done && !was_there) logger.warning(done.error().message + std::string(consequence));
    if (done && was_there) logger.info(over);
  }

  bool is_there() const { return is_there_; }

 private:
  bool is_there_ = false;
};

}  // namespace qdt
