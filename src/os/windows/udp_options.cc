#include "os/windows/udp_options.h"

#include <string>

#include "os/windows/outside.h"
#include "os/windows/socket_address.h"
#include "os/windows/system_error.h"
#include "os/windows/udp_control.h"

namespace qdt::os {
namespace {

// mswsock.h of newer kits.
constexpr DWORD kIgnoreNetReset = IOC_IN | IOC_VENDOR | 15;  // SIO_UDP_NETRESET
// The most that may be joined (65,535 bytes less the UDP header).
constexpr DWORD kMaxJoinedBytes = 65527;

template <typename Value>
bool set_option(SOCKET socket, int level, int name, const Value& value) {
  return ::setsockopt(socket, level, name, reinterpret_cast<const char*>(&value), sizeof value) ==
         0;
}

std::string last_error_text() {
  return windows_text(static_cast<DWORD>(::WSAGetLastError()));
}

// QUIC finds the path MTU itself: never fragment, and believe no ICMP (RFC 8899 section 3).
void forbid_fragments(SOCKET socket, int level) {
  const DWORD on = 1;
  const DWORD probe = kPathMtuProbe;
  if (set_option(socket, level, kIpMtuDiscover, probe)) return;
  // IPV6_DONTFRAG has the same number.
  set_option(socket, level, IP_DONTFRAGMENT, on);
}

// Windows 10 before 2004 gives no marks. The number is also that of the message.
bool take_marks(SOCKET socket, int level) {
  const DWORD on = 1;
  if (set_option(socket, level, kIpEcn, on)) return true;
  set_option(socket, level, IP_RECVTOS, on);  // IPV6_RECVTCLASS has the same number
  return false;
}

}  // namespace

bool apply_udp_options(SOCKET socket, int family, const UdpSocket::Options& options) {
  const DWORD on = 1;
  const int size = static_cast<int>(options.buffer_bytes);
  set_option(socket, SOL_SOCKET, SO_RCVBUF, size);
  set_option(socket, SOL_SOCKET, SO_SNDBUF, size);
  // An ICMP error says nothing that QUIC would not find out, and would end a receive.
  BOOL is_told = FALSE;
  DWORD bytes = 0;
  for (const DWORD request : {static_cast<DWORD>(SIO_UDP_CONNRESET), kIgnoreNetReset}) {
    ::WSAIoctl(socket, request, &is_told, sizeof is_told, nullptr, 0, &bytes, nullptr, nullptr);
  }

  if (family == AF_INET6) {
    const bool takes_both = options.local.address.is_unspecified() && !options.remote;
    const DWORD v6_only = takes_both ? 0 : 1;
    set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, v6_only);
    set_option(socket, IPPROTO_IPV6, IPV6_PKTINFO, on);
    forbid_fragments(socket, IPPROTO_IPV6);
  }
  // IPv4 options count on an IPv6 socket too: they are for its IPv4 peers.
  set_option(socket, IPPROTO_IP, IP_PKTINFO, on);
  forbid_fragments(socket, IPPROTO_IP);
  const bool has_v6_marks = family != AF_INET6 || take_marks(socket, IPPROTO_IPV6);
  return take_marks(socket, IPPROTO_IP) && has_v6_marks;
}

Result<void> bind_udp(SOCKET socket, int family, const UdpSocket::Options& options) {
  // Nobody else takes the port from under us, as SO_REUSEADDR would let them.
  const DWORD on = 1;
  if (options.local.port != 0) set_option(socket, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, on);
  const KernelAddress local = to_kernel(options.local, family);
  if (::bind(socket, local.get(), local.length) == 0) return {};

  const int error = ::WSAGetLastError();
  const std::string where = "bind UDP " + options.local.to_string();
  if (error == WSAEADDRINUSE || error == WSAEACCES) {
    return fail(where +
                ": the port is in use or reserved; stop the other program (netstat -abn -p udp "
                "shows it) or choose another addr");
  }
  if (error == WSAEADDRNOTAVAIL) {
    return fail(where + ": no interface of this host has this address; use :" +
                std::to_string(options.local.port) + " for all of them");
  }
  return windows_error(where, static_cast<DWORD>(error));
}

bool can_cut(SOCKET socket, Logger& logger) {
  DWORD size = 0;
  int bytes = sizeof size;
  if (::getsockopt(socket, IPPROTO_UDP, kUdpSendMessageSize, reinterpret_cast<char*>(&size),
                   &bytes) == 0) {
    return true;
  }
  logger.warning("this Windows has no UDP_SEND_MSG_SIZE (" + last_error_text() +
                 "); payloads are sent one by one, which is slower");
  return false;
}

bool join_arrivals(SOCKET socket, Logger& logger) {
  if (set_option(socket, IPPROTO_UDP, kUdpReceiveCoalesced, kMaxJoinedBytes)) return true;
  logger.warning("this Windows has no UDP_RECV_MAX_COALESCED_SIZE (" + last_error_text() +
                 "); payloads are received one by one, which is slower");
  return false;
}

void stay_outside(SOCKET socket, const SocketAddress& remote) {
  const auto way = way_outside(remote.address);
  if (!way) return;
  // IPv4's is in network order, IPv6's is not.
  if (remote.address.is_v4()) {
    set_option(socket, IPPROTO_IP, IP_UNICAST_IF, htonl(way->interface_index));
  } else {
    set_option(socket, IPPROTO_IPV6, IPV6_UNICAST_IF, static_cast<DWORD>(way->interface_index));
  }
}

}  // namespace qdt::os
