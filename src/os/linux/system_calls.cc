#include "os/linux/system_calls.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace qdt::os {
namespace {

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

constexpr std::uint64_t kAll = ~std::uint64_t{};

// To the kernel an int: its upper half may be anything.
constexpr std::uint64_t kInt = 0xffffffff;

constexpr const char* kMovePackets[] = {
    // packets, and waiting for them
    "read", "readv", "write", "writev", "recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg",
    "sendmmsg", "epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "poll", "ppoll",
    "timerfd_settime", "connect", "getsockopt", "setsockopt", "getsockname", "close",
    // memory
    "munmap", "mremap", "madvise", "brk",
    // threads and time
    "futex", "futex_waitv", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity", "getcpu",
    "membarrier", "gettid", "getpid", "exit", "exit_group", "restart_syscall", "clock_gettime",
    "clock_getres", "gettimeofday", "time", "clock_nanosleep", "nanosleep",
    // signals, and randomness
    "rt_sigreturn", "sigaltstack", "getrandom", "fstat"};

constexpr const char* kBeAProcess[] = {
    // what is open
    "lseek", "pread64", "preadv", "pwrite64", "pwritev", "ftruncate", "fallocate", "fsync",
    "fdatasync", "flock", "dup", "dup2", "dup3", "pipe", "pipe2", "eventfd2", "epoll_create1",
    "timerfd_create", "timerfd_gettime", "signalfd4", "memfd_create", "inotify_init1",
    "inotify_add_watch", "inotify_rm_watch", "select", "pselect6",
    // files, by name: Landlock says which
    "stat", "lstat", "newfstatat", "statx", "statfs", "fstatfs", "access", "faccessat",
    "faccessat2", "readlink", "readlinkat", "getdents64", "getcwd",
    // sockets
    "bind", "listen", "accept", "accept4", "shutdown", "getpeername",
    // this process and its threads
    "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "getppid",
    "getpgrp", "getpgid", "getsid", "capget", "uname", "sysinfo", "times", "getrusage", "getrlimit",
    "getpriority", "sched_getparam", "sched_getscheduler", "sched_setaffinity", "set_tid_address",
    "get_robust_list", "arch_prctl", "wait4", "waitid", "rt_sigpending", "rt_sigtimedwait",
    "rt_sigsuspend", "pause", "alarm", "mincore", "msync", "mlock", "munlock", "seccomp",
    "get_mempolicy"};

constexpr const char* kProfile[] = {"open",          "openat",       "timer_create",
                                    "timer_settime", "timer_delete", "timer_getoverrun",
                                    "setitimer",     "getitimer",    "tkill"};

constexpr const char* kAbsent[] = {"clone3", "openat2", "io_uring_setup", "fchmodat2",
                                   "map_shadow_stack"};

constexpr const char* kOnOthers[] = {
    // other processes
    "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd",
    // file systems and namespaces
    "mount", "umount2", "pivot_root", "chroot", "fsopen", "fsmount", "move_mount", "open_tree",
    "mount_setattr", "setns", "unshare", "mknod", "mknodat", "open_by_handle_at", "quotactl",
    // the kernel and its code
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load",
    "perf_event_open", "userfaultfd", "io_uring_enter", "io_uring_register", "add_key",
    "request_key", "keyctl", "personality", "syslog", "acct",
    // the machine
    "reboot", "swapon", "swapoff", "settimeofday", "clock_settime", "adjtimex", "clock_adjtime",
    "sethostname", "setdomainname", "iopl", "ioperm"};

constexpr const char* kHostile[] = {
    // programs and processes
    "execve", "execveat", "fork", "vfork", "clone",
    // files to be changed
    "open", "openat", "creat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link",
    "linkat", "symlink", "symlinkat", "mkdir", "mkdirat", "rmdir", "chmod", "fchmod", "fchmodat",
    "chown", "fchown", "lchown", "fchownat", "truncate", "setxattr", "lsetxattr", "fsetxattr",
    // privilege
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid",
    "setfsgid", "capset",
    // signals to others
    "kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal",
    // code, other sockets than ours
    "bpf", "mmap", "mprotect", "pkey_mprotect", "socket"};

void allow(std::vector<AllowedCall>& calls, std::span<const char* const> names) {
  for (const char* name : names) calls.push_back({name, {}});
}

// Descriptors that a sandboxed process opens are for reading.
void allow_reading(std::vector<AllowedCall>& calls) {
  constexpr std::uint64_t kForWriting = O_ACCMODE | O_CREAT | O_TRUNC;
  calls.push_back({"open", {{1, kForWriting, O_RDONLY}}});
  calls.push_back({"openat", {{2, kForWriting, O_RDONLY}}});
}

void allow_requests(std::vector<AllowedCall>& calls) {
  for (const std::uint64_t request : {FIONREAD, FIONBIO, TCGETS, SIOCGIFINDEX, SIOCGIFNAME,
                                      SIOCGIFFLAGS, SIOCGIFMTU, SIOCGIFADDR}) {
    calls.push_back({"ioctl", {{1, kInt, request}}});
  }
}

// None by which the kernel would send a signal to another process for us (F_SETOWN, F_SETSIG).
void allow_fcntl(std::vector<AllowedCall>& calls) {
  for (const std::uint64_t command :
       {F_GETFD, F_SETFD, F_GETFL, F_DUPFD, F_DUPFD_CLOEXEC, F_GETLK, F_SETLK, F_SETLKW,
        F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_ADD_SEALS, F_GET_SEALS}) {
    calls.push_back({"fcntl", {{1, kInt, command}}});
  }
  calls.push_back({"fcntl", {{1, kInt, F_SETFL}, {2, O_ASYNC, 0}}});
}

// A process of root is refused what services of the host would do for root. To a library that tries
// (name services), it is as if the kernel had no such sockets.
void allow_unix_sockets(std::vector<AllowedCall>& calls, UnixSockets wanted) {
  constexpr std::uint64_t kType = 0xf;
  for (const char* const name : {"socket", "socketpair"}) {
    if (wanted == UnixSockets::kAny) {
      calls.push_back({name, {{0, kInt, AF_UNIX}}});
      continue;
    }
    const bool has_datagrams = wanted == UnixSockets::kDatagrams;
    for (const std::uint64_t type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
      const bool is_allowed = has_datagrams && type == SOCK_DGRAM;
      calls.push_back(
          {name, {{0, kInt, AF_UNIX}, {1, kType, type}}, is_allowed ? 0 : EAFNOSUPPORT});
    }
  }
}

void allow_prctl(std::vector<AllowedCall>& calls, std::initializer_list<int> options) {
  for (const int option : options) {
    calls.push_back({"prctl", {{0, kInt, static_cast<std::uint64_t>(option)}}});
  }
}

}  // namespace

