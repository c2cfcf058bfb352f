#include "os/sandbox.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "os/file.h"
#include "os/linux/capabilities.h"
#include "os/linux/unique_fd.h"
#include "os/resolver.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;

constexpr const char* kNeedsRoot = "run the tests as root: only root becomes another user";

// Sanitizers need what the sandbox refuses: that build has none of it (sandbox.cc), and not these
// tests.
#ifndef QDT_SANITIZED

constexpr std::uint32_t kOther = 65521;

class SilentLogger final : public Logger {
  void write(LogLevel, std::string_view) override {}
};

/// A folder for one test's files, removed with them at its end.
class Folder {
 public:
  explicit Folder(std::string pattern = "/tmp/qdt-sandbox-XXXXXX") : path_(std::move(pattern)) {
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Ending {
  int status = 0;
  std::string errors;  // what it wrote on standard error

  bool was_ended() const { return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS; }
  int code() const { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }
};

// Runs `body` in a process of its own.
Ending in_child(const std::function<int()>& body) {
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe[1], STDERR_FILENO);
    ::_exit(body());
  }
  ::close(pipe[1]);
  const UniqueFd output(pipe[0]);
  Ending ending;
  std::array<char, 1024> piece{};
  for (ssize_t bytes = 0; (bytes = ::read(output.get(), piece.data(), piece.size())) > 0;) {
    ending.errors.append(piece.data(), static_cast<std::size_t>(bytes));
  }
  ::waitpid(child, &ending.status, 0);
  return ending;
}

SandboxOptions options(ProcessUser user = {.id = kOther, .group = kOther, .note = ""}) {
  return {.user = std::move(user), .readable = {"/proc"}};
}

// The same, once the process is in its sandbox.
Ending in_sandbox(const std::function<int()>& body, const SandboxOptions& given = options()) {
  settle_memory();
  return in_child([&] {
    SilentLogger logger;
    if (!enter_sandbox(given, logger)) return 99;
    return body();
  });
}

class Sandbox : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::geteuid(), 0u) << kNeedsRoot; }
};

TEST_F(Sandbox, BecomesItsUserWithOneCapability) {
  const auto ending = in_sandbox([] {
    uid_t real = 0, effective = 0, saved = 0;
    ::getresuid(&real, &effective, &saved);
    const bool is_other = real == kOther && effective == kOther && saved == kOther;
    const bool has_one = effective_capabilities() == Capabilities{1} << CAP_NET_ADMIN;
    return is_other && has_one && ::getgroups(0, nullptr) == 1 ? 0 : 1;
  });
  EXPECT_EQ(ending.code(), 0);
}

TEST_F(Sandbox, StaysRootWhenToldTo) {
  const auto ending = in_sandbox(
      [] {
        return ::geteuid() == 0 && effective_capabilities() == Capabilities{1} << CAP_NET_ADMIN ? 0
                                                                                                : 1;
      },
      options(ProcessUser{}));
  EXPECT_EQ(ending.code(), 0);
}

TEST_F(Sandbox, SaysInProcWhatItIs) {
  const auto ending = in_sandbox([] {
    const std::string status = read_file("/proc/self/status").value_or("");
    const bool is_so = status.contains("NoNewPrivs:\t1") && status.contains("Seccomp:\t2") &&
                       status.contains("CapBnd:\t0000000000001000");
    return is_so ? 0 : 1;
  });
  EXPECT_EQ(ending.code(), 0);
}

TEST_F(Sandbox, EndsAtAProgram) {
  const auto ending = in_sandbox([] {
    std::array<char*, 1> nothing = {nullptr};
    return ::execve("/bin/true", nothing.data(), nothing.data());
  });
  EXPECT_TRUE(ending.was_ended()) << ending.status;
  EXPECT_THAT(ending.errors, HasSubstr("refused: execve ("));
}

TEST_F(Sandbox, EndsAtAProcess) {
  EXPECT_TRUE(in_sandbox([] { return ::fork() < 0 ? 1 : 2; }).was_ended());
  EXPECT_TRUE(in_sandbox([] {
                pid_t child = 0;
                std::array<char*, 1> nothing = {nullptr};
                return ::posix_spawn(&child, "/bin/true", nullptr, nullptr, nothing.data(),
                                     nothing.data());
              }).was_ended());
}

