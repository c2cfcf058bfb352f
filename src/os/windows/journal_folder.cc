#include "os/windows/journal_folder.h"

#include <algorithm>
#include <string_view>

#include "os/windows/system_error.h"
#include "os/windows/system_headers.h"
#include "os/windows/unique_handle.h"
#include "os/windows/wide.h"

namespace qdt::os {
namespace {

constexpr std::string_view kEnding = ".undo";

class WindowsJournalFile final : public JournalFile {
 public:
  explicit WindowsJournalFile(UniqueHandle file) : file_(std::move(file)) {}

  std::string content() override;
  Result<void> append(std::string_view line) override;
  bool replace(std::string_view content) override;
  void remove_at_end() override;

 private:
  bool move_to(LONGLONG place, DWORD origin) {
    LARGE_INTEGER to{};
    to.QuadPart = place;
    return ::SetFilePointerEx(file_.get(), to, nullptr, origin) != 0;
  }
  bool write(std::string_view bytes) {
    DWORD written = 0;
    return ::WriteFile(file_.get(), bytes.data(), static_cast<DWORD>(bytes.size()), &written,
                       nullptr) != 0 &&
           written == bytes.size();
  }

  UniqueHandle file_;
};

std::string WindowsJournalFile::content() {
  std::string content;
  if (!move_to(0, FILE_BEGIN)) return content;
  char piece[4096];
  for (;;) {
    DWORD bytes = 0;
    if (::ReadFile(file_.get(), piece, sizeof piece, &bytes, nullptr) == 0 || bytes == 0) {
      return content;
    }
    content.append(piece, bytes);
  }
}

Result<void> WindowsJournalFile::append(std::string_view line) {
  LARGE_INTEGER before{};
  if (::GetFileSizeEx(file_.get(), &before) != 0 && move_to(0, FILE_END) && write(line)) return {};
  const DWORD error = ::GetLastError();
  if (move_to(before.QuadPart, FILE_BEGIN)) ::SetEndOfFile(file_.get());
  return windows_error("write a file", error);
}

// Killed between these calls, a process leaves at worst lines too many: the rest of one is
// reported, and steps that were done already do nothing.
bool WindowsJournalFile::replace(std::string_view content) {
  return move_to(0, FILE_BEGIN) && write(content) && ::SetEndOfFile(file_.get()) != 0;
}

void WindowsJournalFile::remove_at_end() {
  FILE_DISPOSITION_INFO disposition{};
  disposition.DeleteFile = TRUE;
  ::SetFileInformationByHandle(file_.get(), FileDispositionInfo, &disposition, sizeof disposition);
}

}  // namespace

Result<UndoJournal> open_journal(const std::string& folder, const std::string& tun_name,
                                 Logger& logger) {
  const std::string path = folder + "\\" + tun_name + std::string(kEnding);
  UniqueHandle file(::CreateFileW(native_path(path).c_str(), GENERIC_READ | GENERIC_WRITE | DELETE,
                                  FILE_SHARE_READ, nullptr, OPEN_ALWAYS,
                                  FILE_ATTRIBUTE_NORMAL | FILE_FLAG_WRITE_THROUGH, nullptr));
  if (!file.is_open() && ::GetLastError() == ERROR_SHARING_VIOLATION) {
    return fail("adapter " + tun_name +
                " is in use by another qdt-client; stop that, or choose another tun_name");
  }
  if (!file.is_open()) return windows_error("open the undo journal " + path);
  return UndoJournal(std::make_unique<WindowsJournalFile>(std::move(file)),
                     std::to_string(::GetCurrentProcessId()), logger);
}

std::vector<std::string> find_journals(const std::string& folder) {
  std::vector<std::string> names;
  WIN32_FIND_DATAW found{};
  const std::wstring pattern = native_path(folder + "\\*" + std::string(kEnding));
  HANDLE search = ::FindFirstFileW(pattern.c_str(), &found);
  if (search == INVALID_HANDLE_VALUE) return names;
  do {
    std::string name = to_utf8(found.cFileName);
    if (!name.ends_with(kEnding)) continue;
    name.resize(name.size() - kEnding.size());
    names.push_back(std::move(name));
  } while (::FindNextFileW(search, &found) != 0);
  ::FindClose(search);
  std::ranges::sort(names);
  return names;
}

}  // namespace qdt::os
