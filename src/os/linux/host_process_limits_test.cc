#include "os/linux/host_process_limits.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "os/linux/network_fixture.h"

namespace qdt::os {
namespace {

TEST(HostProcessLimits, NamesNoRoot) {
  const auto folders = places_written({.role = HostPlan::Role::kClient});
  const auto has = [&](const char* name) { return std::ranges::count(folders, name) > 0; };
  EXPECT_TRUE(has("/proc/sys/net"));
  EXPECT_FALSE(has("/"));
  EXPECT_FALSE(has(""));
}

// The folder of such a file would be everything.
TEST(HostProcessLimits, NameAFileInTheRootItself) {
  const auto places =
      places_written({.role = HostPlan::Role::kServer, .lease_path = "/server.leases"});
  EXPECT_TRUE(std::ranges::count(places, "/server.leases"));
  EXPECT_FALSE(std::ranges::count(places, "/"));
}

// A path without a folder is one in the current folder, not in the root.
TEST(HostProcessLimits, NameTheCurrentFolderForAFileThere) {
  const auto places =
      places_written({.role = HostPlan::Role::kServer, .lease_path = "server.leases"});
  EXPECT_TRUE(std::ranges::count(places, std::filesystem::current_path().string()));
  EXPECT_FALSE(std::ranges::count(places, "server.leases"));
}

// A sanitizer's reports go where they are told to: that build leaves files as they are.
#ifndef QDT_SANITIZED

bool can_write(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  return file.is_open();
}

TEST(HostProcessLimits, LeaveNoFilesToWriteButThoseOfTheHost) {
  constexpr long kKeepsFiles = 3;
  ASSERT_GE(::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION),
            kKeepsFiles)
      << "run the tests with Landlock switched on (lsm=), on Linux 6.2 or later";
  const std::string elsewhere = "/tmp/qdt-limits-" + std::to_string(::getpid());
  write_text(elsewhere, "as it was");
  in_child([&] {
    TestLogger logger;
    limit_host_process({.role = HostPlan::Role::kServer}, logger);
    EXPECT_FALSE(can_write(elsewhere));
    EXPECT_EQ(::truncate(elsewhere.c_str(), 0), -1);
    EXPECT_EQ(::unlink(elsewhere.c_str()), -1);
    EXPECT_FALSE(can_write(elsewhere + ".new"));
    EXPECT_TRUE(can_write("/dev/null"));
    EXPECT_TRUE(can_write("/proc/sys/net/ipv4/ip_forward"));
    EXPECT_EQ(read_text(elsewhere), "as it was");
  });
  ::unlink(elsewhere.c_str());
}

TEST(HostProcessLimits, LeaveTheLeasesOfAServerThatLiesInTheRoot) {
  const std::string path = "/qdt-limits-" + std::to_string(::getpid()) + ".leases";
  in_child([&] {
    TestLogger logger;
    limit_host_process({.role = HostPlan::Role::kServer, .lease_path = path, .no_leases = "none"},
                       logger);
    auto leases = KeptFile::open(path);
    ASSERT_TRUE(leases) << leases.error().message;
    EXPECT_EQ(leases->read(), "none");
    EXPECT_TRUE(leases->replace("10.8.0.2"));
    EXPECT_TRUE(leases->replace("10.8.0.3"));  // cut
    EXPECT_FALSE(can_write(path + ".other"));
  });
  EXPECT_EQ(read_text(path), "10.8.0.3");
  in_child([&] {
    TestLogger logger;
    limit_host_process({.role = HostPlan::Role::kServer, .lease_path = path, .no_leases = "none"},
                       logger);
  });
  EXPECT_EQ(read_text(path), "10.8.0.3");  // those that are there stay
  ::unlink(path.c_str());
}

#endif

TEST(HostProcessLimits, LeaveNoCallsOfAnIntruder) {
  in_child([] {
    TestLogger logger;
    limit_host_process({.role = HostPlan::Role::kServer}, logger);
    EXPECT_TRUE(::unshare(CLONE_NEWUSER) == -1 && errno == EPERM);
    EXPECT_TRUE(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == -1 && errno == EPERM);
    EXPECT_EQ(shell("id -u"), "0\n");  // programs are run as before
  });
}

TEST(HostProcessLimits, AreNoneWhereThereAreHooks) {
  in_child([] {
    TestLogger logger;
    limit_host_process({.role = HostPlan::Role::kClient, .up = {"/bin/true"}}, logger);
    EXPECT_EQ(::unshare(CLONE_NEWNS), 0);
    EXPECT_TRUE(logger.text.contains("with all the rights"));
  });
}

}  // namespace
}  // namespace qdt::os
