#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qdt::os {

/// A command line that CommandLineToArgvW and the C runtime take apart into exactly these words.
/// `words[0]` is a program's path and has no quotation mark, as no path has.
std::wstring to_command_line(const std::vector<std::string>& words);

/// The words of a command line, in UTF-8.
std::vector<std::string> to_words(const wchar_t* command_line);

}  // namespace qdt::os
