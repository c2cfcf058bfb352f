#include "linkem/port.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace qdt::linkem {
namespace {

constexpr std::size_t kVirtioHeaderBytes = 10;
constexpr std::size_t kMaxFrameBytes = 2048;
constexpr std::size_t kBatch = 64;
constexpr int kSocketBufferBytes = 16 << 20;
constexpr int kIgnoreOutgoing = 23;  // PACKET_IGNORE_OUTGOING, Linux 4.20

[[noreturn]] void fail(const std::string& doing) {
  std::fprintf(stderr, "qdt_linkem: %s: %s\n", doing.c_str(), std::strerror(errno));
  std::exit(1);
}

void set(int descriptor, int level, int option, int value, const char* name) {
  if (setsockopt(descriptor, level, option, &value, sizeof value) < 0) fail(name);
}

}  // namespace

Port::Port(const std::string& interface) {
  const unsigned index = if_nametoindex(interface.c_str());
  if (index == 0) fail("find interface " + interface);
  descriptor_ = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor_ < 0) fail("make a packet socket");
  set(descriptor_, SOL_PACKET, PACKET_VNET_HDR, 1, "ask for virtio headers");
  set(descriptor_, SOL_PACKET, kIgnoreOutgoing, 1, "ignore what goes out");
  set(descriptor_, SOL_SOCKET, SO_RCVBUFFORCE, kSocketBufferBytes, "set the receive buffer");
  set(descriptor_, SOL_SOCKET, SO_SNDBUFFORCE, kSocketBufferBytes, "set the send buffer");
  const sockaddr_ll address{.sll_family = AF_PACKET,
                            .sll_protocol = htons(ETH_P_ALL),
                            .sll_ifindex = static_cast<int>(index)};
  const packet_mreq promiscuous{.mr_ifindex = static_cast<int>(index),
                                .mr_type = PACKET_MR_PROMISC};
  if (setsockopt(descriptor_, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous) <
          0 ||
      bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    fail("listen at " + interface);
  }
}

Port::~Port() {
  close(descriptor_);
}

bool Port::receive(std::vector<Frame>& frames) {
  static std::array<std::array<std::uint8_t, kMaxFrameBytes>, kBatch> buffers;
  std::array<iovec, kBatch> pieces;
  std::array<mmsghdr, kBatch> messages{};
  for (std::size_t i = 0; i < kBatch; ++i) {
    pieces[i] = {buffers[i].data(), kMaxFrameBytes};
    messages[i].msg_hdr.msg_iov = &pieces[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  const int count = recvmmsg(descriptor_, messages.data(), kBatch, MSG_DONTWAIT, nullptr);
  for (int i = 0; i < count; ++i) {
    const auto& [header, bytes] = messages[static_cast<std::size_t>(i)];
    if ((header.msg_flags & MSG_TRUNC) != 0) {
      std::fprintf(stderr,
                   "qdt_linkem: a frame of more than %zu bytes: switch the offloads of both hosts' "
                   "interfaces off (ethtool -K IF tso off gso off gro off)\n",
                   kMaxFrameBytes);
      std::exit(1);
    }
    const auto& buffer = buffers[static_cast<std::size_t>(i)];
    frames.emplace_back(buffer.begin(), buffer.begin() + bytes);
  }
  return count > 0;
}

void Port::send(std::span<const Frame> frames) {
  std::array<iovec, kBatch> pieces;
  std::array<mmsghdr, kBatch> messages{};
  while (!frames.empty()) {
    const std::size_t count = std::min(frames.size(), kBatch);
    for (std::size_t i = 0; i < count; ++i) {
      pieces[i] = {const_cast<std::uint8_t*>(frames[i].data()), frames[i].size()};
      messages[i].msg_hdr.msg_iov = &pieces[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int sent = sendmmsg(descriptor_, messages.data(), static_cast<unsigned>(count), 0);
    frames = frames.subspan(static_cast<std::size_t>(std::max(sent, 1)));
  }
}

std::size_t Port::packet_bytes(const Frame& frame) {
  return frame.size() - std::min(frame.size(), kVirtioHeaderBytes + std::size_t{ETH_HLEN});
}

}  // namespace qdt::linkem
