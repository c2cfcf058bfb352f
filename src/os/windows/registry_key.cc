#include "os/windows/registry_key.h"

#include <array>
#include <utility>

#include "os/windows/system_error.h"
#include "os/windows/wide.h"

namespace qdt::os {
namespace {

std::string text_of(const std::wstring& path) {
  return "HKEY_LOCAL_MACHINE\\" + to_utf8(path);
}

}  // namespace

Result<RegistryKey> RegistryKey::open(const std::wstring& path) {
  HKEY key = nullptr;
  const LSTATUS error =
      ::RegOpenKeyExW(HKEY_LOCAL_MACHINE, path.c_str(), 0, KEY_READ | KEY_WOW64_64KEY, &key);
  if (error != ERROR_SUCCESS) {
    return windows_error("open the registry key " + text_of(path), static_cast<DWORD>(error));
  }
  return RegistryKey(key, path);
}

Result<RegistryKey> RegistryKey::create(const std::wstring& path, DWORD options) {
  HKEY key = nullptr;
  const LSTATUS error =
      ::RegCreateKeyExW(HKEY_LOCAL_MACHINE, path.c_str(), 0, nullptr, options,
                        KEY_READ | KEY_WRITE | KEY_WOW64_64KEY, nullptr, &key, nullptr);
  if (error != ERROR_SUCCESS) {
    return windows_error("make the registry key " + text_of(path), static_cast<DWORD>(error));
  }
  return RegistryKey(key, path);
}

Result<RegistryKey> RegistryKey::create(const std::wstring& path) {
  return create(path, REG_OPTION_NON_VOLATILE);
}

Result<RegistryKey> RegistryKey::create_until_restart(const std::wstring& path) {
  return create(path, REG_OPTION_VOLATILE);
}

RegistryKey::RegistryKey(RegistryKey&& other) noexcept
    : key_(std::exchange(other.key_, nullptr)), path_(std::move(other.path_)) {}

RegistryKey::~RegistryKey() {
  if (key_ != nullptr) ::RegCloseKey(key_);
}

std::vector<std::wstring> RegistryKey::subkeys() const {
  std::vector<std::wstring> names;
  std::array<wchar_t, 256> name{};  // the longest that there can be, and its end
  for (DWORD i = 0;; ++i) {
    auto length = static_cast<DWORD>(name.size());
    const LSTATUS error =
        ::RegEnumKeyExW(key_, i, name.data(), &length, nullptr, nullptr, nullptr, nullptr);
    if (error != ERROR_SUCCESS) return names;
    names.emplace_back(name.data(), length);
  }
}

std::wstring RegistryKey::read(const wchar_t* name) const {
  DWORD bytes = 0;
  if (::RegGetValueW(key_, nullptr, name, RRF_RT_REG_SZ, nullptr, nullptr, &bytes) !=
      ERROR_SUCCESS) {
    return {};
  }
  std::wstring text(bytes / sizeof(wchar_t) + 1, L'\0');
  bytes = static_cast<DWORD>(text.size() * sizeof(wchar_t));
  if (::RegGetValueW(key_, nullptr, name, RRF_RT_REG_SZ, nullptr, text.data(), &bytes) !=
      ERROR_SUCCESS) {
    return {};
  }
  text.resize(text.find(L'\0'));
  return text;
}

Result<void> RegistryKey::write(const wchar_t* name, DWORD type, const void* bytes,
                                std::size_t size) const {
  const LSTATUS error = ::RegSetValueExW(key_, name, 0, type, static_cast<const BYTE*>(bytes),
                                         static_cast<DWORD>(size));
  if (error == ERROR_SUCCESS) return {};
  return windows_error("write " + to_utf8(name) + " in the registry key " + text_of(path_),
                       static_cast<DWORD>(error));
}

Result<void> RegistryKey::write(const wchar_t* name, const std::wstring& text) const {
  return write(name, REG_SZ, text.c_str(), (text.size() + 1) * sizeof(wchar_t));
}

Result<void> RegistryKey::write(const wchar_t* name, DWORD number) const {
  return write(name, REG_DWORD, &number, sizeof number);
}

std::vector<std::wstring> RegistryKey::read_texts(const wchar_t* name) const {
  std::vector<std::wstring> texts;
  DWORD bytes = 0;
  const DWORD kind = RRF_RT_REG_MULTI_SZ;
  if (::RegGetValueW(key_, nullptr, name, kind, nullptr, nullptr, &bytes) != ERROR_SUCCESS) {
    return texts;
  }
  std::wstring list(bytes / sizeof(wchar_t) + 2, L'\0');
  bytes = static_cast<DWORD>(list.size() * sizeof(wchar_t));
  if (::RegGetValueW(key_, nullptr, name, kind, nullptr, list.data(), &bytes) != ERROR_SUCCESS) {
    return texts;
  }
  for (std::size_t at = 0; at < list.size() && list[at] != L'\0';) {
    const std::size_t end = list.find(L'\0', at);
    texts.push_back(list.substr(at, end - at));
    if (end == list.npos) break;
    at = end + 1;
  }
  return texts;
}

Result<void> RegistryKey::write_texts(const wchar_t* name,
                                      const std::vector<std::wstring>& texts) const {
  std::wstring list;
  for (const std::wstring& text : texts) list += text + L'\0';
  list += L'\0';
  return write(name, REG_MULTI_SZ, list.data(), list.size() * sizeof(wchar_t));
}

}  // namespace qdt::os
