#include "os/tun_device.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>

#include "base/packet_batch.h"
#include "os/linux/system_error.h"
#include "os/linux/tun_arrivals.h"
#include "os/linux/tun_parts.h"
#include "os/linux/tun_programs.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

constexpr const char* kControlDevice = "/dev/net/tun";

std::unexpected<Error> explain_open() {
  const std::string what = std::string("open ") + kControlDevice;
  if (errno == ENOENT) {
    return fail(what +
                ": it does not exist; load the module (modprobe tun), or pass the device "
                "to the container (--device /dev/net/tun)");
  }
  if (errno == EACCES) return fail(what + ": permission denied; run as root");
  return os_error(what);
}

std::unexpected<Error> explain_create(const std::string& name, bool has_queues) {
  const std::string what = "create TUN device " + name;
  if (errno == EBUSY) {
    return fail(what + ": the name is in use; stop the other program or choose another tun_name");
  }
  if (errno == EINVAL && ::if_nametoindex(name.c_str()) != 0) {
    return fail(what +
                ": a network interface of this name exists and is no TUN device of this "
                "kind; choose another tun_name" +
                (has_queues ? ", or set send_workers: 1 for a device without multi_queue" : ""));
  }
  return os_error(what);
}

// Since Linux 6.2; Debian 12's headers are older than many kernels that run beneath it.
constexpr unsigned kTunUso4 = 0x20;
constexpr unsigned kTunUso6 = 0x40;

// linux/virtio_net.h, which is not C++: what stands before every packet, in the host's byte order.
struct VirtioHeader {
  std::uint8_t flags;
  std::uint8_t gso_type;
  std::uint16_t header_bytes;
  std::uint16_t gso_size;
  std::uint16_t checksum_start;
  std::uint16_t checksum_offset;
};
static_assert(sizeof(VirtioHeader) == 10);
constexpr std::uint8_t kNeedsChecksum = 1;
constexpr std::uint8_t kGsoNone = 0;
constexpr std::uint8_t kGsoTcp4 = 1;
constexpr std::uint8_t kGsoTcp6 = 4;
constexpr std::uint8_t kGsoUdp = 5;  // VIRTIO_NET_HDR_GSO_UDP_L4, not the older UFO
constexpr std::uint8_t kGsoEcn = 0x80;

constexpr unsigned kTcpOffloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
constexpr unsigned kUdpOffloads = kTunUso4 | kTunUso6;

Offload to_offload(const VirtioHeader& header) {
  Offload offload{.needs_checksum = (header.flags & kNeedsChecksum) != 0,
                  .has_cwr = (header.gso_type & kGsoEcn) != 0,
                  .segment_bytes = header.gso_size,
                  .header_bytes = header.header_bytes,
                  .checksum_start = header.checksum_start,
                  .checksum_offset = header.checksum_offset};
  switch (header.gso_type & ~kGsoEcn) {
    case kGsoNone: offload.kind = Offload::Kind::kNone; break;
    case kGsoTcp4: offload.kind = Offload::Kind::kTcp4; break;
    case kGsoTcp6: offload.kind = Offload::Kind::kTcp6; break;
    case kGsoUdp: offload.kind = Offload::Kind::kUdp; break;
    default: offload.kind = Offload::Kind::kUnknown; break;
  }
  return offload;
}

VirtioHeader to_header(const Offload& offload) {
  VirtioHeader header{};
  if (offload.needs_checksum) header.flags = kNeedsChecksum;
  switch (offload.kind) {
    case Offload::Kind::kNone:
    case Offload::Kind::kUnknown: header.gso_type = kGsoNone; break;
    case Offload::Kind::kTcp4: header.gso_type = kGsoTcp4; break;
    case Offload::Kind::kTcp6: header.gso_type = kGsoTcp6; break;
    case Offload::Kind::kUdp: header.gso_type = kGsoUdp; break;
  }
  if (offload.has_cwr) header.gso_type |= kGsoEcn;
  header.header_bytes = offload.header_bytes;
  header.gso_size = offload.segment_bytes;
  header.checksum_start = offload.checksum_start;
  header.checksum_offset = offload.checksum_offset;
  return header;
}

