#include "os/windows/system_error.h"

#include <array>

#include "os/windows/unique_handle.h"
#include "os/windows/wide.h"

namespace qdt::os {
namespace {

std::wstring message_of(DWORD error, DWORD language) {
  std::array<wchar_t, 512> text{};
  const DWORD length = ::FormatMessageW(
      FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK,
      nullptr, error, language, text.data(), static_cast<DWORD>(text.size()), nullptr);
  return {text.data(), length};
}

// Windows describes these in sentences of its own.
std::string_view socket_words(DWORD error) {
  switch (error) {
    case WSAEADDRINUSE: return "Address already in use";
    case WSAECONNREFUSED: return "Connection refused";
    case WSAECONNRESET: return "Connection reset by peer";
    case WSAEHOSTUNREACH: return "No route to host";
    case WSAENETUNREACH: return "Network is unreachable";
    case WSAETIMEDOUT: return "Connection timed out";
    default: return {};
  }
}

}  // namespace

std::string windows_text(DWORD error) {
  std::wstring words = message_of(error, MAKELANGID(LANG_ENGLISH, SUBLANG_ENGLISH_US));
  if (words.empty()) words = message_of(error, 0);
  while (!words.empty() && (words.back() <= L' ' || words.back() == L'.')) words.pop_back();
  std::string text(socket_words(error));
  if (text.empty()) text = to_utf8(words);
  if (text.empty()) text = "unknown error";
  text += " (error " + std::to_string(error) + ")";
  if (error == ERROR_ACCESS_DENIED && !is_elevated()) text.append("; ").append(kNeedsAdministrator);
  return text;
}

std::unexpected<Error> windows_error(std::string_view doing, DWORD error) {
  return fail(std::string(doing) + ": " + windows_text(error));
}

bool is_elevated() {
  HANDLE opened = nullptr;
  if (::OpenProcessToken(::GetCurrentProcess(), TOKEN_QUERY, &opened) == 0) return false;
  const UniqueHandle token(opened);
  TOKEN_ELEVATION elevation{};
  DWORD bytes = 0;
  return ::GetTokenInformation(token.get(), TokenElevation, &elevation, sizeof elevation, &bytes) !=
             0 &&
         elevation.TokenIsElevated != 0;
}

}  // namespace qdt::os
