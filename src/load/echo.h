#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ip_address.h"
#include "base/time.h"

namespace qdt::load {

/// The smallest echo request: IPv4 and ICMP headers, and the time when it left.
inline constexpr std::size_t kMinEchoBytes = 20 + 8 + 8;

/// An ICMP echo request (RFC 792), whose data begins with the time when it leaves.
struct Echo {
  IpAddress source;  ///< IPv4, as the destination
  IpAddress destination;
  std::uint16_t id = 0;
  std::uint16_t sequence = 0;
  Timestamp sent;
};

/// Writes `echo` into all of `packet`, which has kMinEchoBytes at least.
void write_echo_request(const Echo& echo, MutableBytes packet);

/// What was asked, of the answer to it: source and destination are the answer's. Nothing for any
/// other packet.
std::optional<Echo> parse_echo_reply(Bytes packet);

}  // namespace qdt::load