iovec to_iovec(Bytes bytes) {
  return {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
}

// Asks the kernel for super-packets, and for as little as it grants.
TunOffloads enable_offloads(int fd, std::string& refusal) {
  if (::ioctl(fd, TUNSETOFFLOAD, kTcpOffloads | kUdpOffloads) == 0) {
    return {.has_tcp = true, .has_udp = true};
  }
  if (::ioctl(fd, TUNSETOFFLOAD, kTcpOffloads) == 0) {
    refusal = "this kernel has no UDP offloads for TUN devices (Linux 6.2 has)";
    return {.has_tcp = true};
  }
  refusal = "this kernel has no offloads for TUN devices: " + errno_text(errno);
  return {};
}

}  // namespace

struct TunQueue::State {
  /// Packets that are larger (BIG TCP) are nothing that IP can carry through a tunnel.
  static constexpr std::size_t kBufferBytes = 65536;

  UniqueFd fd;
  TunOffloads offloads;
  std::size_t index = 0;
  std::shared_ptr<const TunArrivals> arrivals;  // null: nobody counts
  std::uint64_t gone_bytes = 0;                 // of those that have arrived: read, or lost
  bool has_gone = false;
  std::unique_ptr<std::uint8_t[]> buffer =
      std::make_unique_for_overwrite<std::uint8_t[]>(kBufferBytes);

  std::uint64_t arrived_bytes() const { return arrivals ? arrivals->bytes(index) : 0; }
};

TunQueue::TunQueue(std::unique_ptr<State> state) : state_(std::move(state)) {}
TunQueue::TunQueue(TunQueue&&) noexcept = default;
TunQueue& TunQueue::operator=(TunQueue&&) noexcept = default;
TunQueue::~TunQueue() = default;

PollHandle TunQueue::poll_handle() const {
  return PollHandle{state_->fd.get()};
}

bool TunQueue::has_gone() const {
  return state_->has_gone;
}

TunOffloads TunQueue::offloads() const {
  return state_->offloads;
}

std::size_t TunQueue::waiting_bytes() const {
  const std::uint64_t arrived = state_->arrived_bytes();
  return arrived - std::min(arrived, state_->gone_bytes);
}

bool TunQueue::read(SuperPacket& packet) {
  const std::uint64_t arrived = state_->arrived_bytes();
  VirtioHeader header{};
  const std::array<iovec, 2> pieces = {iovec{&header, sizeof header},
                                       iovec{state_->buffer.get(), State::kBufferBytes}};
  ssize_t bytes = 0;
  do {
    bytes = ::readv(state_->fd.get(), pieces.data(), pieces.size());
  } while (bytes < 0 && errno == EINTR);
  if (bytes < static_cast<ssize_t>(sizeof header)) {
    // Those that found no room have gone, too.
    if (bytes < 0 && errno == EAGAIN) state_->gone_bytes = arrived;
    // Deleted (EBADFD; EFAULT to a read that was under way), and not to come back to this queue.
    if (bytes < 0 && (errno == EBADFD || errno == EFAULT)) state_->has_gone = true;
    return false;
  }
  packet = {.bytes = {state_->buffer.get(), static_cast<std::size_t>(bytes) - sizeof header},
            .offload = to_offload(header)};
  state_->gone_bytes += packet.bytes.size();
  return true;
}

std::size_t TunQueue::write(std::span<const GatheredPacket> packets) {
  std::size_t refused = 0;
  for (const GatheredPacket& packet : packets) {
    VirtioHeader header = to_header(packet.offload);
    std::array<iovec, 2 + PacketBatch::kMaxPackets> pieces;
    std::size_t count = 0;
    pieces[count++] = {&header, sizeof header};
    pieces[count++] = to_iovec(packet.first);
    assert(packet.payloads.size() + count <= pieces.size());
    for (const Bytes payload : packet.payloads) pieces[count++] = to_iovec(payload);

    ssize_t bytes = 0;
    do {
      bytes = ::writev(state_->fd.get(), pieces.data(), static_cast<int>(count));
    } while (bytes < 0 && errno == EINTR);
    if (bytes < 0) refused += packet.packet_count();  // the device is down, or out of memory
  }
  return refused;
}

