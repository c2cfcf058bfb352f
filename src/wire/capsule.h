#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/varint.h"

namespace qdt::wire {

/// Types of capsules that version 2 has a use for (RFC 9297 section 5.4, RFC 9484 section 12.4).
namespace capsule {
inline constexpr std::uint64_t kDatagram = 0;
inline constexpr std::uint64_t kAddressAssign = 1;
inline constexpr std::uint64_t kAddressRequest = 2;
inline constexpr std::uint64_t kRouteAdvertisement = 3;
/// QDT's own: a server asks its client to send no faster (docs/protocol.md section 3).
inline constexpr std::uint64_t kSendRate = 0x51445452;
}  // namespace capsule

/// Bytes that the value of an address or route capsule may have: 481 IPv6 ranges, 862 addresses.
inline constexpr std::size_t kMaxAddressCapsuleBytes = 16384;
/// And of a DATAGRAM capsule: a context ID, and the longest IP packet there is.
inline constexpr std::size_t kMaxDatagramCapsuleBytes = kMaxVarintBytes + 65535;

/// The value of a kSendRate capsule: inner bits a second, 0 for any number, as one integer and
/// nothing behind it.
Result<std::uint64_t> parse_send_rate(Bytes value);
std::vector<std::uint8_t> write_send_rate(std::uint64_t bits_per_second);

struct Capsule {
  std::uint64_t type;
  Bytes value;  ///< valid until the reader is called again, and as long as what it was given
};

/// Reads the capsules of one direction of a request stream (RFC 9297 section 3.2), wherever the
/// stream's frames cut them. What it holds is bounded, and only what has come. One thread.
class CapsuleReader {
 public:
  /// Takes bytes off the front of `stream`, up to the end of the first capsule of a known type, and
  /// returns that one; nothing once all bytes are taken. Capsules of other types are skipped, of
  /// whatever length, and so are DATAGRAM capsules too long for a packet (section 3.5). An error,
  /// then and for ever after, for an address or route capsule beyond its bound.
  Result<std::optional<Capsule>> take(Bytes& stream);

  /// Whether the stream may end here: a capsule that is cut short makes it malformed (section 3.3).
  bool is_between_capsules() const { return !is_in_value_ && header_bytes_ == 0 && !failure_; }
  /// Capsules skipped so far.
  std::uint64_t skipped() const { return skipped_; }

 private:
  bool take_header(Bytes& stream);
  std::optional<Error> begin_value();

  std::array<std::uint8_t, 2 * kMaxVarintBytes> header_;
  std::size_t header_bytes_ = 0;
  bool is_in_value_ = false;
  bool is_wanted_ = false;  // else its value is skipped
  std::uint64_t type_ = 0;
  std::uint64_t missing_bytes_ = 0;  // of the value
  std::vector<std::uint8_t> held_;   // of the value, when it does not come at once
  std::uint64_t skipped_ = 0;
  std::optional<Error> failure_;
};

/// Writes a capsule behind what `out` has.
void append_capsule(std::vector<std::uint8_t>& out, std::uint64_t type, Bytes value);

}  // namespace qdt::wire
