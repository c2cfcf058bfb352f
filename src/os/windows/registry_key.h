#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "os/windows/system_headers.h"

namespace qdt::os {

/// A key below HKEY_LOCAL_MACHINE, open.
class RegistryKey {
 public:
  /// To read.
  static Result<RegistryKey> open(const std::wstring& path);
  /// To write; made with all above it where it is missing.
  static Result<RegistryKey> create(const std::wstring& path);
  /// The same, but one that is made goes with the next restart of the host. What is above it is to
  /// be there.
  static Result<RegistryKey> create_until_restart(const std::wstring& path);
  RegistryKey(RegistryKey&& other) noexcept;
  RegistryKey& operator=(RegistryKey&&) = delete;
  ~RegistryKey();

  std::vector<std::wstring> subkeys() const;
  /// A text, or an empty one where there is none.
  std::wstring read(const wchar_t* name) const;
  Result<void> write(const wchar_t* name, const std::wstring& text) const;
  Result<void> write(const wchar_t* name, DWORD number) const;
  /// A list of texts (REG_MULTI_SZ), none of them empty; an empty list where there is none.
  std::vector<std::wstring> read_texts(const wchar_t* name) const;
  Result<void> write_texts(const wchar_t* name, const std::vector<std::wstring>& texts) const;

 private:
  static Result<RegistryKey> create(const std::wstring& path, DWORD options);
  RegistryKey(HKEY key, std::wstring path) : key_(key), path_(std::move(path)) {}
  Result<void> write(const wchar_t* name, DWORD type, const void* bytes, std::size_t size) const;

  HKEY key_ = nullptr;
  std::wstring path_;
};

}  // namespace qdt::os
