#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/ip_address.h"

namespace qdt {

/// The networks by which clients are counted where each is to have a share and no more. With IPv6
/// one customer has many addresses: at least a /64 and at most a /48 (RFC 6177). With IPv4 both
/// networks are the address.
struct ClientNetworks {
  Prefix customer;
  Prefix site;

  explicit ClientNetworks(const IpAddress& from)
      : customer(from, std::min(64, from.bit_length())),
        site(from, std::min(48, from.bit_length())) {}

  /// The most that all of the site may have together, where a customer may have `max`.
  std::size_t max_of_site(std::size_t max) const { return site == customer ? max : max + max / 2; }
};

/// A number that no other of these networks has among those of its kind. No prefix of IPv6 that is
/// in use begins with 32 bits of zeros, as the numbers of IPv4 addresses do.
inline std::uint64_t number_of(const Prefix& network) {
  const IpAddress& first = network.address();
  return first.is_v4() ? first.v4_number() : load_be<std::uint64_t>(first.bytes().data());
}

}  // namespace qdt
