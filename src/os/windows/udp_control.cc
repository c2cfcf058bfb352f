#include "os/windows/udp_control.h"

#include <algorithm>
#include <cstring>

#include "os/windows/socket_address.h"

namespace qdt::os {
namespace {

// Appends control messages to a buffer of fixed size.
class ControlWriter {
 public:
  explicit ControlWriter(ControlBuffer& to) : to_(to) {}

  template <typename Value>
  void add(int level, int type, const Value& value) {
    auto* header = reinterpret_cast<WSACMSGHDR*>(to_.data() + used_);
    *header = {};
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = WSA_CMSG_LEN(sizeof value);
    std::memcpy(WSA_CMSG_DATA(header), &value, sizeof value);
    used_ += WSA_CMSG_SPACE(sizeof value);
  }
  std::size_t used() const { return used_; }

 private:
  ControlBuffer& to_;
  std::size_t used_ = 0;
};

template <typename Value>
Value value_of(WSACMSGHDR* header) {
  Value value{};
  const std::size_t bytes = header->cmsg_len - WSA_CMSG_LEN(0);
  std::memcpy(&value, WSA_CMSG_DATA(header), std::min(bytes, sizeof value));
  return value;
}

}  // namespace

std::size_t write_control(const SendControl& control, ControlBuffer& to) {
  ControlWriter writer(to);
  // A socket for both kinds takes the messages of the remote's.
  const int level = control.is_v4 ? IPPROTO_IP : IPPROTO_IPV6;
  if (control.source) {
    if (control.is_v4) {
      writer.add(level, IP_PKTINFO, IN_PKTINFO{.ipi_addr = to_in_addr(*control.source)});
    } else {
      writer.add(level, IPV6_PKTINFO, IN6_PKTINFO{.ipi6_addr = to_in6_addr(*control.source)});
    }
  }
  if (control.ecn != Ecn::kNotEct) writer.add(level, kIpEcn, static_cast<int>(control.ecn));
  if (control.segment_bytes > 0) {
    writer.add(IPPROTO_UDP, kUdpSendMessageSize, static_cast<DWORD>(control.segment_bytes));
  }
  return writer.used();
}

ReceivedControl read_control(const WSAMSG& message) {
  ReceivedControl received;
  auto* whole = const_cast<WSAMSG*>(&message);
  for (WSACMSGHDR* header = WSA_CMSG_FIRSTHDR(whole); header != nullptr;
       header = WSA_CMSG_NXTHDR(whole, header)) {
    if (header->cmsg_len < WSA_CMSG_LEN(0)) break;
    const auto is = [&](int level, int type) {
      return header->cmsg_level == level && header->cmsg_type == type;
    };
    if (is(IPPROTO_IP, IP_PKTINFO)) {
      received.local = from_kernel(value_of<IN_PKTINFO>(header).ipi_addr);
    } else if (is(IPPROTO_IPV6, IPV6_PKTINFO)) {
      received.local = from_kernel(value_of<IN6_PKTINFO>(header).ipi6_addr);
    } else if (is(IPPROTO_IP, kIpEcn) || is(IPPROTO_IPV6, kIpEcn) || is(IPPROTO_IP, IP_TOS) ||
               is(IPPROTO_IPV6, IPV6_TCLASS)) {
      received.ecn = static_cast<Ecn>(value_of<int>(header) & 3);
    } else if (is(IPPROTO_UDP, kUdpCoalescedInfo)) {
      received.segment_bytes = value_of<DWORD>(header);
    }
  }
  return received;
}

}  // namespace qdt::os
