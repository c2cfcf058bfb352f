#include "os/windows/program_image.h"

#include <cstring>

#include "os/windows/system_error.h"
#include "os/windows/wide.h"

// After the headers that they build upon.
#include <softpub.h>
#include <wintrust.h>

namespace qdt::os {
namespace {

// Little-endian, as everything in the format and every Windows.
template <typename T>
bool load(Bytes file, std::size_t at, T& value) {
  if (at > file.size() || file.size() - at < sizeof value) return false;
  std::memcpy(&value, file.data() + at, sizeof value);
  return true;
}

}  // namespace

Result<ProgramImage> parse_program_image(Bytes file) {
  IMAGE_DOS_HEADER dos{};
  IMAGE_NT_HEADERS64 headers{};
  const bool is_image = load(file, 0, dos) && dos.e_magic == IMAGE_DOS_SIGNATURE &&
                        dos.e_lfanew > 0 &&
                        load(file, static_cast<std::size_t>(dos.e_lfanew), headers) &&
                        headers.Signature == IMAGE_NT_SIGNATURE;
  if (!is_image) return fail("it is no Windows library, or damaged");
  ProgramImage image{.machine = headers.FileHeader.Machine};
  const auto& optional = headers.OptionalHeader;
  // That of 32 bits is another; whoever wants the machine to be ours finds out from that.
  if (optional.Magic != IMAGE_NT_OPTIONAL_HDR64_MAGIC ||
      optional.NumberOfRvaAndSizes <= IMAGE_DIRECTORY_ENTRY_SECURITY) {
    return image;
  }
  // The only directory that is given as a place in the file.
  const auto& table = optional.DataDirectory[IMAGE_DIRECTORY_ENTRY_SECURITY];
  WIN_CERTIFICATE first{};
  image.has_signature = table.Size > sizeof first && load(file, table.VirtualAddress, first) &&
                        file.size() - table.VirtualAddress >= table.Size &&
                        first.dwLength <= table.Size &&
                        first.wCertificateType == WIN_CERT_TYPE_PKCS_SIGNED_DATA;
  return image;
}

std::string name_of_machine(std::uint16_t machine) {
  switch (machine) {
    case IMAGE_FILE_MACHINE_AMD64: return "x86-64";
    case IMAGE_FILE_MACHINE_I386: return "x86 (32 bits)";
    case IMAGE_FILE_MACHINE_ARM64: return "ARM64";
    case IMAGE_FILE_MACHINE_ARMNT: return "ARM (32 bits)";
    default: return "processor number " + std::to_string(machine);
  }
}

namespace {

LONG verify(const std::wstring& path, DWORD flags) {
  WINTRUST_FILE_INFO file{.cbStruct = sizeof file, .pcwszFilePath = path.c_str()};
  WINTRUST_DATA request{.cbStruct = sizeof request,
                        .dwUIChoice = WTD_UI_NONE,
                        .fdwRevocationChecks = WTD_REVOKE_NONE,
                        .dwUnionChoice = WTD_CHOICE_FILE,
                        .pFile = &file,
                        .dwStateAction = WTD_STATEACTION_VERIFY,
                        .dwProvFlags = flags};
  GUID action = WINTRUST_ACTION_GENERIC_VERIFY_V2;
  const auto no_window = static_cast<HWND>(INVALID_HANDLE_VALUE);
  const LONG trust = ::WinVerifyTrust(no_window, &action, &request);
  request.dwStateAction = WTD_STATEACTION_CLOSE;
  ::WinVerifyTrust(no_window, &action, &request);
  return trust;
}

}  // namespace

Result<void> verify_signature(const std::string& path) {
  const std::wstring native = native_path(path);
  // A Windows that has just been installed fetches certificates when it first meets them.
  LONG trust = verify(native, WTD_CACHE_ONLY_URL_RETRIEVAL);
  if (trust != 0) trust = verify(native, 0);
  if (trust == 0) return {};
  return windows_error("check the signature of " + path, static_cast<DWORD>(trust));
}

}  // namespace qdt::os
