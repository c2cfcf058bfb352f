#include "wire/json_end.h"

namespace qdt::wire {

bool JsonEnd::has_come(std::string_view body) {
  for (; seen_ < body.size() && !has_come_; ++seen_) has_come_ = ends_with(body[seen_]);
  return has_come_;
}

bool JsonEnd::ends_with(char letter) {
  if (is_in_string_) {
    if (!is_escaped_ && letter == '"') is_in_string_ = false;
    is_escaped_ = !is_escaped_ && letter == '\\';
    return false;
  }
  switch (letter) {
    case ' ':
    case '\t':
    case '\r':
    case '\n': return false;
    case '{':
    case '[': ++depth_; return depth_ == 1 && letter == '[';
    case '}':
    case ']': return depth_ <= 1 || --depth_ == 0;
    case '"': is_in_string_ = true; break;
    default: break;
  }
  return depth_ == 0;
}

}  // namespace qdt::wire