TEST_F(Sandbox, EndsAtAFileToWrite) {
  const Folder folder;
  const std::string path = folder.path() + "/file";
  const auto ending = in_sandbox([&] { return ::open(path.c_str(), O_WRONLY | O_CREAT, 0600); });
  EXPECT_TRUE(ending.was_ended()) << ending.status;
  EXPECT_THAT(ending.errors, HasSubstr("refused: open"));
  EXPECT_FALSE(file_exists(path));
}

TEST_F(Sandbox, EndsAtWhatOnlyIntrudersDo) {
  const std::function<long()> calls[] = {
      [] { return ::ptrace(PTRACE_ATTACH, ::getppid(), 0, 0); },
      [] { return long{::kill(::getppid(), SIGTERM)}; },
      [] { return long{::unshare(CLONE_NEWUSER)}; },
      [] { return long{::setresuid(0, 0, 0)}; },
      [] { return long{::chmod("/tmp", 0777)}; },
      [] { return long{::socket(AF_PACKET, SOCK_RAW, 0)}; },
      [] {
        void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return memory == MAP_FAILED ? -1L : 0L;
      },
  };
  for (const auto& call : calls) {
    EXPECT_TRUE(in_sandbox([&] { return call() < 0 ? 1 : 2; }).was_ended()) << &call - calls;
  }
}

TEST_F(Sandbox, LetsAHarmlessCallFail) {
  const auto ending = in_sandbox([] { return ::nice(1) == -1 && errno == EPERM ? 0 : 1; });
  EXPECT_EQ(ending.code(), 0);
  EXPECT_THAT(ending.errors, HasSubstr("the call fails, and the process goes on"));
}

