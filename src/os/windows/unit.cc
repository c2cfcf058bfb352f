#include "os/unit.h"

namespace qdt::os {

bool has_unit(const std::string& /*name*/) {
  return false;
}

Result<void> start_unit(const std::string& /*name*/) {
  return fail("on Windows the service is installed with: qdt-client service install --config FILE");
}

Result<void> stop_unit(const std::string& /*name*/) {
  return fail("on Windows the service is stopped with: qdt-client service stop");
}

}  // namespace qdt::os
