#include "os/file.h"

#include <algorithm>
#include <array>

#include "os/windows/access.h"
#include "os/windows/system_error.h"
#include "os/windows/unique_handle.h"
#include "os/windows/wide.h"

namespace qdt::os {
namespace {

// Others may go on reading, and even replace or delete it meanwhile, as on Linux.
constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

// All of `content`, on disk when this returns.
Result<void> write_all(const UniqueHandle& file, std::string_view content,
                       const std::string& path) {
  while (!content.empty()) {
    const auto wanted = static_cast<DWORD>(std::min<std::size_t>(content.size(), 1 << 30));
    DWORD bytes = 0;
    if (::WriteFile(file.get(), content.data(), wanted, &bytes, nullptr) == 0) {
      return windows_error("write " + path);
    }
    content.remove_prefix(bytes);
  }
  if (::FlushFileBuffers(file.get()) == 0) return windows_error("write " + path);
  return {};
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  const UniqueHandle file(::CreateFileW(native_path(path).c_str(), GENERIC_READ, kShareAll, nullptr,
                                        OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr));
  if (!file.is_open()) return windows_error("read " + path);
  std::string content;
  std::array<char, 16384> piece;
  for (;;) {
    DWORD bytes = 0;
    if (::ReadFile(file.get(), piece.data(), piece.size(), &bytes, nullptr) == 0) {
      return windows_error("read " + path);
    }
    if (bytes == 0) return content;
    if (content.size() + bytes > max_bytes) {
      return fail("read " + path + ": larger than " + std::to_string(max_bytes) + " bytes");
    }
    content.append(piece.data(), bytes);
  }
}

Result<void> create_private_file(const std::string& path, std::string_view content) {
  auto access = SecurityAttributes::make(Access::kPrivate);
  if (!access) return fail(access);
  const UniqueHandle file(::CreateFileW(native_path(path).c_str(), GENERIC_WRITE, 0, access->get(),
                                        CREATE_NEW, FILE_ATTRIBUTE_NORMAL, nullptr));
  if (!file.is_open()) return windows_error("create " + path);
  return write_all(file, content, path);
}

Result<void> replace_private_file(const std::string& path, std::string_view content) {
  const std::string next = path + ".new";
  ::DeleteFileW(native_path(next).c_str());  // what a crash has left: it may be anybody's to read
  const auto written = create_private_file(next, content);
  const bool is_replaced =
      written && ::MoveFileExW(native_path(next).c_str(), native_path(path).c_str(),
                               MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) != 0;
  if (is_replaced) return {};
  const auto error = written ? windows_error("replace " + path) : fail(written);
  ::DeleteFileW(native_path(next).c_str());
  return error;
}

Result<void> remove_file(const std::string& path) {
  if (::DeleteFileW(native_path(path).c_str()) != 0) return {};
  const DWORD error = ::GetLastError();
  if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND) return {};
  return windows_error("remove " + path, error);
}

bool file_exists(const std::string& path) {
  return ::GetFileAttributesW(native_path(path).c_str()) != INVALID_FILE_ATTRIBUTES;
}

bool is_readable_by_others(const std::string& path) {
  return is_open_to_others(path, FILE_READ_DATA);
}

Result<void> check_secret(const std::string& /*path*/, const std::string& /*held*/,
                          const std::string& /*user*/) {
  return {};
}

bool is_writable_by_others(const std::string& path) {
  constexpr DWORD kWays = FILE_WRITE_DATA | FILE_APPEND_DATA | WRITE_DAC | WRITE_OWNER;
  return has_foreign_owner(path) || is_open_to_others(path, kWays);
}

}  // namespace qdt::os
