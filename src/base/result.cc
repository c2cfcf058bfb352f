#include "base/result.h"

#include <algorithm>
#include <iterator>

namespace qdt {
namespace {

struct Name {
  ErrorCode code;
  std::string_view name;
};
constexpr Name kNames[] = {{ErrorCode::kOther, "other"},
                           {ErrorCode::kInvalidArgument, "invalid_argument"},
                           {ErrorCode::kNotFound, "not_found"},
                           {ErrorCode::kPermission, "permission"},
                           {ErrorCode::kBusy, "busy"},
                           {ErrorCode::kTimeout, "timeout"},
                           {ErrorCode::kUnavailable, "unavailable"},
                           {ErrorCode::kIo, "io"}};

}  // namespace

std::string_view name_of(ErrorCode code) {
  return std::ranges::find(kNames, code, &Name::code)->name;
}

ErrorCode parse_error_code(std::string_view name) {
  const auto* found = std::ranges::find(kNames, name, &Name::name);
  return found == std::end(kNames) ? ErrorCode::kOther : found->code;
}

}  // namespace qdt
