#include "os/windows/run_folder.h"

#include "os/windows/access.h"
#include "os/windows/system_error.h"
#include "os/windows/wide.h"

// After <windows.h>, whose types they need.
#include <objbase.h>
#include <shlobj.h>

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

// Not from the environment, which is whatever who started us made it.
std::string data_folder() {
  wchar_t* found = nullptr;
  const bool is_known =
      ::SHGetKnownFolderPath(FOLDERID_ProgramData, KF_FLAG_DEFAULT, nullptr, &found) == S_OK;
  const std::string root = is_known ? to_utf8(found) : "C:\\ProgramData";
  ::CoTaskMemFree(found);
  return root + "\\QDT";
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