TEST_F(Sandbox, BoundsWhatItLogs) {
  const auto ending = in_sandbox([] {
    for (int i = 0; i < 10'000; ++i) [[maybe_unused]]
      const int ignored = ::nice(1);
    return 0;
  });
  EXPECT_EQ(ending.code(), 0);
  EXPECT_LT(ending.errors.size(), 32u * 200);
}

TEST_F(Sandbox, ReadsWhatIsNamedAlone) {
  const Folder folder;
  ASSERT_TRUE(create_private_file(folder.path() + "/named", "1"));
  ASSERT_TRUE(create_private_file(folder.path() + "/other", "2"));
  SandboxOptions given = options(ProcessUser{});  // as root, so that Landlock alone decides
  given.readable = {folder.path() + "/named", folder.path() + "/missing"};
  const auto ending = in_sandbox(
      [&] {
        const bool reads = read_file(folder.path() + "/named") == "1";
        return reads && !read_file(folder.path() + "/other") ? 0 : 1;
      },
      given);
  EXPECT_EQ(ending.code(), 0);
}

// As a server's key, where a server and a client of one host have one user.
TEST_F(Sandbox, LetsAResolverReadItsOwnFilesAlone) {
  const Folder folder("/etc/qdt-sandbox-XXXXXX");
  const std::string key = folder.path() + "/server.key";
  ASSERT_TRUE(create_private_file(key, "secret"));
  SandboxOptions given = options(ProcessUser{});  // as root, so that Landlock alone decides
  given.readable = resolver_files();
  const auto ending = in_sandbox(
      [&] {
        return read_file("/etc/hosts") && !read_file(key) && !read_file("/etc/shadow") ? 0 : 1;
      },
      given);
  EXPECT_EQ(ending.code(), 0);
}

TEST_F(Sandbox, MakesNoUnixSocketAsRoot) {
  const auto ending = in_sandbox(
      [] {
        std::array<int, 2> pair{};
        const bool makes_one = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 ||
                               ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0 ||
                               ::socketpair(AF_UNIX, SOCK_DGRAM, 0, pair.data()) >= 0;
        return !makes_one && errno == EAFNOSUPPORT ? 0 : 1;
      },
      options(ProcessUser{}));
  EXPECT_EQ(ending.code(), 0) << ending.status;
  EXPECT_EQ(ending.errors, "");  // name services try
}

TEST_F(Sandbox, TellsAServiceManagerAsRootAndNobodyElse) {
  const auto ending = in_child([] {
    ::setenv("NOTIFY_SOCKET", "/run/qdt-no-such-manager", 1);
    SilentLogger logger;
    if (!enter_sandbox(options(ProcessUser{}), logger)) return 99;
    const bool may_tell = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0;
    return may_tell && ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 ? 0 : 1;
  });
  EXPECT_EQ(ending.code(), 0) << ending.errors;
}

TEST_F(Sandbox, ConnectsToNoAbstractSocketOfOthers) {
  constexpr long kScopes = 6;
  ASSERT_GE(::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION),
            kScopes)
      << "run the tests with Landlock switched on (lsm=), on Linux 6.12 or later";
  sockaddr_un name{.sun_family = AF_UNIX, .sun_path = {}};
  const std::string words = "qdt-sandbox-" + std::to_string(::getpid());
  words.copy(name.sun_path + 1, words.size());
  const auto* const address = reinterpret_cast<const sockaddr*>(&name);
  const UniqueFd other(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(other.get(), address, sizeof name), 0);
  const auto connects = [&] {
    const UniqueFd ours(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return ::connect(ours.get(), address, sizeof name) == 0 ? 1 : 0;
  };
  EXPECT_EQ(in_child(connects).code(), 1);
  EXPECT_EQ(in_sandbox(connects).code(), 0);
}

TEST_F(Sandbox, WritesNoFileOfAnybodysWithAProfiler) {
  const Folder folder;
  SandboxOptions given = options(ProcessUser{});
  given.has_profiler = true;  // the filter lets it open files for writing, in memory
  const auto ending =
      in_sandbox([&] { return create_private_file(folder.path() + "/file", "1") ? 1 : 0; }, given);
  EXPECT_EQ(ending.code(), 0) << ending.errors;
}

TEST_F(Sandbox, HoldsLaterThreads) {
  const auto ending = in_sandbox([] {
    std::thread([] {
      std::array<char*, 1> nothing = {nullptr};
      ::execve("/bin/true", nothing.data(), nothing.data());
    }).join();
    return 0;
  });
  EXPECT_TRUE(ending.was_ended()) << ending.status;
}

TEST_F(Sandbox, LetsAPacketThreadOpenNothing) {
  const auto ending = in_sandbox([] {
    int opened = 0;
    std::thread([&] {
      confine_packet_thread();
      opened = ::open("/proc/self/status", O_RDONLY);
    }).join();
    const UniqueFd here(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
    return opened < 0 && here.is_open() ? 0 : 1;
  });
  EXPECT_EQ(ending.code(), 0) << ending.errors;
  EXPECT_THAT(ending.errors, HasSubstr("refused: open"));
}

// A server of 1,450 sessions that ended together: "refused: openat (257) in the thread
// qdt-shard-0".
TEST_F(Sandbox, LetsAPacketThreadGiveMemoryBack) {
  const auto ending = in_sandbox([] {
    std::thread([] {
      confine_packet_thread();
      std::vector<std::unique_ptr<std::array<char, 65536>>> pieces(200);
      for (auto& piece : pieces) piece = std::make_unique<std::array<char, 65536>>();
    }).join();
    return 0;
  });
  EXPECT_EQ(ending.code(), 0);
  EXPECT_EQ(ending.errors, "");
}

TEST_F(Sandbox, EndsAtASocketOfAPacketThread) {
  const auto ending = in_sandbox([] {
    std::thread([] {
      confine_packet_thread();
      [[maybe_unused]] const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    }).join();
    return 0;
  });
  EXPECT_TRUE(ending.was_ended()) << ending.status;
  EXPECT_THAT(ending.errors, HasSubstr("refused: socket ("));
}

TEST(Memory, IsKeptOutOfCoreFiles) {
  const auto ending = in_child([] {
    hide_memory();
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    return limit.rlim_max == 0 ? 0 : 1;
  });
  EXPECT_EQ(ending.code(), 0);
}

#endif

TEST(ProcessUser, IsOneThatNobodyHasWhereNoneIsMade) {
  ASSERT_EQ(::geteuid(), 0u) << kNeedsRoot;
  const auto user = find_process_user(kOwnUser);
  ASSERT_TRUE(user);
  EXPECT_NE(user->id, 0u);
  EXPECT_NE(user->id, 65534u) << "nobody's processes are anybody's";
}

TEST(ProcessUser, IsRootWithAWarning) {
  ASSERT_EQ(::geteuid(), 0u) << kNeedsRoot;
  const auto user = find_process_user("root");
  ASSERT_TRUE(user);
  EXPECT_TRUE(user->is_root());
  EXPECT_THAT(user->note, HasSubstr("user: root"));
}

TEST(ProcessUser, HasToBeThereWhenItIsAnother) {
  ASSERT_EQ(::geteuid(), 0u) << kNeedsRoot;
  const auto user = find_process_user("no-such-user");
  ASSERT_FALSE(user);
  EXPECT_THAT(user.error().message, HasSubstr("useradd --system"));
}

}  // namespace
}  // namespace qdt::os
