#include "os/windows/program_folder.h"

#include "os/windows/system_headers.h"
#include "os/windows/wide.h"

namespace qdt::os {

std::string own_path() {
  std::wstring path(32768, L'\0');  // the longest there is
  const DWORD length = ::GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size()));
  path.resize(length);
  return to_utf8(path);
}

std::string program_folder() {
  const std::string path = own_path();
  return path.substr(0, path.find_last_of("\\/"));
}

}  // namespace qdt::os
