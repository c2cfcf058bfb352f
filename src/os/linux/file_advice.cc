#include "os/file_advice.h"

namespace qdt::os {

std::string how_to_hide_from_others(const std::string& path) {
  return "chmod 600 " + path;
}

std::string how_to_keep_others_from_writing(const std::string& path) {
  return "chown root " + path + "; chmod 600 " + path;
}

}  // namespace qdt::os
