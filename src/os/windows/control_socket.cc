#include "os/control_socket.h"

#include <utility>

namespace qdt::os {

// A client tells its status by a file here (os/status_file.h).

Result<ControlSocket> ControlSocket::open(const std::string&, HostPlan::Role) {
  return fail("there are no control sockets on Windows");
}

ControlSocket::ControlSocket(ControlSocket&& other) noexcept
    : path_(std::exchange(other.path_, "")), handle_(std::exchange(other.handle_, -1)) {}

ControlSocket& ControlSocket::operator=(ControlSocket&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(handle_, other.handle_);
  return *this;
}

ControlSocket::~ControlSocket() = default;

PollHandle ControlSocket::release() {
  return PollHandle{std::exchange(handle_, -1)};
}

bool has_control_sockets() {
  return false;
}

std::vector<FoundSocket> find_control_sockets(HostPlan::Role) {
  return {};
}

}  // namespace qdt::os
