#include "os/steering.h"

#include <linux/filter.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "os/linux/bpf.h"
#include "os/linux/system_error.h"
#include "os/linux/tun_programs.h"

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

// The program reads these from its array.
struct Choice {
  std::uint32_t queues;
  std::uint32_t ipv6_difference;
};

const std::string kLoad = "load a program that chooses TUN queues";
const std::string kAttach = "attach a program that chooses TUN queues";

// A TUN device's program sees the packet from its IP header on. The driver keeps 16 bits of what it
// returns, so the remainder is taken here. R7 and R8 outlive loads from the packet.
auto choosing_program(int array) {
  return std::array{
      bpf::move(BPF_REG_6, BPF_REG_1),
      bpf::store_value(BPF_REG_10, -4, 0),
      bpf::load_map(BPF_REG_1, array),
      bpf_insn{},
      bpf::move(BPF_REG_2, BPF_REG_10),
      bpf::add(BPF_REG_2, -4),
      bpf::call(BPF_FUNC_map_lookup_elem),
      bpf::skip_if_equal(0, 10),
      bpf::load(BPF_REG_7, BPF_REG_0, offsetof(Choice, queues)),
      bpf::load(BPF_REG_8, BPF_REG_0, offsetof(Choice, ipv6_difference)),
      bpf::load_packet(BPF_B, 0),
      bpf::compute(BPF_RSH, 4),
      bpf::skip_if_equal(6, 2),
      bpf::load_packet(BPF_W, kIpv4Destination),
      bpf::skip(2),
      bpf::load_packet(BPF_W, kIpv6DestinationEnd),
      bpf::compute_by(BPF_ADD, BPF_REG_8),
      bpf::compute_by(BPF_MOD, BPF_REG_7),
      bpf::leave(),
  };
}

Result<void> attach(const TunQueue& queue, const Choice& choice,
                    const bpf::ProgramWithArray& chooser) {
  void* const memory =
      ::mmap(nullptr, sizeof choice, PROT_READ | PROT_WRITE, MAP_SHARED, chooser.array.get(), 0);
  if (memory == MAP_FAILED) return os_error(kAttach);
  std::memcpy(memory, &choice, sizeof choice);
  ::munmap(memory, sizeof choice);
  int fd = chooser.program.get();  // the device takes a reference of its own
  if (::ioctl(fd_of(queue.poll_handle()), TUNSETSTEERINGEBPF, &fd) < 0) return os_error(kAttach);
  return {};
}

Result<void> load_and_attach(const TunQueue& queue, const Choice& choice) {
  const auto chooser = load_queue_chooser();
  if (!chooser) return fail(chooser);
  return attach(queue, choice, *chooser);
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

Result<bpf::ProgramWithArray> load_queue_chooser() {
  auto array = bpf::make_array(sizeof(Choice), 1, kLoad);
  if (!array) return fail(array);
  auto program = bpf::load_program(choosing_program(array->get()), kLoad);
  if (!program) return fail(program);
  return bpf::ProgramWithArray{.program = std::move(*program), .array = std::move(*array)};
}

Result<void> steer_packets(std::span<const TunQueue> queues, std::uint32_t ipv6_difference,
                           const TunPrograms* loaded) {
  const Choice choice{.queues = static_cast<std::uint32_t>(queues.size()),
                      .ipv6_difference = ipv6_difference};
  auto attached = loaded != nullptr ? attach(queues.front(), choice, loaded->chooser)
                                    : load_and_attach(queues.front(), choice);
  if (!attached) read_by_first_only(queues);
  return attached;
}

}  // namespace qdt::os
