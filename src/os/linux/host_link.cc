#include "os/linux/host_link.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "os/linux/host_message.h"
#include "os/linux/system_error.h"

namespace qdt::os {
namespace {

constexpr const char* kTalk = "talk to the process that changes this host's network";

// The descriptors of a message, owned from here on, whether they are wanted or not.
std::vector<UniqueFd> take_descriptors(const msghdr& header) {
  std::vector<UniqueFd> taken;
  for (const cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(const_cast<msghdr*>(&header), const_cast<cmsghdr*>(control))) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(control) + i * sizeof fd, sizeof fd);
      taken.emplace_back(fd);
    }
  }
  return taken;
}

}  // namespace

Result<std::pair<HostLink, HostLink>> HostLink::make_pair() {
  std::array<int, 2> both{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, both.data()) < 0) {
    return os_error("make a socket pair");
  }
  return std::pair(HostLink(UniqueFd(both[0])), HostLink(UniqueFd(both[1])));
}

Result<void> HostLink::send(Bytes message, std::span<const int> descriptors) {
  iovec piece{const_cast<std::uint8_t*>(message.data()), message.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxHostDescriptors * sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  if (descriptors.size() > kMaxHostDescriptors) return fail("pass on too many descriptors");
  if (!descriptors.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  while (::sendmsg(fd(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno == EINTR) continue;
    if (errno == EPIPE || errno == ECONNRESET) has_ended_ = true;
    return os_error(kTalk);
  }
  return {};
}

std::optional<HostParcel> HostLink::receive(Wait wait, bool takes_descriptors) {
  HostParcel parcel;
  parcel.bytes.resize(kMaxHostMessageBytes);
  iovec piece{parcel.bytes.data(), parcel.bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxHostDescriptors * sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  if (takes_descriptors) {  // without room for them the kernel keeps them
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
  const int flags = MSG_CMSG_CLOEXEC | (wait == Wait::kNone ? MSG_DONTWAIT : 0);
  ssize_t bytes = 0;
  do {
    bytes = ::recvmsg(fd(), &header, flags);
  } while (bytes < 0 && errno == EINTR);
  if (bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
  if (bytes > 0) parcel.descriptors = take_descriptors(header);
  if (bytes <= 0 || (header.msg_flags & MSG_TRUNC) != 0) {
    has_ended_ = true;
    return std::nullopt;
  }
  parcel.bytes.resize(static_cast<std::size_t>(bytes));
  return parcel;
}

}  // namespace qdt::os
