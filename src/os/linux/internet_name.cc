#include "os/internet_name.h"

#include <idn2.h>

#include <memory>

namespace qdt::os {

Result<std::string> to_ascii_name(const std::string& name) {
  char* raw = nullptr;
  const int status = idn2_to_ascii_8z(name.c_str(), &raw, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<char, decltype(&idn2_free)> ascii(raw, idn2_free);
  if (status != IDN2_OK) return fail(idn2_strerror(status));
  return std::string(ascii.get());
}

}  // namespace qdt::os
