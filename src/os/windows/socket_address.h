#pragma once

#include <array>
#include <cstring>

#include "base/ip_address.h"
#include "os/windows/system_headers.h"

namespace qdt::os {

/// A SocketAddress in Windows' form.
struct KernelAddress {
  sockaddr_storage storage{};
  int length = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

inline in_addr to_in_addr(const IpAddress& address) {
  in_addr in{};
  std::memcpy(&in, address.bytes().data(), sizeof in);
  return in;
}

/// As IPv6; an IPv4 address becomes its mapped form.
inline in6_addr to_in6_addr(const IpAddress& address) {
  in6_addr in6{};
  if (address.is_v4()) {
    in6.s6_addr[10] = in6.s6_addr[11] = 0xff;
    std::memcpy(&in6.s6_addr[12], address.bytes().data(), 4);
  } else {
    std::memcpy(&in6, address.bytes().data(), sizeof in6);
  }
  return in6;
}

inline IpAddress from_kernel(const in_addr& in) {
  std::array<std::uint8_t, 4> bytes;
  std::memcpy(bytes.data(), &in, bytes.size());
  return IpAddress::v4(bytes);
}

inline IpAddress from_kernel(const in6_addr& in6) {
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), &in6, bytes.size());
  return IpAddress::v6(bytes);
}

/// For a socket of `family`: an AF_INET6 socket takes IPv4 in its mapped form.
inline KernelAddress to_kernel(const SocketAddress& from, int family) {
  KernelAddress to;
  if (family == AF_INET) {
    auto* in = reinterpret_cast<sockaddr_in*>(&to.storage);
    in->sin_family = AF_INET;
    in->sin_port = htons(from.port);
    in->sin_addr = from.address.is_v4() ? to_in_addr(from.address) : in_addr{};
    to.length = sizeof *in;
  } else {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&to.storage);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(from.port);
    // No mapped form of the unspecified address: it stands for both kinds.
    in6->sin6_addr = from.address.is_unspecified() ? in6_addr{} : to_in6_addr(from.address);
    to.length = sizeof *in6;
  }
  return to;
}

inline SocketAddress from_kernel(const sockaddr* from) {
  if (from->sa_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(from);
    return {from_kernel(in->sin_addr), ntohs(in->sin_port)};
  }
  const auto* in6 = reinterpret_cast<const sockaddr_in6*>(from);
  return {from_kernel(in6->sin6_addr), ntohs(in6->sin6_port)};
}

/// The same with a SOCKADDR_INET, which the IP Helper API uses. Port 0.
inline SOCKADDR_INET to_sockaddr_inet(const IpAddress& address) {
  SOCKADDR_INET to{};
  if (address.is_v4()) {
    to.Ipv4.sin_family = AF_INET;
    to.Ipv4.sin_addr = to_in_addr(address);
  } else {
    to.Ipv6.sin6_family = AF_INET6;
    to.Ipv6.sin6_addr = to_in6_addr(address);
  }
  return to;
}

inline IpAddress from_kernel(const SOCKADDR_INET& from) {
  return from.si_family == AF_INET ? from_kernel(from.Ipv4.sin_addr)
                                   : from_kernel(from.Ipv6.sin6_addr);
}

}  // namespace qdt::os
