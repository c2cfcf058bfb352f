#pragma once

// For tests only: a host that refuses.

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cstddef>
#include <cstdint>

namespace qdt::os {

/// A system call, told by one of its arguments (from 0).
struct SystemCall {
  long number;
  unsigned argument;
  std::uint32_t value;
};

/// From now on this process's `call` fails with `error`, for good: use it in a child process.
inline void refuse(const SystemCall& call, int error) {
  const auto argument = static_cast<std::uint32_t>(offsetof(seccomp_data, args) +
                                                   call.argument * sizeof(std::uint64_t));
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call.number), 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument),  // little-endian: its lower half
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call.value, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = std::size(program), .filter = program};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

}  // namespace qdt::os
