#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "os/host_control.h"
#include "os/poller.h"

namespace qdt::os {

/// The unix socket by which a running program is asked and told things (docs/control.md):
/// `/run/qdt/TUN.NAMESPACE.server.sock`, `.client.sock`. It is for root, for the user that made it,
/// and for the group `qdt` where there is one. Its file goes with the object; one that a crashed
/// program has left gives way to the next. Linux alone.
class ControlSocket {
 public:
  /// Fails with kBusy while a living program listens there.
  static Result<ControlSocket> open(const std::string& tun_name, HostPlan::Role role);
  ControlSocket(ControlSocket&& other) noexcept
      : path_(std::exchange(other.path_, "")), handle_(std::exchange(other.handle_, -1)) {}
  ControlSocket& operator=(ControlSocket&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~ControlSocket();

  /// Listens, and is the caller's to close. Once.
  PollHandle release() { return PollHandle{std::exchange(handle_, -1)}; }
  /// Leaves the file where it is, for whoever asks to see that its program has crashed.
  void leave() { path_.clear(); }

 private:
  ControlSocket(std::string path, std::intptr_t handle) : path_(std::move(path)), handle_(handle) {}
  std::string path_;
  std::intptr_t handle_ = -1;
};

/// Whether this system has them.
bool has_control_sockets();

/// A control socket as somebody finds it who wants to ask.
struct FoundSocket {
  std::string tun_name;
  std::string path;
};

/// Those of this network namespace, in alphabetical order of their TUN devices, whether or not
/// anybody listens there.
std::vector<FoundSocket> find_control_sockets(HostPlan::Role role);

}  // namespace qdt::os
