#pragma once

#include <string>
#include <string_view>

namespace qdt::os {

// Texts are UTF-8 in this program and UTF-16 at the border with Windows, whose narrow functions
// would take them for the code page of whoever runs it.

/// Bytes that are not UTF-8 become U+FFFD.
std::wstring to_wide(std::string_view text);
/// An unpaired surrogate becomes U+FFFD.
std::string to_utf8(std::wstring_view text);

/// `path` for the wide file functions, `/` as good as `\`. One too long for them (MAX_PATH) is
/// given in the form that has no limit (`\\?\`), whatever the registry says of long paths.
std::wstring native_path(std::string_view path);

}  // namespace qdt::os
