#include "quic/path.h"

#include <bit>
#include <cstring>

namespace qdt::quic {
namespace {

std::uint16_t network_order(std::uint16_t port) {
  return std::endian::native == std::endian::little ? std::byteswap(port) : port;
}

ngtcp2_addr to_engine(const SocketAddress& from, ngtcp2_sockaddr_union& to) {
  std::memset(&to, 0, sizeof to);
  const Bytes bytes = from.address.bytes();
  if (from.address.is_v4()) {
    to.in.sin_family = NGTCP2_AF_INET;
    to.in.sin_port = network_order(from.port);
    std::memcpy(&to.in.sin_addr, bytes.data(), bytes.size());
    return {&to.sa, sizeof to.in};
  }
  to.in6.sin6_family = NGTCP2_AF_INET6;
  to.in6.sin6_port = network_order(from.port);
  std::memcpy(&to.in6.sin6_addr, bytes.data(), bytes.size());
  return {&to.sa, sizeof to.in6};
}

SocketAddress from_engine(const ngtcp2_addr& from) {
  if (from.addr->sa_family == NGTCP2_AF_INET) {
    ngtcp2_sockaddr_in in;
    std::memcpy(&in, from.addr, sizeof in);
    std::array<std::uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &in.sin_addr, bytes.size());
    return {IpAddress::v4(bytes), network_order(in.sin_port)};
  }
  ngtcp2_sockaddr_in6 in6;
  std::memcpy(&in6, from.addr, sizeof in6);
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), &in6.sin6_addr, bytes.size());
  return {IpAddress::v6(bytes), network_order(in6.sin6_port)};
}

}  // namespace

EnginePath::EnginePath(const UdpPath& path)
    : path_{.local = to_engine(path.local, local_),
            .remote = to_engine(path.remote, remote_),
            .user_data = nullptr} {}

UdpPath from_engine(const ngtcp2_path& path) {
  return {from_engine(path.local), from_engine(path.remote)};
}

}  // namespace qdt::quic
