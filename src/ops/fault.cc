#include "ops/fault.h"

#include <algorithm>
#include <tuple>

namespace qdt::ops {

std::string to_string(const Fault& fault, const std::string& file_name) {
  std::string text = file_name;
  if (fault.position.line > 0) {
    text += ":" + std::to_string(fault.position.line);
    text += ":" + std::to_string(fault.position.column);
  }
  return text + ": " + fault.message;
}

std::string to_string(std::vector<Fault> faults, const std::string& file_name) {
  std::ranges::sort(faults, {}, [](const Fault& fault) {
    const bool is_placed = fault.position.line > 0;
    return std::tuple(!is_placed, fault.position, fault.message);
  });
  std::string text;
  for (const Fault& fault : faults) {
    if (!text.empty()) text += '\n';
    text += to_string(fault, file_name);
  }
  return text;
}

}  // namespace qdt::ops
