#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace qdt::os {

/// More than any file of ours has.
inline constexpr std::size_t kMaxFileBytes = 64 << 20;
/// For a configuration, a certificate, a key.
inline constexpr std::size_t kMaxTextFileBytes = 1 << 20;

/// The whole content of a file, or of a pipe, which has to bring some within 5 s; errors name the
/// path and the reason. More than `max_bytes` is an error, and not read.
Result<std::string> read_file(const std::string& path, std::size_t max_bytes = kMaxFileBytes);

/// Creates `path`, readable by its owner alone (0600), with `content`, which is on disk when this
/// returns. Fails when the file exists: nothing of the user's is ever overwritten.
Result<void> create_private_file(const std::string& path, std::string_view content);

/// Makes `content` the whole of `path`, readable by its owner alone, whatever was there before. At
/// any moment, a crash included, the file is the old one or the new one.
Result<void> replace_private_file(const std::string& path, std::string_view content);
/// Done as well when there is none.
Result<void> remove_file(const std::string& path);

bool file_exists(const std::string& path);

/// Whether others than the owner may read the file.
bool is_readable_by_others(const std::string& path);
/// An error when somebody but root, this process's user, the user qdt and `user`, if any, owns the
/// file or may read it; it says by which commands that ends. `held` is the secret in it: "the
/// token". On Windows none: there is_readable_by_others() is a reason to warn.
Result<void> check_secret(const std::string& path, const std::string& held,
                          const std::string& user = "");
/// Whether somebody but root and the user of this process may write the file: it belongs to another
/// user, or its group or all may.
bool is_writable_by_others(const std::string& path);

}  // namespace qdt::os
