#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace qdt::os {

/// The status of a process, for anyone who asks, on Windows, where there is no control socket: a
/// file that everyone may read, replaced as a whole, beside the undo journal of its TUN device. It
/// goes with the object; what a crashed process left behind is recognised as that.
class StatusFile {
 public:
  static Result<StatusFile> open(const std::string& tun_name);
  StatusFile(StatusFile&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  StatusFile& operator=(StatusFile&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~StatusFile();

  Result<void> write(std::string_view content) const;

 private:
  explicit StatusFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// A status file as a reader finds it.
struct FoundStatus {
  std::string tun_name;
  std::string content;
  bool is_alive = false;  ///< its writer still runs
};

/// Those of this host, in alphabetical order of their TUN devices; or of one device.
std::vector<FoundStatus> find_status_files(const std::string& tun_name = "");

}  // namespace qdt::os
