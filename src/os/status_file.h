#pragma once

#include <cstdint>
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
  /// `process`: whose status it is; 0: this one's.
  static Result<StatusFile> open(const std::string& tun_name, std::uint32_t process = 0);
  StatusFile(StatusFile&& other) noexcept
      : path_(std::exchange(other.path_, "")), process_(other.process_) {}
  StatusFile& operator=(StatusFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(process_, other.process_);
    return *this;
  }
  ~StatusFile();

  Result<void> write(std::string_view content) const;
  /// The file stays when the object goes.
  void leave() { path_.clear(); }

 private:
  StatusFile(std::string path, std::uint32_t process) : path_(std::move(path)), process_(process) {}
  std::string path_;
  std::uint32_t process_ = 0;
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
