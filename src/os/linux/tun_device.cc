#include "os/tun_device.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "os/linux/system_error.h"
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

std::unexpected<Error> explain_create(const std::string& name) {
  const std::string what = "create TUN device " + name;
  if (errno == EBUSY) {
    return fail(what + ": the name is in use; stop the other program or choose another tun_name");
  }
  if (errno == EINVAL && ::if_nametoindex(name.c_str()) != 0) {
    return fail(what +
                ": a network interface of this name exists and is no TUN device of this "
                "kind; choose another tun_name");
  }
  return os_error(what);
}

}  // namespace

struct TunQueue::State {
  UniqueFd fd;
};

TunQueue::TunQueue(std::unique_ptr<State> state) : state_(std::move(state)) {}
TunQueue::TunQueue(TunQueue&&) noexcept = default;
TunQueue& TunQueue::operator=(TunQueue&&) noexcept = default;
TunQueue::~TunQueue() = default;

PollHandle TunQueue::poll_handle() const {
  return PollHandle{state_->fd.get()};
}

std::size_t TunQueue::read(PacketBatch& batch) {
  std::size_t packets = 0;
  while (batch.has_room(kMaxPacketBytes)) {
    const MutableBytes slot = batch.reserve(kMaxPacketBytes);
    const ssize_t bytes = ::read(state_->fd.get(), slot.data(), slot.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) break;
    batch.commit(static_cast<std::size_t>(bytes));
    ++packets;
  }
  return packets;
}

std::size_t TunQueue::write(const PacketBatch& batch) {
  std::size_t refused = 0;
  for (const Bytes packet : batch) {
    ssize_t bytes = 0;
    do {
      bytes = ::write(state_->fd.get(), packet.data(), packet.size());
    } while (bytes < 0 && errno == EINTR);
    if (bytes < 0) ++refused;  // the device is down, or out of memory
  }
  return refused;
}

Result<TunDevice> TunDevice::open(const std::string& name, std::size_t queues) {
  TunDevice device{.name = name, .queues = {}};
  for (std::size_t i = 0; i < queues; ++i) {
    UniqueFd fd(::open(kControlDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!fd.is_open()) return explain_open();

    ifreq request{};
    device.name.copy(request.ifr_name, sizeof request.ifr_name - 1);
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    if (queues > 1) request.ifr_flags |= IFF_MULTI_QUEUE;
    if (::ioctl(fd.get(), TUNSETIFF, &request) < 0) return explain_create(device.name);
    device.name = request.ifr_name;  // a pattern has become a name

    auto state = std::make_unique<TunQueue::State>();
    state->fd = std::move(fd);
    device.queues.push_back(TunQueue(std::move(state)));
  }
  return device;
}

bool is_tun_up(const std::string& name) {
  const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  name.copy(request.ifr_name, sizeof request.ifr_name - 1);
  return ::ioctl(fd.get(), SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
}

}  // namespace qdt::os
