#include "os/internet_name.h"

#include <array>

#include "os/windows/system_error.h"
#include "os/windows/wide.h"

namespace qdt::os {

Result<std::string> to_ascii_name(const std::string& name) {
  const std::wstring wide = to_wide(name);
  std::array<wchar_t, 1024> ascii{};
  const int length = ::IdnToAscii(0, wide.data(), static_cast<int>(wide.size()), ascii.data(),
                                  static_cast<int>(ascii.size()));
  if (length <= 0) return fail(windows_text(::GetLastError()));
  return to_utf8({ascii.data(), static_cast<std::size_t>(length)});
}

}  // namespace qdt::os
