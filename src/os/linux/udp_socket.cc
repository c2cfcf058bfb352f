#include "os/udp_socket.h"

#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "os/linux/socket_address.h"
#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

// The most that UDP_GRO joins, and the largest UDP payload there is.
constexpr std::size_t kReceiveBytes = 65536;
constexpr std::size_t kControlBytes = 256;
constexpr std::size_t kMaxMessages = 32;

template <typename Value>
bool set_option(int fd, int level, int name, const Value& value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// Appends control messages to a buffer of fixed size.
class ControlWriter {
 public:
  explicit ControlWriter(msghdr& message) : message_(message) { message_.msg_controllen = 0; }

  template <typename Value>
  void add(int level, int type, const Value& value) {
    auto* header = reinterpret_cast<cmsghdr*>(static_cast<char*>(message_.msg_control) +
                                              message_.msg_controllen);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(CMSG_DATA(header), &value, sizeof value);
    message_.msg_controllen += CMSG_SPACE(sizeof value);
  }

 private:
  msghdr& message_;
};

template <typename Value>
Value read_control(const cmsghdr* header) {
  Value value{};
  const std::size_t bytes = header->cmsg_len - CMSG_LEN(0);
  std::memcpy(&value, CMSG_DATA(header), std::min(bytes, sizeof value));
  return value;
}

}  // namespace

// --- receiving ---

struct UdpReceiveBatch::Messages {
  std::unique_ptr<std::uint8_t[]> memory =
      std::make_unique_for_overwrite<std::uint8_t[]>(kMaxBursts * kReceiveBytes);
  std::array<mmsghdr, kMaxBursts> headers{};
  std::array<iovec, kMaxBursts> pieces{};
  std::array<sockaddr_storage, kMaxBursts> addresses{};
  alignas(cmsghdr) std::array<std::array<char, kControlBytes>, kMaxBursts> controls{};

  void reset(std::size_t i) {
    msghdr& header = headers[i].msg_hdr;
    header.msg_name = &addresses[i];
    header.msg_namelen = sizeof addresses[i];
    header.msg_control = controls[i].data();
    header.msg_controllen = controls[i].size();
  }
};

UdpReceiveBatch::UdpReceiveBatch() : messages_(std::make_unique<Messages>()) {
  for (std::size_t i = 0; i < kMaxBursts; ++i) {
    messages_->pieces[i] = {&messages_->memory[i * kReceiveBytes], kReceiveBytes};
    messages_->headers[i].msg_hdr.msg_iov = &messages_->pieces[i];
    messages_->headers[i].msg_hdr.msg_iovlen = 1;
    messages_->reset(i);
  }
}

UdpReceiveBatch::~UdpReceiveBatch() = default;

// --- the socket ---

struct UdpSocket::State {
  UniqueFd fd;
  int family = AF_INET6;
  SocketAddress local;
  bool is_connected = false;
  UdpOffloads offloads;  // in use
  bool has_lost_gro = false;
  Logger* logger = nullptr;

  void read_message(const mmsghdr& message, UdpBurst& burst) const;
  void write_message(const UdpBurst& burst, Bytes bytes, msghdr& message) const;
  std::size_t prepare(std::span<UdpBurst> bursts);

  // Scratch for sending, so that nothing is allocated per call.
  std::array<mmsghdr, kMaxMessages> headers{};
  std::array<iovec, kMaxMessages> pieces{};
  std::array<KernelAddress, kMaxMessages> names{};
  alignas(cmsghdr) std::array<std::array<char, kControlBytes>, kMaxMessages> controls{};
};

namespace {

// The options that QUIC needs of a socket. An option that an old kernel lacks only costs speed.
void apply_options(int fd, int family, const UdpSocket::Options& options) {
  const int on = 1;
  const int size = static_cast<int>(options.buffer_bytes);
  for (const auto& [forced, plain] :
       {std::pair{SO_RCVBUFFORCE, SO_RCVBUF}, std::pair{SO_SNDBUFFORCE, SO_SNDBUF}}) {
    if (!set_option(fd, SOL_SOCKET, forced, size)) set_option(fd, SOL_SOCKET, plain, size);
  }
  // IPv4 options count on an IPv6 socket too: they are for its IPv4 peers.
  set_option(fd, IPPROTO_IP, IP_PKTINFO, on);
  set_option(fd, IPPROTO_IP, IP_RECVTOS, on);
  // QUIC finds the path MTU itself: never fragment, and believe no ICMP (RFC 8899 section 3).
  set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  if (family == AF_INET6) {
    set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, on);
    set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, on);
    set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
  }
}

