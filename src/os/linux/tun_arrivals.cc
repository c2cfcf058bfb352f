#include "os/linux/tun_arrivals.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstring>
#include <string>
#include <utility>

#include "os/linux/bpf.h"
#include "os/linux/system_error.h"
#include "os/linux/tun_programs.h"

namespace qdt::os {
namespace {

const std::string kWhat = "count what waits in the TUN device";

// Adds a packet's length to the count of its queue, and keeps all of it.
auto counting_program(int map) {
  return std::array{
      bpf::load(BPF_REG_7, BPF_REG_1, offsetof(__sk_buff, len)),
      bpf::load(BPF_REG_2, BPF_REG_1, offsetof(__sk_buff, queue_mapping)),
      bpf::store(BPF_REG_10, -4, BPF_REG_2),
      bpf::load_map(BPF_REG_1, map),
      bpf_insn{},
      bpf::move(BPF_REG_2, BPF_REG_10),
      bpf::add(BPF_REG_2, -4),
      bpf::call(BPF_FUNC_map_lookup_elem),
      bpf::skip_if_equal(0, 1),
      bpf::add_atomically(BPF_REG_0, BPF_REG_7),
      bpf::move(BPF_REG_0, BPF_REG_7),
      bpf::leave(),
  };
}

}  // namespace

Result<bpf::ProgramWithArray> load_arrival_counter(std::size_t queues) {
  auto array = bpf::make_array(TunArrivals::kCountBytes, queues, kWhat);
  if (!array) return fail(array);
  auto program = bpf::load_program(counting_program(array->get()), kWhat);
  if (!program) return fail(program);
  return bpf::ProgramWithArray{.program = std::move(*program), .array = std::move(*array)};
}

Result<std::shared_ptr<const TunArrivals>> TunArrivals::count(int tun, std::size_t queues) {
  auto loaded = load_arrival_counter(queues);
  if (!loaded) return fail(loaded);
  return count(tun, queues, *loaded);
}

Result<std::shared_ptr<const TunArrivals>> TunArrivals::count(
    int tun, std::size_t queues, const bpf::ProgramWithArray& counter) {
  // A device before this one, which has gone, may have been counted in the same array.
  const std::size_t bytes = queues * sizeof(Count);
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, counter.array.get(), 0);
  if (memory == MAP_FAILED) return os_error(kWhat);
  std::memset(memory, 0, bytes);
  ::munmap(memory, bytes);

  auto arrivals = join(UniqueFd(::fcntl(counter.array.get(), F_DUPFD_CLOEXEC, 0)), queues);
  if (!arrivals) return fail(arrivals);
  int fd = counter.program.get();  // the device takes a reference of its own
  if (::ioctl(tun, TUNSETFILTEREBPF, &fd) < 0) return os_error(kWhat);
  return arrivals;
}

Result<std::shared_ptr<const TunArrivals>> TunArrivals::join(UniqueFd map, std::size_t queues) {
  void* memory = ::mmap(nullptr, queues * sizeof(Count), PROT_READ, MAP_SHARED, map.get(), 0);
  if (memory == MAP_FAILED) return os_error(kWhat);
  return std::shared_ptr<const TunArrivals>(
      new TunArrivals(std::move(map), {static_cast<Count*>(memory), queues}));
}

TunArrivals::~TunArrivals() {
  ::munmap(counts_.data(), counts_.size_bytes());
}

std::uint64_t TunArrivals::bytes(std::size_t queue) const {
  using Bytes = std::atomic_ref<std::uint64_t>;
  static_assert(Bytes::is_always_lock_free);  // a lock would be written to
  return Bytes(counts_[queue].bytes).load(std::memory_order_relaxed);
}

}  // namespace qdt::os
