#include "os/windows/run_folder.h"

#include <array>

#include "os/windows/access.h"
#include "os/windows/system_error.h"
#include "os/windows/wide.h"

namespace qdt::os {
namespace {

Result<void> make_folder(const std::string& path) {
  auto access = SecurityAttributes::make(Access::kPublic);
  if (!access) return fail(access);
  if (::CreateDirectoryW(native_path(path).c_str(), access->get()) != 0) return {};
  const DWORD error = ::GetLastError();
  if (error != ERROR_ALREADY_EXISTS) return windows_error("make the folder " + path, error);
  if (is_elevated() && has_foreign_owner(path)) {
    return fail("the folder " + path +
                " belongs to another user, who could change what is in it: delete it and start "
                "again");
  }
  return is_elevated() ? set_access(path, Access::kPublic) : Result<void>();
}

}  // namespace

std::string data_folder() {
  std::array<wchar_t, 512> root{};
  const DWORD length =
      ::GetEnvironmentVariableW(L"ProgramData", root.data(), static_cast<DWORD>(root.size()));
  const bool is_known = length > 0 && length < root.size();
  return (is_known ? to_utf8({root.data(), length}) : "C:\\ProgramData") + "\\QDT";
}

Result<std::string> run_folder() {
  const std::string parent = data_folder();
  const std::string folder = parent + "\\run";
  for (const std::string& path : {parent, folder}) {
    if (auto ok = make_folder(path); !ok) return fail(ok);
  }
  return folder;
}

}  // namespace qdt::os
