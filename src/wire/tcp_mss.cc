#include "wire/tcp_mss.h"

#include <algorithm>
#include <cassert>
#include <optional>

namespace qdt::wire {
namespace {

constexpr std::uint8_t kEndOfOptions = 0;
constexpr std::uint8_t kNoOperation = 1;
constexpr std::uint8_t kMaxSegmentSize = 2;
constexpr std::size_t kMaxSegmentSizeBytes = 4;

// Where the option's value is; nothing where the options make no sense.
std::optional<std::size_t> find_mss(Bytes options) {
  for (std::size_t at = 0; at < options.size();) {
    const std::uint8_t kind = options[at];
    if (kind == kEndOfOptions) return std::nullopt;
    if (kind == kNoOperation) {
      ++at;
      continue;
    }
    if (at + 1 >= options.size()) return std::nullopt;
    const std::size_t bytes = options[at + 1];
    if (bytes < 2 || at + bytes > options.size()) return std::nullopt;
    if (kind == kMaxSegmentSize) {
      return bytes == kMaxSegmentSizeBytes ? std::optional(at + 2) : std::nullopt;
    }
    at += bytes;
  }
  return std::nullopt;
}

std::uint16_t swapped(std::uint16_t word) {
  return static_cast<std::uint16_t>(word << 8 | word >> 8);
}

// RFC 1624, equation 3.
std::uint16_t updated(std::uint16_t checksum, std::uint16_t before, std::uint16_t after) {
  const auto complement = [](std::uint16_t word) { return static_cast<std::uint16_t>(~word); };
  return Checksum().add(complement(checksum)).add(complement(before)).add(after).finish();
}

}  // namespace

bool clamp_mss(MutableBytes packet, const IpPacket& ip, std::size_t mtu) {
  assert(packet.size() == ip.bytes.size());
  const auto transport = find_transport(ip);
  if (!transport || !transport->is_tcp) return false;
  const std::size_t headers = (ip.is_v4() ? kIpv4HeaderBytes : kIpv6HeaderBytes) + kTcpHeaderBytes;
  if (mtu <= headers) return false;
  const std::size_t options_at = transport->start + kTcpHeaderBytes;
  const auto found = find_mss(packet.subspan(options_at, transport->header_bytes - options_at));
  if (!found) return false;

  const std::size_t at = options_at + *found;
  const auto limit = static_cast<std::uint16_t>(std::min<std::size_t>(mtu - headers, 0xffff));
  const std::uint16_t mss = load_be<std::uint16_t>(&packet[at]);
  if (mss <= limit) return false;
  store_be<std::uint16_t>(&packet[at], limit);

  // At an odd place its bytes are in two of the words that the checksum adds, and swapped.
  const bool is_odd = (at - transport->start) % 2 != 0;
  const std::size_t checksum_at = transport->start + kTcpChecksum;
  const std::uint16_t checksum = load_be<std::uint16_t>(&packet[checksum_at]);
  store_be<std::uint16_t>(&packet[checksum_at], updated(checksum, is_odd ? swapped(mss) : mss,
                                                        is_odd ? swapped(limit) : limit));
  return true;
}

}  // namespace qdt::wire
