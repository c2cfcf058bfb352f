#include "os/control_socket.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <utility>

#include "os/linux/socket_address.h"
#include "os/linux/system_error.h"
#include "os/linux/undo_journal.h"
#include "os/linux/unique_fd.h"
#include "os/run_file.h"
#include "os/sandbox.h"
#include "os/stream_socket.h"

namespace qdt::os {
namespace {

// So many wait to be accepted; whoever comes then is told to try again.
constexpr int kBacklog = 128;
constexpr mode_t kMode = 0660;

std::string kind_of(HostPlan::Role role) {
  return role == HostPlan::Role::kServer ? "server.sock" : "client.sock";
}

// None: the program's own stays.
std::optional<gid_t> group_of(const char* name) {
  std::array<char, 16384> text{};
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(name, &entry, text.data(), text.size(), &found) != 0) return std::nullopt;
  return found == nullptr ? std::nullopt : std::optional(found->gr_gid);
}

// A file that nobody listens behind is a crashed program's. Two programs of one device do not get
// here at the same time: the device, and its journal, are one's alone.
Result<void> remove_left_behind(const std::string& path) {
  const auto alive = StreamConnection::connect_local(path);
  if (alive || alive.error().code == ErrorCode::kBusy) {
    return fail("listen on " + path + ": another program does", ErrorCode::kBusy);
  }
  if (alive.error().code == ErrorCode::kNotFound) return {};
  if (::unlink(path.c_str()) < 0 && errno != ENOENT) return os_error("remove " + path);
  return {};
}

}  // namespace

Result<ControlSocket> ControlSocket::open(const std::string& tun_name, HostPlan::Role role) {
  const auto path = run_file_path(tun_name, kind_of(role));
  if (!path) return fail(path);
  const std::string doing = "listen on " + *path;
  const auto address = unix_address(*path);
  if (!address) return os_error(doing, ENAMETOOLONG);
  ::mkdir(kJournalDirectory, 0755);
  if (auto ok = remove_left_behind(*path); !ok) return fail(ok);

  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return os_error(doing);
  // The file that bind(2) makes has the mode of the socket: it is never open to others.
  if (::fchmod(socket.get(), 0600) < 0) return os_error(doing);
  if (::bind(socket.get(), address->get(), address->length) < 0) return os_error(doing);
  ControlSocket opened(*path, socket.release());
  const auto group = group_of(kOwnUser);
  const bool has_group = group && ::lchown(path->c_str(), static_cast<uid_t>(-1), *group) == 0;
  if (has_group && ::chmod(path->c_str(), kMode) < 0) return os_error(doing);
  if (::listen(static_cast<int>(opened.handle_), kBacklog) < 0) return os_error(doing);
  return opened;
}

ControlSocket::~ControlSocket() {
  if (handle_ >= 0) ::close(static_cast<int>(handle_));
  if (!path_.empty()) ::unlink(path_.c_str());
}

bool has_control_sockets() {
  return true;
}

std::vector<FoundSocket> find_control_sockets(HostPlan::Role role) {
  std::vector<FoundSocket> found;
  // The name of a device with no letters: what stands behind all of them.
  const auto path = run_file_path("", kind_of(role));
  if (!path) return found;
  const std::string suffix = std::filesystem::path(*path).filename().string();
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(kJournalDirectory, error)) {
    std::string name = entry.path().filename().string();
    if (!name.ends_with(suffix) || name.size() == suffix.size()) continue;
    name.resize(name.size() - suffix.size());
    found.push_back({.tun_name = std::move(name), .path = entry.path().string()});
  }
  std::ranges::sort(found, {}, &FoundSocket::tun_name);
  return found;
}

}  // namespace qdt::os
