#include "os/windows/access.h"

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "os/windows/system_error.h"
#include "os/windows/unique_handle.h"
#include "os/windows/wide.h"

// After the headers that they build upon.
#include <aclapi.h>
#include <sddl.h>

namespace qdt::os {
namespace {

struct LocalFreer {
  void operator()(void* memory) const { ::LocalFree(memory); }
};
template <typename T>
using LocalMemory = std::unique_ptr<T, LocalFreer>;

// The TOKEN_USER of this process, in memory of its own; empty where it cannot be read.
std::vector<std::uint8_t> this_user() {
  HANDLE opened = nullptr;
  if (::OpenProcessToken(::GetCurrentProcess(), TOKEN_QUERY, &opened) == 0) return {};
  const UniqueHandle token(opened);
  DWORD bytes = 0;
  ::GetTokenInformation(token.get(), TokenUser, nullptr, 0, &bytes);
  std::vector<std::uint8_t> user(bytes);
  if (::GetTokenInformation(token.get(), TokenUser, user.data(), bytes, &bytes) == 0) return {};
  return user;
}

PSID sid_of(const std::vector<std::uint8_t>& user) {
  return user.empty() ? nullptr : reinterpret_cast<const TOKEN_USER*>(user.data())->User.Sid;
}

// Rights in the security descriptor definition language: FA all, FR to read; SY SYSTEM, BA
// Administrators, WD everyone; P: nothing is inherited; OICI: handed down to what is inside.
std::wstring description(Access access) {
  std::wstring text = L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";
  // An administrator's own programs, too, run without those rights most of the time.
  const auto user = is_elevated() ? std::vector<std::uint8_t>() : this_user();
  wchar_t* sid = nullptr;
  if (sid_of(user) != nullptr && ::ConvertSidToStringSidW(sid_of(user), &sid) != 0) {
    const LocalMemory<wchar_t> owner(sid);
    text += L"(A;OICI;FA;;;" + std::wstring(sid) + L")";
  }
  if (access == Access::kPublic) text += L"(A;OICI;FRFX;;;WD)";
  return text;
}

// A file's security descriptor, and the memory that it points into.
struct Descriptor {
  LocalMemory<void> memory;
  PSID owner = nullptr;
  PACL list = nullptr;
};

Descriptor descriptor_of(const std::string& path) {
  Descriptor found;
  PSECURITY_DESCRIPTOR memory = nullptr;
  if (::GetNamedSecurityInfoW(native_path(path).data(), SE_FILE_OBJECT,
                              OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &found.owner,
                              nullptr, &found.list, nullptr, &memory) != ERROR_SUCCESS) {
    return {};
  }
  found.memory.reset(memory);
  return found;
}

bool is_trusted(PSID sid, PSID owner, const std::vector<std::uint8_t>& user) {
  if (owner != nullptr && ::EqualSid(sid, owner) != 0) return true;
  if (sid_of(user) != nullptr && ::EqualSid(sid, sid_of(user)) != 0) return true;
  // CREATOR OWNER in a list of a file's is nobody (it is replaced when it is inherited).
  return ::IsWellKnownSid(sid, WinLocalSystemSid) != 0 ||
         ::IsWellKnownSid(sid, WinBuiltinAdministratorsSid) != 0 ||
         ::IsWellKnownSid(sid, WinCreatorOwnerSid) != 0 ||
         ::IsWellKnownSid(sid, WinCreatorOwnerRightsSid) != 0;
}

}  // namespace

SecurityAttributes::SecurityAttributes(void* descriptor)
    : attributes_{.nLength = sizeof attributes_,
                  .lpSecurityDescriptor = descriptor,
                  .bInheritHandle = FALSE} {}

SecurityAttributes::SecurityAttributes(SecurityAttributes&& other) noexcept
    : attributes_(std::exchange(other.attributes_, {})) {}

SecurityAttributes& SecurityAttributes::operator=(SecurityAttributes&& other) noexcept {
  std::swap(attributes_, other.attributes_);
  return *this;
}

SecurityAttributes::~SecurityAttributes() {
  if (attributes_.lpSecurityDescriptor != nullptr) ::LocalFree(attributes_.lpSecurityDescriptor);
}

Result<SecurityAttributes> SecurityAttributes::make(Access access) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  if (::ConvertStringSecurityDescriptorToSecurityDescriptorW(
          description(access).c_str(), SDDL_REVISION_1, &descriptor, nullptr) == 0) {
    return windows_error("describe who may read a file");
  }
  return SecurityAttributes(descriptor);
}

Result<void> set_access(const std::string& path, Access access) {
  auto attributes = SecurityAttributes::make(access);
  if (!attributes) return fail(attributes);
  // The content of a folder stays as it is.
  if (::SetFileSecurityW(native_path(path).c_str(),
                         DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
                         attributes->get()->lpSecurityDescriptor) == 0) {
    return windows_error("set who may read " + path);
  }
  return {};
}

bool is_open_to_others(const std::string& path, DWORD rights) {
  const Descriptor found = descriptor_of(path);
  if (!found.memory) return false;
  if (found.list == nullptr) return true;  // no list: everyone may do everything
  const auto user = this_user();
  GENERIC_MAPPING mapping = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE,
                             FILE_ALL_ACCESS};
  for (DWORD i = 0; i < found.list->AceCount; ++i) {
    void* entry = nullptr;
    if (::GetAce(found.list, i, &entry) == 0) continue;
    auto* allowed = static_cast<ACCESS_ALLOWED_ACE*>(entry);
    const bool counts = allowed->Header.AceType == ACCESS_ALLOWED_ACE_TYPE &&
                        (allowed->Header.AceFlags & INHERIT_ONLY_ACE) == 0;
    if (!counts) continue;
    DWORD mask = allowed->Mask;
    ::MapGenericMask(&mask, &mapping);
    if ((mask & rights) != 0 && !is_trusted(&allowed->SidStart, found.owner, user)) return true;
  }
  return false;
}

bool has_foreign_owner(const std::string& path) {
  const Descriptor found = descriptor_of(path);
  return found.owner != nullptr && !is_trusted(found.owner, nullptr, this_user());
}

}  // namespace qdt::os
