#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/ip_address.h"
#include "base/result.h"

namespace qdt::wire {

/// An address or prefix in ADDRESS_ASSIGN or ADDRESS_REQUEST (RFC 9484 sections 4.7.1 and 4.7.2).
struct CapsuleAddress {
  /// Of the request; 0 for an address that nobody asked for.
  std::uint64_t request_id = 0;
  Prefix prefix;

  /// In an answer: this request got no address. In a request: any address will do.
  bool is_unspecified_host() const { return prefix == unspecified_host(prefix.address().is_v4()); }
  static Prefix unspecified_host(bool is_v4) {
    return Prefix::of_host(IpAddress::unspecified(is_v4));
  }
  bool operator==(const CapsuleAddress&) const = default;
};

/// An IP address range of ROUTE_ADVERTISEMENT (RFC 9484 section 4.7.3).
struct IpRange {
  IpAddress first;
  IpAddress last;             ///< of the same kind, and not below `first`
  std::uint8_t protocol = 0;  ///< of IP; 0 for all

  bool operator==(const IpRange&) const = default;
};

/// The values of the three capsules: all of a list or, with the reason, nothing. Beyond the RFC's
/// rules, IPv4-mapped IPv6 addresses are refused: nothing routes them.
Result<std::vector<CapsuleAddress>> parse_address_assign(Bytes value);
/// Refuses an empty list, an ID of 0 and one that comes twice.
Result<std::vector<CapsuleAddress>> parse_address_request(Bytes value);
/// Refuses ranges out of order, ranges that overlap, and those of one protocol over those of all.
Result<std::vector<IpRange>> parse_route_advertisement(Bytes value);

/// The inverse: a list that the functions above take.
std::vector<std::uint8_t> write_addresses(std::span<const CapsuleAddress> addresses);
std::vector<std::uint8_t> write_routes(std::span<const IpRange> ranges);

}  // namespace qdt::wire
