#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace qdt::os {

/// The status of a process, for anyone who asks: a file that everyone may read, replaced as a
/// whole, beside the undo journal of its TUN device and network namespace (on Linux
/// `/run/qdt/TUN.NAMESPACE.status`). It goes with the object; what a crashed process left behind is
/// recognised as that.
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

/// `/run/qdt/TUN.NAMESPACE.KIND`: where a program keeps what concerns one TUN device of this
/// network namespace until the next boot.
Result<std::string> run_file_path(const std::string& tun_name, const std::string& kind);

/// A status file as a reader finds it.
struct FoundStatus {
  std::string tun_name;
  std::string content;
  bool is_alive = false;  ///< its writer still runs
};

/// Those of this network namespace, in alphabetical order of their TUN devices; or of one device.
std::vector<FoundStatus> find_status_files(const std::string& tun_name = "");

}  // namespace qdt::os
