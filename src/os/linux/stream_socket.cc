#include "os/stream_socket.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include "os/clock.h"
#include "os/linux/socket_address.h"
#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

constexpr int kBacklog = 64;

int fd(std::intptr_t handle) {
  return static_cast<int>(handle);
}

void close_handle(std::intptr_t handle) {
  if (handle >= 0) ::close(fd(handle));
}

// Waits for one of `events`; 0 at the deadline, else what poll(2) reports.
short wait_for(std::intptr_t handle, short events, Timestamp deadline) {
  pollfd waiting{.fd = fd(handle), .events = events, .revents = 0};
  while (true) {
    const Duration left = std::max(deadline - now(), Duration::zero());
    // Rounded up, so that a deadline less than a millisecond away is not polled for in a loop.
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(ms, INT_MAX)));
    if (ready > 0) return waiting.revents;
    if (ready < 0 && errno != EINTR) return POLLERR;
    if (now() >= deadline) return 0;
  }
}

}  // namespace

Result<StreamConnection> StreamConnection::connect(const SocketAddress& address,
                                                   Timestamp deadline) {
  const std::string doing = "connect to " + address.to_string();
  const int family = address.address.is_v4() ? AF_INET : AF_INET6;
  UniqueFd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return os_error(doing);

  const KernelAddress to = to_kernel(address, family);
  if (::connect(socket.get(), to.get(), to.length) == 0) {
    return StreamConnection(socket.release(), address.address);
  }
  if (errno != EINPROGRESS) return os_error(doing);
  if (wait_for(socket.get(), POLLOUT, deadline) == 0) return os_error(doing, ETIMEDOUT);

  int error = 0;
  socklen_t error_bytes = sizeof error;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &error_bytes);
  if (error != 0) return os_error(doing, error);
  return StreamConnection(socket.release(), address.address);
}

Result<StreamConnection> StreamConnection::connect_local(const std::string& path) {
  const std::string doing = "connect to " + path;
  const auto to = unix_address(path);
  if (!to) return os_error(doing, ENAMETOOLONG);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return os_error(doing);
  if (::connect(socket.get(), to->get(), to->length) < 0) return os_error(doing);
  return StreamConnection(socket.release(), IpAddress());
}

StreamConnection::StreamConnection(StreamConnection&& other) noexcept
    : handle_(std::exchange(other.handle_, -1)), peer_(other.peer_) {}

StreamConnection& StreamConnection::operator=(StreamConnection&& other) noexcept {
  if (this != &other) {
    close_handle(handle_);
    handle_ = std::exchange(other.handle_, -1);
    peer_ = other.peer_;
  }
  return *this;
}

StreamConnection::~StreamConnection() {
  close_handle(handle_);
}

std::optional<std::size_t> StreamConnection::read(MutableBytes out, Timestamp deadline) {
  while (wait_for(handle_, POLLIN, deadline) != 0) {
    const ssize_t bytes = ::recv(fd(handle_), out.data(), out.size(), MSG_DONTWAIT);
    if (bytes >= 0) return static_cast<std::size_t>(bytes);
    if (errno != EAGAIN && errno != EINTR) return std::nullopt;
  }
  return std::nullopt;
}

bool StreamConnection::write(Bytes bytes, Timestamp deadline) {
  while (!bytes.empty()) {
    const ssize_t sent =
        ::send(fd(handle_), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN || wait_for(handle_, POLLOUT, deadline) == 0) return false;
  }
  return true;
}

bool StreamConnection::wait(Timestamp deadline) {
  return wait_for(handle_, POLLRDHUP, deadline) == 0;
}

void StreamConnection::end_writing() {
  ::shutdown(fd(handle_), SHUT_WR);
}

void StreamConnection::shut_down() {
  ::shutdown(fd(handle_), SHUT_RDWR);
}

std::uint64_t StreamConnection::progress() const {
  tcp_info info{};
  socklen_t bytes = sizeof info;
  ::getsockopt(fd(handle_), IPPROTO_TCP, TCP_INFO, &info, &bytes);
  return info.tcpi_bytes_received + info.tcpi_bytes_acked;
}

std::optional<std::uint32_t> StreamConnection::peer_user() const {
  ucred peer{};
  socklen_t bytes = sizeof peer;
  const bool is_known =
      ::getsockopt(fd(handle_), SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 && peer.pid != 0;
  return is_known ? std::optional(peer.uid) : std::nullopt;
}

int StreamConnection::duplicate() const {
  return ::fcntl(fd(handle_), F_DUPFD_CLOEXEC, 0);
}

Result<StreamListener> StreamListener::open(const SocketAddress& address) {
  const int family = address.address.is_v4() ? AF_INET : AF_INET6;
  UniqueFd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return os_error(address.to_string());

  // Lets a restart take over from connections in TIME_WAIT; unlike SO_REUSEPORT, not a port that
  // somebody listens on.
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) {
    const int v6_only = 0;
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
  }

  const KernelAddress local = to_kernel(address, family);
  if (::bind(socket.get(), local.get(), local.length) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    return os_error(address.to_string());
  }
  return StreamListener(socket.release());
}

StreamListener::StreamListener(StreamListener&& other) noexcept
    : handle_(std::exchange(other.handle_, -1)) {}

StreamListener& StreamListener::operator=(StreamListener&& other) noexcept {
  if (this != &other) {
    close_handle(handle_);
    handle_ = std::exchange(other.handle_, -1);
  }
  return *this;
}

StreamListener::~StreamListener() {
  close_handle(handle_);
}

Result<std::optional<StreamConnection>> StreamListener::accept() {
  KernelAddress from;
  from.length = sizeof from.storage;
  const int accepted = ::accept4(fd(handle_), from.get(), &from.length, SOCK_CLOEXEC);
  if (accepted >= 0) {
    const bool is_local = from.get()->sa_family == AF_UNIX;
    return StreamConnection(accepted, is_local ? IpAddress() : from_kernel(from.get()).address);
  }
  const bool is_short_of_resources =
      errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
  if (is_short_of_resources) return os_error("accept a connection");
  return std::nullopt;  // any other error passes (accept(2), ERRORS)
}

SocketAddress StreamListener::address() const {
  KernelAddress local;
  local.length = sizeof local.storage;
  ::getsockname(fd(handle_), local.get(), &local.length);
  return from_kernel(local.get());
}

}  // namespace qdt::os
