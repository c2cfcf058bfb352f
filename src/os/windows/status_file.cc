#include "os/status_file.h"

#include <algorithm>
#include <charconv>

#include "os/file.h"
#include "os/run_file.h"
#include "os/windows/access.h"
#include "os/windows/run_folder.h"
#include "os/windows/system_error.h"
#include "os/windows/unique_handle.h"
#include "os/windows/wide.h"

namespace qdt::os {
namespace {

/// The first line of a status file, so that a number that was given to another process since is
/// not taken for the writer: `process PID STARTED`.
constexpr std::string_view kHeader = "process ";
constexpr std::string_view kSuffix = ".status";

// When a process began, in 100 ns since 1601; nothing when there is none of that number.
std::string start_of_process(DWORD id) {
  const UniqueHandle process(
      ::OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, id));
  // A process that has ended is there as long as somebody holds a handle of it.
  const bool is_running =
      process.is_open() && ::WaitForSingleObject(process.get(), 0) == WAIT_TIMEOUT;
  FILETIME created{}, exited{}, kernel{}, user{};
  if (!is_running || ::GetProcessTimes(process.get(), &created, &exited, &kernel, &user) == 0) {
    return "";
  }
  return std::to_string((std::uint64_t{created.dwHighDateTime} << 32) | created.dwLowDateTime);
}

std::string header_of(DWORD id) {
  return std::string(kHeader) + std::to_string(id) + " " + start_of_process(id);
}

bool is_alive(std::string_view header) {
  if (!header.starts_with(kHeader)) return false;
  const std::string_view number = header.substr(kHeader.size());
  DWORD id = 0;
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), id);
  return parsed.ec == std::errc() && !start_of_process(id).empty() && header == header_of(id);
}

Result<void> write_public_file(const std::string& path, std::string_view content) {
  auto access = SecurityAttributes::make(Access::kPublic);
  if (!access) return fail(access);
  const UniqueHandle file(::CreateFileW(native_path(path).c_str(), GENERIC_WRITE, 0, access->get(),
                                        CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr));
  if (!file.is_open()) return windows_error("write " + path);
  DWORD written = 0;
  if (::WriteFile(file.get(), content.data(), static_cast<DWORD>(content.size()), &written,
                  nullptr) == 0) {
    return windows_error("write " + path);
  }
  return {};
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  WIN32_FIND_DATAW entry{};
  const HANDLE search = ::FindFirstFileW(native_path(folder + "\\*").c_str(), &entry);
  if (search == INVALID_HANDLE_VALUE) return names;
  do {
    names.push_back(to_utf8(entry.cFileName));
  } while (::FindNextFileW(search, &entry) != 0);
  ::FindClose(search);
  return names;
}

}  // namespace

Result<StatusFile> StatusFile::open(const std::string& tun_name) {
  auto path = run_file_path(tun_name, std::string(kSuffix.substr(1)));
  if (!path) return fail(path);
  return StatusFile(std::move(*path));
}

StatusFile::~StatusFile() {
  if (!path_.empty()) ::DeleteFileW(native_path(path_).c_str());
}

Result<void> StatusFile::write(std::string_view content) const {
  const std::string whole = header_of(::GetCurrentProcessId()) + "\n" + std::string(content);
  const std::string temporary = path_ + ".new";
  if (auto ok = write_public_file(temporary, whole); !ok) return ok;
  // Refused for a moment while somebody reads it without sharing; the next write is soon.
  if (::MoveFileExW(native_path(temporary).c_str(), native_path(path_).c_str(),
                    MOVEFILE_REPLACE_EXISTING) == 0) {
    return windows_error("write " + path_);
  }
  return {};
}

std::vector<FoundStatus> find_status_files(const std::string& tun_name) {
  std::vector<FoundStatus> found;
  // A mere look makes no folders.
  const std::string folder = data_folder() + "\\run";
  for (std::string& name : names_in(folder)) {
    if (!name.ends_with(kSuffix)) continue;
    const auto content = read_file(folder + "\\" + name);
    name.resize(name.size() - kSuffix.size());
    const bool is_asked_for = tun_name.empty() || name == tun_name;
    if (!content || !is_asked_for) continue;  // it may have gone while we looked
    const auto end = std::min(content->find('\n'), content->size());
    found.push_back({.tun_name = std::move(name),
                     .content = content->substr(std::min(end + 1, content->size())),
                     .is_alive = is_alive(std::string_view(*content).substr(0, end))});
  }
  std::ranges::sort(found, {}, &FoundStatus::tun_name);
  return found;
}

}  // namespace qdt::os
