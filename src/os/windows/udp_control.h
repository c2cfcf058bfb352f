#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/udp_burst.h"
#include "os/windows/system_headers.h"

namespace qdt::os {

// Newer than mingw-w64's headers (ws2ipdef.h, ws2tcpip.h): Windows 10 2004 and later.
inline constexpr int kUdpSendMessageSize = 2;   // UDP_SEND_MSG_SIZE
inline constexpr int kUdpReceiveCoalesced = 3;  // UDP_RECV_MAX_COALESCED_SIZE
inline constexpr int kUdpCoalescedInfo = 3;     // UDP_COALESCED_INFO
inline constexpr int kIpEcn = 50;               // IP_ECN, IPV6_ECN, and the options of that number
inline constexpr int kIpMtuDiscover = 71;       // IP_MTU_DISCOVER, IPV6_MTU_DISCOVER
inline constexpr int kPathMtuProbe = 3;         // IP_PMTUDISC_PROBE

/// Room for all control messages of one WSASendMsg or WSARecvMsg.
inline constexpr std::size_t kControlBytes = 256;
using ControlBuffer = std::array<char, kControlBytes>;

/// The control data of a payload, or several of one size, beside its bytes.
struct SendControl {
  std::optional<IpAddress> source;  ///< leave from this address
  bool is_v4 = true;                ///< the remote is
  Ecn ecn = Ecn::kNotEct;
  std::uint32_t segment_bytes = 0;  ///< cut at this stride; 0: one payload
};

/// Writes it into `to`, which is aligned as WSACMSGHDR, and returns how many bytes of it.
std::size_t write_control(const SendControl& control, ControlBuffer& to);

/// The control data of a received message.
struct ReceivedControl {
  std::optional<IpAddress> local;  ///< the address that it was sent to
  Ecn ecn = Ecn::kNotEct;
  std::size_t segment_bytes = 0;  ///< of each of several payloads that were joined; 0: one payload
};

ReceivedControl read_control(const WSAMSG& message);

}  // namespace qdt::os
