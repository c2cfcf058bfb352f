#include "os/steering.h"

#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <span>
#include <string>

#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

int fd_of(PollHandle handle) {
  return static_cast<int>(handle);
}

// Where a destination connection ID begins (RFC 9000 section 17), and where a destination address
// does, or the last word of it (RFC 791, RFC 8200).
constexpr std::uint8_t kLongHeader = 0x80;
constexpr std::uint32_t kLongHeaderId = 6;
constexpr std::uint32_t kShortHeaderId = 1;
constexpr std::int32_t kIpv4Destination = 16;
constexpr std::int32_t kIpv6DestinationEnd = 36;

// Of <linux/bpf.h>: registers, and instructions that load from the packet, in host order. They take
// the packet from R6, put the result into R0, and end the program with 0 outside of the packet.
constexpr bpf_insn move(std::uint8_t to, std::uint8_t from) {
  return {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from, .off = 0, .imm = 0};
}
constexpr bpf_insn load_packet(std::uint8_t size, std::int32_t offset) {
  const auto code = static_cast<std::uint8_t>(BPF_LD | BPF_ABS | size);
  return {.code = code, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = offset};
}
constexpr bpf_insn compute(std::uint8_t operation, std::int32_t operand) {
  const auto code = static_cast<std::uint8_t>(BPF_ALU | operation | BPF_K);
  return {.code = code, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = operand};
}
constexpr bpf_insn skip_if_equal(std::int32_t operand, std::int16_t instructions) {
  return {.code = BPF_JMP | BPF_JEQ | BPF_K,
          .dst_reg = BPF_REG_0,
          .src_reg = 0,
          .off = instructions,
          .imm = operand};
}
constexpr bpf_insn skip(std::int16_t instructions) {
  return {.code = BPF_JMP | BPF_JA, .dst_reg = 0, .src_reg = 0, .off = instructions, .imm = 0};
}
constexpr bpf_insn leave() {
  return {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0};
}

Result<UniqueFd> load(std::span<const bpf_insn> program) {
  bpf_attr request{};
  request.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  request.insns = reinterpret_cast<std::uintptr_t>(program.data());
  request.insn_cnt = static_cast<std::uint32_t>(program.size());
  request.license = reinterpret_cast<std::uintptr_t>("MIT");
  UniqueFd fd(static_cast<int>(::syscall(SYS_bpf, BPF_PROG_LOAD, &request, sizeof request)));
  if (fd.is_open()) return fd;
  const std::string what = "load a program that chooses TUN queues";
  if (errno == EPERM) {
    return fail(what +
                ": not permitted; needs CAP_BPF: run as root, or give the service "
                "AmbientCapabilities=CAP_BPF");
  }
  return os_error(what);
}

Result<void> attach_program(const TunQueue& queue, std::size_t queue_count,
                            std::uint32_t ipv6_difference) {
  // A TUN device's program sees the packet from its IP header on. The driver keeps 16 bits of what
  // it returns, so the remainder is taken here.
  const auto divisor = static_cast<std::int32_t>(queue_count);
  const std::array<bpf_insn, 10> program = {
      move(BPF_REG_6, BPF_REG_1),
      load_packet(BPF_B, 0),
      compute(BPF_RSH, 4),
      skip_if_equal(6, 2),
      load_packet(BPF_W, kIpv4Destination),
      skip(2),
      load_packet(BPF_W, kIpv6DestinationEnd),
      compute(BPF_ADD, static_cast<std::int32_t>(ipv6_difference)),
      compute(BPF_MOD, divisor),
      leave(),
  };
  auto loaded = load(program);
  if (!loaded) return fail(loaded);
  int fd = loaded->get();  // the device takes a reference of its own
  if (::ioctl(fd_of(queue.poll_handle()), TUNSETSTEERINGEBPF, &fd) < 0) {
    return os_error("attach a program that chooses TUN queues");
  }
  return {};
}

// The driver would choose by a hash, and change its choice when it sees a flow's other direction:
// packets that wait in one queue are then overtaken by those in another.
void read_by_first_only(std::span<const TunQueue> queues) {
  for (const TunQueue& queue : queues.subspan(1)) {
    ifreq request{};
    request.ifr_flags = IFF_DETACH_QUEUE;
    ::ioctl(fd_of(queue.poll_handle()), TUNSETQUEUE, &request);
  }
}

}  // namespace

Result<void> steer_payloads(const UdpSocket& socket, std::size_t shard_count) {
  // A program of a group of sockets sees the payload, without the UDP header. Outside of it a load
  // ends the program with 0; a group's member that is not there means: by hash.
  std::array<sock_filter, 7> program = {{
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kLongHeader, 0, 2),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kLongHeaderId),
      BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kShortHeaderId),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, static_cast<std::uint32_t>(shard_count)),
      BPF_STMT(BPF_RET | BPF_A, 0),
  }};
  const sock_fprog request{.len = program.size(), .filter = program.data()};
  if (::setsockopt(fd_of(socket.poll_handle()), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &request,
                   sizeof request) < 0) {
    return os_error("attach a program that chooses UDP sockets");
  }
  return {};
}

Result<void> steer_packets(std::span<const TunQueue> queues, std::uint32_t ipv6_difference) {
  auto attached = attach_program(queues.front(), queues.size(), ipv6_difference);
  if (!attached) read_by_first_only(queues);
  return attached;
}

}  // namespace qdt::os
