#include "os/standard_error.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

namespace qdt::os {
namespace {

constexpr std::size_t kMaxWaitingBytes = 64 * 1024;
constexpr int kLastMomentMilliseconds = 300;

// A pipe that can be written to takes so much at once (pipe(7)).
constexpr std::size_t kPieceBytes = 4096;

}  // namespace

bool is_standard_error_the_journal() {
  // Children inherit the variable with whatever standard error they were given, so what it names
  // has to be compared. Read at start-up, before there are threads.
  const char* const stream = std::getenv("JOURNAL_STREAM");  // NOLINT(concurrency-mt-unsafe)
  struct stat status{};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  return stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

// O_NONBLOCK belongs to the open file, which other processes share and would not expect it: so a
// pipe or a terminal is opened once more.
StandardError::StandardError() : fd_(STDERR_FILENO) {
  struct stat status{};
  if (::fstat(STDERR_FILENO, &status) != 0) return;
  if (S_ISSOCK(status.st_mode)) way_ = Way::kSocket;
  if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode)) return;
  if (::prctl(PR_GET_SECCOMP) != 0) return;  // in its sandbox it opens nothing
  const int own = ::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (own < 0) return;
  fd_ = own;
  way_ = Way::kOwn;
}

StandardError::~StandardError() {
  pollfd polled{.fd = fd_, .events = POLLOUT, .revents = 0};
  catch_up();
  if (!waiting_.empty() && ::poll(&polled, 1, kLastMomentMilliseconds) == 1) catch_up();
  if (way_ == Way::kOwn) ::close(fd_);
}

StandardError::Outcome StandardError::try_to_write(std::string_view& rest) {
  while (!rest.empty()) {
    const std::string_view piece = rest.substr(0, kPieceBytes);
    if (way_ == Way::kPlain) {
      pollfd polled{.fd = fd_, .events = POLLOUT, .revents = 0};
      if (::poll(&polled, 1, 0) == 0) return Outcome::kMustWait;
    }
    const ssize_t bytes = way_ == Way::kSocket
                              ? ::send(fd_, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                              : ::write(fd_, piece.data(), piece.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return errno == EAGAIN ? Outcome::kMustWait : Outcome::kLost;
    rest.remove_prefix(static_cast<std::size_t>(bytes));
  }
  return Outcome::kDone;
}

void StandardError::catch_up() {
  while (!waiting_.empty()) {
    std::string& line = waiting_.front();
    std::string_view rest = line;
    const Outcome outcome = try_to_write(rest);
    waiting_bytes_ -= line.size() - rest.size();
    if (outcome == Outcome::kMustWait) {
      line.erase(0, line.size() - rest.size());
      return;
    }
    is_losing_ = outcome == Outcome::kLost;
    if (is_losing_) {
      ++lost_;
      is_in_line_ = is_in_line_ || rest.size() < line.size();
      waiting_bytes_ -= rest.size();
    }
    waiting_.pop_front();
  }
}

void StandardError::write(std::string_view line) {
  catch_up();
  if (waiting_bytes_ + line.size() > kMaxWaitingBytes) {
    ++lost_;
    is_losing_ = true;
    return;
  }
  waiting_.emplace_back((is_in_line_ ? "\n" : "") + std::string(line));
  waiting_bytes_ += waiting_.back().size();
  is_in_line_ = false;
  catch_up();
}

std::uint64_t StandardError::take_lost() {
  if (is_losing_ || !waiting_.empty()) return 0;
  const std::uint64_t lost = lost_;
  lost_ = 0;
  return lost;
}

}  // namespace qdt::os
