#include "os/file_advice.h"

namespace qdt::os {
namespace {

// By their numbers, since groups have other names in other languages: the system and
// administrators.
constexpr const char* kRights = " /inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F";

}  // namespace

std::string how_to_hide_from_others(const std::string& path) {
  return "icacls \"" + path + "\"" + kRights;
}

std::string how_to_keep_others_from_writing(const std::string& path) {
  return "icacls \"" + path + "\" /setowner *S-1-5-32-544 & " + how_to_hide_from_others(path);
}

}  // namespace qdt::os
