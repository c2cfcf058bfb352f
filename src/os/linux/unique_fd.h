#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace qdt::os {

/// Owns a file descriptor and closes it. -1: none.
class UniqueFd {
 public:
  constexpr UniqueFd() = default;
  explicit constexpr UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }

  bool is_open() const { return fd_ >= 0; }
  int get() const { return fd_; }
  /// Gives up ownership: the caller closes it.
  int release() { return std::exchange(fd_, -1); }
  /// Closes what it held and takes `fd`. Leaves errno alone, so that an error can be told later.
  void reset(int fd = -1) {
    const int error = errno;
    if (is_open()) ::close(fd_);
    errno = error;
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace qdt::os
