#pragma once

#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"

namespace qdt::control {

/// `return refuse("the body is no object of JSON");`
inline std::unexpected<Error> refuse(std::string message) {
  return fail(std::move(message), ErrorCode::kInvalidArgument);
}

/// `return unknown("user ann");`
inline std::unexpected<Error> unknown(const std::string& what) {
  return fail("there is no " + what, ErrorCode::kNotFound);
}

/// What was looked for; an error, unknown(`what`), where it was not found.
template <typename T>
Result<T> found(Result<std::optional<T>> one, const std::string& what) {
  if (!one) return fail(one);
  if (!*one) return unknown(what);
  return std::move(**one);
}

}  // namespace qdt::control
