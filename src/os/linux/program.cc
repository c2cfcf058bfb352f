#include "os/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>

#include "os/clock.h"
#include "os/linux/file_owner.h"
#include "os/linux/spawn_settings.h"
#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"
#include "os/program_output.h"

namespace qdt::os {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// How long a program may take to end once it is asked to.
constexpr Duration kEndLimit = 3s;

struct Child {
  pid_t pid;
  int output;
  const std::string& path;
  std::optional<PollHandle> stop;
};

// Whether the child ended before `deadline`. What it started may hold the pipe open for ever, so
// its end counts, not that of its output.
bool wait_for_end(Child child, Timestamp deadline, ProgramOutput& lines, Logger& logger) {
  const auto& [pid, output, path, stop] = child;
  const UniqueFd end(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  bool is_silent = false;  // its output is closed
  bool is_told = !stop;    // that it is to end
  for (bool has_ended = false;;) {
    std::array<pollfd, 3> polled = {
        {{.fd = is_silent ? -1 : output, .events = POLLIN, .revents = 0},
         {.fd = end.get(), .events = POLLIN, .revents = 0},
         {.fd = is_told ? -1 : static_cast<int>(*stop), .events = POLLIN, .revents = 0}}};
    const Timestamp now = os::now();
    if (!has_ended && now >= deadline) return false;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now);
    ::poll(polled.data(), polled.size(), has_ended ? 0 : static_cast<int>(left.count() + 1));
    if (!is_told && (polled[2].revents & POLLIN) != 0) {
      logger.info("asked to stop: " + path + " is ended first, in " +
                  std::to_string(kEndLimit / 1s) + " s at most");
      ::kill(-pid, SIGTERM);
      deadline = std::min(deadline, os::now() + kEndLimit);
      is_told = true;
    }

    std::array<char, 4096> piece{};
    const ssize_t bytes = ::read(output, piece.data(), piece.size());
    if (bytes > 0) lines.add({piece.data(), static_cast<std::size_t>(bytes)});
    is_silent = is_silent || bytes == 0;
    if (has_ended && bytes <= 0) return true;
    has_ended = has_ended || (polled[1].revents & POLLIN) != 0;
  }
}

// A user who can write a program, a folder on the way to it, or a link there decides what is run.
// In a folder like /tmp, whose sticky bit keeps others' hands off what is not theirs, everybody may
// write.
Result<void> check_way(const std::filesystem::path& program) {
  const std::string doing = "run " + program.string() + ": ";
  std::filesystem::path way;
  for (const std::filesystem::path& step : program) {
    way /= step;
    struct stat status{};
    if (::lstat(way.c_str(), &status) != 0) return os_error("run " + program.string());
    const bool is_shared = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
    const bool is_link = S_ISLNK(status.st_mode);
    if (!is_owned_by_us(status)) {
      return fail(doing + way.string() + " belongs to user ID " + std::to_string(status.st_uid) +
                  ", who could have another program run; chown root " + way.string());
    }
    if (!is_link && !is_shared && is_open_to_others(status)) {
      return fail(doing + "others may write " + way.string() +
                  ", and could have another program run; chmod go-w " + way.string());
    }
  }
  return {};
}

}  // namespace

Result<void> check_program(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return os_error("run " + path);
  if (S_ISDIR(status.st_mode)) return os_error("run " + path, EISDIR);
  if (::access(path.c_str(), X_OK) != 0) return os_error("run " + path);
  std::error_code error;
  const std::filesystem::path named = std::filesystem::absolute(path, error);
  if (auto ok = check_way(named.lexically_normal()); !ok) return ok;
  return check_way(std::filesystem::canonical(named, error));
}

Result<void> run_program(const Program& program, Logger& logger) {
  const std::string& path = program.words[0];
  if (auto ok = check_program(path); !ok) return ok;
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) < 0) return os_error("run " + path);
  const UniqueFd from_child(pipe[0]);
  UniqueFd to_us(pipe[1]);

  std::vector<std::string> words = program.words;
  std::vector<std::string> environment = program.environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    environment.emplace_back(*variable);
  }
  const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!nothing.is_open()) return os_error("open /dev/null");
  const SpawnSettings settings(nothing.get(), to_us.get(), SpawnSettings::Group::kOwn);
  pid_t child = 0;
  if (const int error = ::posix_spawn(&child, path.c_str(), settings.files(), settings.attributes(),
                                      pointers(words).data(), pointers(environment).data())) {
    return os_error("run " + path, error);
  }
  to_us = UniqueFd();

  ProgramOutput lines(path, logger);
  const Timestamp begun = os::now();
  const bool has_ended =
      wait_for_end({.pid = child, .output = from_child.get(), .path = path, .stop = program.stop},
                   begun + program.limit, lines, logger);
  if (!has_ended) ::kill(-child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!has_ended) {
    const auto seconds = std::chrono::round<std::chrono::seconds>(os::now() - begun);
    return fail(path + ": killed, for it had not ended after " + std::to_string(seconds.count()) +
                " s; let it start what takes longer in the background");
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail(path + ": " +
              (WIFEXITED(status) ? "ended with status " + std::to_string(WEXITSTATUS(status))
                                 : "was ended by signal " + std::to_string(WTERMSIG(status))));
}

}  // namespace qdt::os
