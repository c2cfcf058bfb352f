#include "os/windows/command_words.h"

#include <memory>

#include "os/windows/system_headers.h"
#include "os/windows/wide.h"

// After <windows.h>, whose types it needs.
#include <shellapi.h>

namespace qdt::os {
namespace {

// Backslashes are themselves but before a quotation mark, where they come in pairs
// (CommandLineToArgvW).
void append_quoted(std::wstring& line, std::wstring_view word) {
  const bool is_plain = !word.empty() && word.find_first_of(L" \t\n\v\"") == word.npos;
  if (is_plain) {
    line.append(word);
    return;
  }
  line.push_back(L'"');
  std::size_t backslashes = 0;
  for (const wchar_t letter : word) {
    if (letter == L'"') line.append(backslashes + 1, L'\\');
    backslashes = letter == L'\\' ? backslashes + 1 : 0;
    line.push_back(letter);
  }
  line.append(backslashes, L'\\').push_back(L'"');
}

}  // namespace

std::wstring to_command_line(const std::vector<std::string>& words) {
  std::wstring line;
  for (const std::string& word : words) {
    if (!line.empty()) line.push_back(L' ');
    append_quoted(line, to_wide(word));
  }
  return line;
}

std::vector<std::string> to_words(const wchar_t* command_line) {
  int count = 0;
  wchar_t** const first = ::CommandLineToArgvW(command_line, &count);
  if (first == nullptr) return {};
  const std::unique_ptr<wchar_t*, decltype(&::LocalFree)> owner(first, ::LocalFree);
  std::vector<std::string> words;
  for (int i = 0; i < count; ++i) words.push_back(to_utf8(first[i]));
  return words;
}

}  // namespace qdt::os
