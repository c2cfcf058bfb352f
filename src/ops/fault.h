#pragma once

#include <compare>
#include <string>
#include <vector>

namespace qdt::ops {

/// A place in a text file, counted from 1 as editors do. Line 0: nowhere in particular.
struct TextPosition {
  int line = 0;
  int column = 0;

  auto operator<=>(const TextPosition&) const = default;
};

/// Something wrong, or worth telling, at one place of a file.
struct Fault {
  TextPosition position;
  std::string message;
};

/// `server.yaml:12:7: MESSAGE`, or `server.yaml: MESSAGE` for a fault without a place.
std::string to_string(const Fault& fault, const std::string& file_name);

/// All of them, a line each, in the order of the file; those without a place last.
std::string to_string(std::vector<Fault> faults, const std::string& file_name);

}  // namespace qdt::ops
