#include "os/linux/tun_arrivals.h"

#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <string>
#include <utility>

#include "os/linux/bpf.h"
#include "os/linux/system_error.h"

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

Result<std::shared_ptr<const TunArrivals>> TunArrivals::count(int tun, std::size_t queues) {
  bpf_attr request{};
  request.map_type = BPF_MAP_TYPE_ARRAY;
  request.key_size = sizeof(std::uint32_t);
  request.value_size = sizeof(Count);
  request.max_entries = static_cast<std::uint32_t>(queues);
  request.map_flags = BPF_F_MMAPABLE;
  auto map = bpf::call_kernel(BPF_MAP_CREATE, request, kWhat);
  if (!map) return fail(map);
  auto arrivals = join(std::move(*map), queues);
  if (!arrivals) return fail(arrivals);

  auto program = bpf::load_program(counting_program((*arrivals)->map()), kWhat);
  if (!program) return fail(program);
  int fd = program->get();  // the device takes a reference of its own
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
