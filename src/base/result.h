#pragma once

#include <expected>
#include <string>
#include <utility>

namespace qdt {

/// A failure outside our control, told so that its reader can act: what was being done, to what,
/// why it failed and, where there is one, the remedy.
struct Error {
  std::string message;
};

/// A value, or the Error that stood in its way. Never to be ignored: clang-tidy's
/// bugprone-unused-return-value refuses that for every std::expected.
template <typename T>
using Result = std::expected<T, Error>;

/// `return fail("open /dev/net/tun: no such file; load the tun module");`
inline std::unexpected<Error> fail(std::string message) {
  return std::unexpected(Error{std::move(message)});
}

/// Passes on the error of another Result: `if (!socket) return fail(socket);`
template <typename T>
std::unexpected<Error> fail(const std::expected<T, Error>& result) {
  return std::unexpected(result.error());
}

}  // namespace qdt
