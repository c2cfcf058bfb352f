#include "os/host_watch.h"

#include <linux/netconf.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <span>

#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

constexpr std::array kRouteGroups = {
    RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR,  RTNLGRP_IPV6_IFADDR,
    RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,   RTNLGRP_IPV4_RULE,
    RTNLGRP_IPV6_RULE,  RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF};

// A notice is lost where the socket is full, which is a notice, too. So little memory is enough.
constexpr int kReceiveBytes = 65536;

UniqueFd open_socket(int protocol) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  sockaddr_nl any{};
  any.nl_family = AF_NETLINK;
  if (!fd.is_open() || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) < 0) {
    return {};
  }
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBytes, sizeof kReceiveBytes);
  return fd;
}

bool join(const UniqueFd& fd, int group) {
  return ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0;
}

void drain(const UniqueFd& fd) {
  std::array<char, 16384> buffer;
  // A flood must not hold us here: what is left is a notice again.
  for (int reads = 0; fd.is_open() && reads < 64; ++reads) {
    const ssize_t bytes = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_TRUNC);
    if (bytes < 0 && (errno == EINTR || errno == ENOBUFS)) continue;
    if (bytes <= 0) return;
  }
}

}  // namespace

// Both sockets behind one descriptor that a poller can watch: an epoll instance is one.
struct HostWatch::State {
  UniqueFd routes;
  UniqueFd tables;
  UniqueFd both;
};

HostWatch::HostWatch(std::unique_ptr<State> state) : state_(std::move(state)) {}
HostWatch::HostWatch(HostWatch&&) noexcept = default;
HostWatch& HostWatch::operator=(HostWatch&&) noexcept = default;
HostWatch::~HostWatch() = default;

Result<HostWatch> HostWatch::open() {
  auto state = std::make_unique<State>();
  state->both.reset(::epoll_create1(EPOLL_CLOEXEC));
  state->routes = open_socket(NETLINK_ROUTE);
  if (!state->both.is_open() || !state->routes.is_open()) {
    return os_error("ask the kernel to report changes of the network");
  }
  for (const int group : kRouteGroups) {
    if (!join(state->routes, group)) {
      return os_error("ask the kernel to report changes of the network");
    }
  }
  // A kernel without nftables has none to report; the look every two seconds remains.
  state->tables = open_socket(NETLINK_NETFILTER);
  if (state->tables.is_open() && !join(state->tables, NFNLGRP_NFTABLES)) state->tables.reset();

  for (const UniqueFd* socket : {&state->routes, &state->tables}) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (!socket->is_open()) continue;
    if (::epoll_ctl(state->both.get(), EPOLL_CTL_ADD, socket->get(), &event) < 0) {
      return os_error("watch a descriptor");
    }
  }
  return HostWatch(std::move(state));
}

PollHandle HostWatch::poll_handle() const {
  return PollHandle{state_->both.get()};
}

void HostWatch::take() {
  drain(state_->routes);
  drain(state_->tables);
}

}  // namespace qdt::os
