#pragma once

// For tests only: a network of their own to change.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "base/logger.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {

/// Runs a command and returns what it printed, complaints included.
inline std::string shell(const std::string& command) {
  const std::string line = "PATH=/usr/sbin:/usr/bin:/sbin:/bin; exec 2>&1; " + command;
  FILE* pipe = ::popen(line.c_str(), "r");
  std::string output;
  for (int letter = 0; pipe && (letter = std::fgetc(pipe)) != EOF;) {
    output += static_cast<char>(letter);
  }
  if (pipe) ::pclose(pipe);
  return output;
}

inline void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Runs `body` in a child process, which ends as a crash would: without destructors.
inline void in_child(const std::function<void()>& body) {
  std::fflush(nullptr);  // or the child prints it again
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    std::fflush(nullptr);
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "in a child process; its failures are above";
}

inline void enter_fresh_network() {
  const std::string user = "0 " + std::to_string(::geteuid()) + " 1";
  const std::string group = "0 " + std::to_string(::getegid()) + " 1";
  if (::geteuid() != 0) {
    ASSERT_EQ(::unshare(CLONE_NEWUSER), 0) << "no user namespaces here: run the tests as root";
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", user);
    write_text("/proc/self/gid_map", group);
  }
  ASSERT_EQ(::unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
  ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  ASSERT_EQ(::mount("none", "/run", "tmpfs", 0, nullptr), 0);

  // A resolv.conf of our own; where it is a link into the /run that was, it needs a file to be at.
  const auto target = std::filesystem::weakly_canonical("/etc/resolv.conf");
  std::filesystem::create_directories(target.parent_path());
  if (!std::filesystem::exists(target)) write_text(target, "");
  write_text("/run/resolv.conf", "# caf\xe9\nnameserver 192.0.2.53\noptions edns0\n");
  ASSERT_EQ(::mount("/run/resolv.conf", target.c_str(), nullptr, MS_BIND, nullptr), 0);

  // NOLINTBEGIN(concurrency-mt-unsafe): one thread
  ::setenv("PATH", "/run/bin", 1);  // no resolvconf of this machine's
  ::unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
  // NOLINTEND(concurrency-mt-unsafe)
  ASSERT_EQ(shell("ip link set lo up"), "");
  // Devices get no link-local address: the kernel gives it a moment after they are up, in the
  // middle of what tests compare.
  const std::string generation = "/proc/sys/net/ipv6/conf/default/addr_gen_mode";
  if (std::filesystem::exists(generation)) write_text(generation, "1");
}

/// Runs `body` in a child process with a network of its own, in which nothing is configured but
/// `lo`, and with a /run and an /etc/resolv.conf of its own.
inline void in_fresh_network(const std::function<void()>& body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    enter_fresh_network();
    if (!::testing::Test::HasFailure()) body();
    // Not _exit: look for leaks, too.
    std::exit(::testing::Test::HasFailure() ? 1 : 0);  // NOLINT(concurrency-mt-unsafe)
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "in a network of its own; its failures are above";
}

/// All that HostNetwork may change.
inline std::string host_state() {
  return shell(
      "ip -4 rule; ip -6 rule; ip -4 route show table all; ip -6 route show table all; "
      "ip -o link | sed 's/qdisc [a-z_]*//'; ip -o address; nft list ruleset; cd /proc/sys/net; "
      "grep . ipv4/ip_forward ipv4/conf/*/forwarding ipv4/conf/*/src_valid_mark "
      "ipv4/conf/*/promote_secondaries ipv6/conf/*/disable_ipv6; "
      "stat -Lc '%A %U %i' /etc/resolv.conf; cat /etc/resolv.conf; find /run -name '*.undo'");
}

/// A TUN device, there as long as the object.
class TestTun {
 public:
  explicit TestTun(const std::string& name) : file_(::open("/dev/net/tun", O_RDWR | O_CLOEXEC)) {
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    EXPECT_EQ(::ioctl(file_.get(), TUNSETIFF, &request), 0) << "cannot create " << name;
  }
  int fd() const { return file_.get(); }

 private:
  UniqueFd file_;
};

class TestLogger final : public Logger {
 public:
  /// All lines so far.
  std::string text;

 private:
  void write(LogLevel, std::string_view message) override { text.append(message).append("\n"); }
};

}  // namespace qdt::os