Result<TunDevice> TunDevice::open(const Options& options, Logger& logger) {
  TunDevice device{.name = options.name, .queues = {}};
  std::string refusal;
  for (std::size_t i = 0; i < options.queues; ++i) {
    UniqueFd fd(::open(kControlDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!fd.is_open()) return explain_open();

    ifreq request{};
    device.name.copy(request.ifr_name, sizeof request.ifr_name - 1);
    request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
    if (options.queues > 1) request.ifr_flags |= IFF_MULTI_QUEUE;
    if (::ioctl(fd.get(), TUNSETIFF, &request) < 0)
      return explain_create(device.name, options.queues > 1);
    device.name = request.ifr_name;  // a pattern has become a name

    // The settings are the device's; each queue makes the same ones.
    int header_bytes = sizeof(VirtioHeader);
    if (::ioctl(fd.get(), TUNSETVNETHDRSZ, &header_bytes) < 0) {
      return os_error("set up TUN device " + device.name);
    }
    auto state = std::make_unique<TunQueue::State>();
    if (options.use_offloads) {
      state->offloads = enable_offloads(fd.get(), refusal);
    } else {
      ::ioctl(fd.get(), TUNSETOFFLOAD, 0);  // of a device that was there before
    }
    state->fd = std::move(fd);
    state->index = i;
    device.queues.push_back(TunQueue(std::move(state)));
  }
  if (!refusal.empty()) logger.info("TUN device " + device.name + ": " + refusal);
  const int first = device.queues.front().state_->fd.get();
  if (auto arrivals = options.programs
                          ? TunArrivals::count(first, options.queues, options.programs->counter)
                          : TunArrivals::count(first, options.queues)) {
    for (const TunQueue& queue : device.queues) queue.state_->arrivals = *arrivals;
  } else {
    logger.info(arrivals.error().message + "; a queue that stands there will not be shortened");
  }
  return device;
}

TunFacts TunParts::facts(const TunDevice& device) {
  const TunQueue::State& first = *device.queues.front().state_;
  return {.name = device.name,
          .offloads = first.offloads,
          .queues = static_cast<std::uint8_t>(device.queues.size()),
          .counts_arrivals = first.arrivals != nullptr};
}

std::vector<int> TunParts::descriptors(const TunDevice& device) {
  std::vector<int> all;
  for (const TunQueue& queue : device.queues) all.push_back(queue.state_->fd.get());
  const auto& arrivals = device.queues.front().state_->arrivals;
  if (arrivals) all.push_back(arrivals->map());
  return all;
}

Result<TunDevice> TunParts::join(const TunFacts& facts, std::vector<UniqueFd> descriptors) {
  const std::size_t queues = facts.queues;
  if (queues == 0 || descriptors.size() != queues + (facts.counts_arrivals ? 1 : 0)) {
    return fail("TUN device " + facts.name + ": its queues have not come");
  }
  std::shared_ptr<const TunArrivals> arrivals;
  if (facts.counts_arrivals) {
    auto joined = TunArrivals::join(std::move(descriptors.back()), queues);
    if (!joined) return fail(joined);
    arrivals = std::move(*joined);
  }
  TunDevice device{.name = facts.name, .queues = {}};
  for (std::size_t i = 0; i < queues; ++i) {
    auto state = std::make_unique<TunQueue::State>();
    state->fd = std::move(descriptors[i]);
    state->offloads = facts.offloads;
    state->index = i;
    state->arrivals = arrivals;
    device.queues.push_back(TunQueue(std::move(state)));
  }
  return device;
}

}  // namespace qdt::os