std::vector<AllowedCall> packet_calls() {
  std::vector<AllowedCall> calls;
  allow(calls, kMovePackets);
  calls.push_back({"mmap", {{2, PROT_EXEC, 0}}});
  calls.push_back({"mprotect", {{2, PROT_EXEC, 0}}});
  // abort(3), after an assertion
  calls.push_back({"rt_sigaction", {{0, kInt, SIGABRT}}});
  calls.push_back({"tgkill", {{0, kInt, static_cast<std::uint64_t>(::getpid())}}});
  allow_prctl(calls, {PR_SET_NAME, PR_GET_NAME, PR_SET_TIMERSLACK, PR_SET_VMA});
  return calls;
}

std::vector<AllowedCall> process_calls(const CallNeeds& needs) {
  std::vector<AllowedCall> calls = packet_calls();
  allow(calls, kBeAProcess);
  allow_reading(calls);
  allow_requests(calls);
  allow_fcntl(calls);
  allow_prctl(calls, {PR_SET_SECCOMP, PR_GET_SECCOMP, PR_GET_DUMPABLE, PR_CAPBSET_READ,
                      PR_GET_NO_NEW_PRIVS, PR_SET_NO_NEW_PRIVS});
  for (const int family : {AF_INET, AF_INET6, AF_NETLINK}) {
    calls.push_back({"socket", {{0, kInt, static_cast<std::uint64_t>(family)}}});
  }
  allow_unix_sockets(calls, needs.unix_sockets);
  // Libraries that are loaded late (name services): code, but none that can be written.
  calls.push_back({"mmap", {{2, PROT_WRITE, 0}}});
  // Threads, and no processes.
  calls.push_back({"clone", {{0, CLONE_THREAD, CLONE_THREAD}}});
  // The limits of this process, for reading.
  calls.push_back({"prlimit64", {{0, kInt, 0}, {2, kAll, 0}}});
  for (int signal = 1; signal < SIGRTMAX; ++signal) {
    if (signal == SIGSYS) continue;
    calls.push_back({"rt_sigaction", {{0, kInt, static_cast<std::uint64_t>(signal)}}});
  }
  if (needs.has_profiler) allow(calls, kProfile);
  return calls;
}

std::span<const char* const> absent_calls() {
  return kAbsent;
}

std::span<const char* const> calls_on_others() {
  return kOnOthers;
}

std::vector<const char*> hostile_calls() {
  std::vector<const char*> calls(std::begin(kOnOthers), std::end(kOnOthers));
  calls.insert(calls.end(), std::begin(kHostile), std::end(kHostile));
  return calls;
}

}  // namespace qdt::os