// Linux 5.0 and later.
bool join_arrivals(int fd, Logger& logger) {
  const int on = 1;
  if (set_option(fd, IPPROTO_UDP, UDP_GRO, on)) return true;
  logger.warning("this kernel refuses UDP_GRO (" + errno_text(errno) +
                 "); payloads are received one by one, which is slower");
  return false;
}

int family_for(const UdpSocket::Options& options) {
  const IpAddress& address = options.remote ? options.remote->address : options.local.address;
  return address.is_v4() ? AF_INET : AF_INET6;
}

Result<void> bind_socket(int fd, int family, const UdpSocket::Options& options) {
  const int on = 1;
  if (family == AF_INET6) {
    const bool takes_both = options.local.address.is_unspecified() && !options.remote;
    set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, takes_both ? 0 : 1);
  }
  if (options.is_shared && !set_option(fd, SOL_SOCKET, SO_REUSEPORT, on)) {
    return os_error("share UDP port " + std::to_string(options.local.port) + " between shards");
  }
  if (options.mark != 0 && !set_option(fd, SOL_SOCKET, SO_MARK, options.mark)) {
    return os_error("mark the tunnel's own packets");
  }

  const KernelAddress local = to_kernel(options.local, family);
  if (::bind(fd, local.get(), local.length) < 0) {
    const std::string where = "bind UDP " + options.local.to_string();
    if (errno == EADDRINUSE) {
      return fail(where +
                  ": the port is in use; stop the other program (ss -lunp shows it) or "
                  "choose another addr");
    }
    if (errno == EACCES) {
      return fail(where + ": not permitted; ports below 1024 need root or CAP_NET_BIND_SERVICE");
    }
    if (errno == EADDRNOTAVAIL) {
      return fail(where + ": no interface of this host has this address; use :" +
                  std::to_string(options.local.port) + " for all of them");
    }
    return os_error(where);
  }
  return {};
}

Result<void> connect_socket(int fd, int family, const SocketAddress& remote) {
  const KernelAddress address = to_kernel(remote, family);
  if (::connect(fd, address.get(), address.length) < 0) {
    return os_error("reach " + remote.to_string());
  }
  return {};
}

}  // namespace

