#pragma once

#include <cstddef>
#include <string_view>

namespace qdt::wire {

/// Finds the end of a JSON object that comes in pieces, each byte looked at once: the sign that a
/// body whose length was not announced is complete, since its stream stays open. Whether it is
/// sound is for the parser to say.
class JsonEnd {
 public:
  /// `body` is what has come so far, all that came before included. True once the object is closed,
  /// or can be none: its first character is no brace.
  bool has_come(std::string_view body);

 private:
  bool ends_with(char letter);

  std::size_t seen_ = 0;
  std::size_t depth_ = 0;
  bool is_in_string_ = false;
  bool is_escaped_ = false;
  bool has_come_ = false;
};

}  // namespace qdt::wire
