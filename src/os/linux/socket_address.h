#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <optional>
#include <string>

#include "base/ip_address.h"

namespace qdt::os {

/// A SocketAddress in the kernel's form.
struct KernelAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

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
    in6->sin6_addr = to_in6_addr(from.address);
    to.length = sizeof *in6;
  }
  return to;
}

/// The address of a unix socket; nothing where the path is too long for one (unix(7)).
inline std::optional<KernelAddress> unix_address(const std::string& path) {
  KernelAddress to;
  auto* local = reinterpret_cast<sockaddr_un*>(&to.storage);
  if (path.size() >= sizeof local->sun_path) return std::nullopt;
  local->sun_family = AF_UNIX;
  std::memcpy(static_cast<char*>(local->sun_path), path.data(), path.size());
  to.length = sizeof *local;
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

}  // namespace qdt::os
