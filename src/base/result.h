#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace qdt {

/// The kind of a failure, for programs: a caller that acts on it, an answer's status. People read
/// the message.
enum class ErrorCode : std::uint8_t {
  kOther,  ///< nobody has had a reason to tell it from others
  kInvalidArgument,
  kNotFound,
  kPermission,
  kBusy,         ///< another time it may work: somebody else has it, or too many ask
  kTimeout,      ///< no answer within the time for it
  kUnavailable,  ///< whoever was asked is not there
  kIo,           ///< the system refused, or lacks room
};

/// In snake_case, as answers of the control socket have it (docs/control.md).
std::string_view name_of(ErrorCode code);
/// The code with this name; kOther where there is none.
ErrorCode parse_error_code(std::string_view name);

/// A failure outside our control, told so that its reader can act: what was being done, to what,
/// why it failed and, where there is one, the remedy.
struct Error {
  std::string message;
  ErrorCode code = ErrorCode::kOther;
};

/// A value, or the Error that stood in its way. Never to be ignored: clang-tidy's
/// bugprone-unused-return-value refuses that for every std::expected.
template <typename T>
using Result = std::expected<T, Error>;

/// `return fail("open /dev/net/tun: no such file; load the tun module");`
inline std::unexpected<Error> fail(std::string message, ErrorCode code = ErrorCode::kOther) {
  return std::unexpected(Error{std::move(message), code});
}

/// Passes on the error of another Result: `if (!socket) return fail(socket);`
template <typename T>
std::unexpected<Error> fail(const std::expected<T, Error>& result) {
  return std::unexpected(result.error());
}

}  // namespace qdt