Result<UdpSocket> UdpSocket::open(const Options& options, Logger& logger) {
  auto state = std::make_unique<State>();
  state->logger = &logger;
  state->family = family_for(options);
  state->fd.reset(::socket(state->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const bool has_no_ipv6 = !state->fd.is_open() && errno == EAFNOSUPPORT &&
                           options.local.address.is_unspecified() && !options.remote;
  if (has_no_ipv6) {
    state->family = AF_INET;
    state->fd.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  }
  if (!state->fd.is_open()) return os_error("create a UDP socket");

  apply_options(state->fd.get(), state->family, options);
  if (auto ok = bind_socket(state->fd.get(), state->family, options); !ok) return fail(ok);
  if (options.remote) {
    auto ok = connect_socket(state->fd.get(), state->family, *options.remote);
    if (!ok) return fail(ok);
    state->is_connected = true;
  }
  state->offloads = options.offloads;
  if (options.offloads.gro && !join_arrivals(state->fd.get(), logger)) {
    state->offloads.gro = false;
    state->has_lost_gro = true;
  }

  KernelAddress local;
  local.length = sizeof local.storage;
  if (::getsockname(state->fd.get(), local.get(), &local.length) < 0) {
    return os_error("read a UDP socket's address");
  }
  state->local = from_kernel(local.get());
  return UdpSocket(std::move(state));
}

UdpSocket::UdpSocket(std::unique_ptr<State> state) : state_(std::move(state)) {}
UdpSocket::UdpSocket(UdpSocket&&) noexcept = default;
UdpSocket& UdpSocket::operator=(UdpSocket&&) noexcept = default;
UdpSocket::~UdpSocket() = default;

Result<void> UdpSocket::connect(const SocketAddress& remote) {
  auto ok = connect_socket(state_->fd.get(), state_->family, remote);
  if (!ok) return fail(ok);
  state_->is_connected = true;
  return {};
}

SocketAddress UdpSocket::local_address() const {
  return state_->local;
}
bool UdpSocket::has_lost_gro() const {
  return state_->has_lost_gro;
}
PollHandle UdpSocket::poll_handle() const {
  return PollHandle{state_->fd.get()};
}

void UdpSocket::receive(UdpReceiveBatch& batch) {
  UdpReceiveBatch::Messages& messages = *batch.messages_;
  for (std::size_t i = 0; i < batch.received_; ++i) messages.reset(i);
  batch.count_ = batch.received_ = 0;

  int received = 0;
  do {
    received = ::recvmmsg(state_->fd.get(), messages.headers.data(), UdpReceiveBatch::kMaxBursts,
                          MSG_DONTWAIT, nullptr);
    // A connected socket reports an ICMP error once, before it reads on.
  } while (received < 0 && (errno == EINTR || errno == ECONNREFUSED));
  if (received <= 0) return;

  batch.received_ = static_cast<std::size_t>(received);
  for (std::size_t i = 0; i < batch.received_; ++i) {
    const mmsghdr& message = messages.headers[i];
    const bool was_cut = (message.msg_hdr.msg_flags & MSG_TRUNC) != 0;
    if (message.msg_len == 0 || was_cut) continue;
    UdpBurst& burst = batch.bursts_[batch.count_++];
    burst.bytes = {&messages.memory[i * kReceiveBytes], message.msg_len};
    state_->read_message(message, burst);
  }
}

void UdpSocket::State::read_message(const mmsghdr& message, UdpBurst& burst) const {
  burst.path = {.local = local,
                .remote = from_kernel(static_cast<const sockaddr*>(message.msg_hdr.msg_name))};
  burst.ecn = Ecn::kNotEct;
  burst.segment_bytes = burst.bytes.size();

  auto* header = const_cast<msghdr*>(&message.msg_hdr);
  for (const cmsghdr* control = CMSG_FIRSTHDR(header); control != nullptr;
       control = CMSG_NXTHDR(header, const_cast<cmsghdr*>(control))) {
    const auto is = [&](int level, int type) {
      return control->cmsg_level == level && control->cmsg_type == type;
    };
    if (is(IPPROTO_IP, IP_PKTINFO)) {
      burst.path.local.address = from_kernel(read_control<in_pktinfo>(control).ipi_addr);
    } else if (is(IPPROTO_IPV6, IPV6_PKTINFO)) {
      burst.path.local.address = from_kernel(read_control<in6_pktinfo>(control).ipi6_addr);
    } else if (is(IPPROTO_IP, IP_TOS)) {
      burst.ecn = static_cast<Ecn>(read_control<std::uint8_t>(control) & 3);
    } else if (is(IPPROTO_IPV6, IPV6_TCLASS)) {
      burst.ecn = static_cast<Ecn>(read_control<int>(control) & 3);
    } else if (is(IPPROTO_UDP, UDP_GRO)) {
      burst.segment_bytes = static_cast<std::size_t>(read_control<int>(control));
    }
  }
}

// Describes `bytes` of `burst`, which are one payload, or several of its segment size.
void UdpSocket::State::write_message(const UdpBurst& burst, Bytes bytes, msghdr& message) const {
  message.msg_iov->iov_base = const_cast<std::uint8_t*>(bytes.data());
  message.msg_iov->iov_len = bytes.size();
  message.msg_iovlen = 1;

  ControlWriter control(message);
  const bool is_v4 = burst.path.remote.address.is_v4();
  if (!is_connected && !burst.path.local.address.is_unspecified()) {
    // Answer from the address that was asked: a host may have several.
    if (is_v4) {
      in_pktinfo info{};
      info.ipi_spec_dst = to_in_addr(burst.path.local.address);
      control.add(IPPROTO_IP, IP_PKTINFO, info);
    } else {
      in6_pktinfo info{};
      info.ipi6_addr = to_in6_addr(burst.path.local.address);
      control.add(IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
  }
  if (burst.ecn != Ecn::kNotEct) {
    const int mark = static_cast<int>(burst.ecn);
    if (is_v4) {
      control.add(IPPROTO_IP, IP_TOS, mark);
    } else {
      control.add(IPPROTO_IPV6, IPV6_TCLASS, mark);
    }
  }
  if (bytes.size() > burst.segment_bytes) {
    control.add(IPPROTO_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(burst.segment_bytes));
  }
  if (message.msg_controllen == 0) message.msg_control = nullptr;
}

// Fills `headers` with as many messages as fit and returns how many: a burst each, or, without
// UDP_SEGMENT, a payload each of the first burst.
std::size_t UdpSocket::State::prepare(std::span<UdpBurst> bursts) {
  std::size_t count = 0;
  const auto add = [&](const UdpBurst& burst, Bytes bytes) {
    msghdr& message = headers[count].msg_hdr;
    message = {};
    message.msg_iov = &pieces[count];
    message.msg_control = controls[count].data();
    if (!is_connected) {
      names[count] = to_kernel(burst.path.remote, family);
      message.msg_name = names[count].get();
      message.msg_namelen = names[count].length;
    }
    write_message(burst, bytes, message);
    ++count;
  };
  if (offloads.gso) {
    for (const UdpBurst& burst : bursts.first(std::min(bursts.size(), kMaxMessages))) {
      add(burst, burst.bytes);
    }
    return count;
  }
  const UdpBurst& first = bursts.front();
  for (Bytes rest = first.bytes; !rest.empty() && count < kMaxMessages;) {
    const std::size_t bytes = std::min(first.segment_bytes, rest.size());
    add(first, rest.first(bytes));
    rest = rest.subspan(bytes);
  }
  return count;
}

UdpSocket::SendResult UdpSocket::send(UdpSendQueue& queue) {
  SendResult result;
  State& state = *state_;
  // Takes the first `count` messages that prepare() made off the queue; returns their payloads.
  const auto take_off = [&](std::size_t count) {
    std::size_t payloads = 0;
    if (state.offloads.gso) {
      for (const UdpBurst& burst : queue.bursts().first(count)) payloads += burst.payload_count();
      queue.pop(count);
      return payloads;
    }
    UdpBurst& first = queue.bursts().front();
    const std::size_t bytes = std::min(count * first.segment_bytes, first.bytes.size());
    first.bytes = first.bytes.subspan(bytes);
    if (first.bytes.empty()) queue.pop(1);
    return count;
  };

  while (!queue.empty()) {
    const std::size_t count = state.prepare(queue.bursts());
    const int sent =
        ::sendmmsg(state.fd.get(), state.headers.data(), static_cast<unsigned>(count), 0);
    if (sent > 0) {
      result.sent_payloads += take_off(static_cast<std::size_t>(sent));
      result.calls += static_cast<std::size_t>(sent);
      continue;
    }
    if (errno == EINTR || errno == ECONNREFUSED) continue;
    if (errno == EAGAIN) {
      result.is_blocked = true;
      return result;
    }
    const int error = errno;
    const bool was_segmented = state.offloads.gso && queue.bursts().front().payload_count() > 1;
    if (was_segmented && (error == EIO || error == EINVAL)) {
      // A device or kernel that cannot: EIO without checksum offload (Linux 4.18 to 6.2). But
      // EINVAL is also a source address that has just gone; then no payload passes alone either.
      state.offloads.gso = false;
      const auto alone = static_cast<unsigned>(state.prepare(queue.bursts()));
      const int passed = ::sendmmsg(state.fd.get(), state.headers.data(), alone, 0);
      if (passed > 0) {
        result.sent_payloads += take_off(static_cast<std::size_t>(passed));
        result.calls += static_cast<std::size_t>(passed);
        result.has_lost_gso = true;
        state.logger->warning("this kernel or network device refuses UDP_SEGMENT (" +
                              errno_text(error) +
                              "); payloads are sent one by one, which is slower");
        continue;
      }
      state.offloads.gso = true;
    }
    // EMSGSIZE is how a path MTU probe fails; no route, a firewall: QUIC sees a loss.
    result.refused_payloads += take_off(1);
  }
  return result;
}

}  // namespace qdt::os
