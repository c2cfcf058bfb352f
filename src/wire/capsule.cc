#include "wire/capsule.h"

#include <algorithm>

namespace qdt::wire {
namespace {

/// Bytes that a value of this type may have; nothing for a type that is skipped.
std::optional<std::size_t> value_bound(std::uint64_t type) {
  switch (type) {
    case capsule::kDatagram: return kMaxDatagramCapsuleBytes;
    case capsule::kAddressAssign:
    case capsule::kAddressRequest:
    case capsule::kRouteAdvertisement: return kMaxAddressCapsuleBytes;
    case capsule::kSendRate: return kMaxVarintBytes;
    default: return std::nullopt;
  }
}

}  // namespace

Result<std::uint64_t> parse_send_rate(Bytes value) {
  const auto rate = parse_varint(value);
  if (!rate || rate->bytes != value.size())
    return fail("a rate capsule has more or less than a rate");
  return rate->value;
}

std::vector<std::uint8_t> write_send_rate(std::uint64_t bits_per_second) {
  std::vector<std::uint8_t> value;
  append_varint(value, std::min(bits_per_second, kMaxVarint));
  return value;
}

Result<std::optional<Capsule>> CapsuleReader::take(Bytes& stream) {
  if (failure_) return std::unexpected(*failure_);
  for (;;) {
    if (!is_in_value_) {
      if (!take_header(stream)) return std::nullopt;
      failure_ = begin_value();
      if (failure_) return std::unexpected(*failure_);
    }
    const std::size_t bytes = std::min<std::uint64_t>(missing_bytes_, stream.size());
    const Bytes piece = stream.first(bytes);
    stream = stream.subspan(bytes);
    missing_bytes_ -= bytes;
    const bool is_whole = held_.empty() && missing_bytes_ == 0;
    if (is_wanted_ && !is_whole) held_.insert(held_.end(), piece.begin(), piece.end());
    if (missing_bytes_ > 0) return std::nullopt;

    is_in_value_ = false;
    if (is_wanted_) return Capsule{.type = type_, .value = is_whole ? piece : Bytes(held_)};
    ++skipped_;
  }
}

// Byte by byte, since either integer may be cut. False when bytes are missing.
bool CapsuleReader::take_header(Bytes& stream) {
  while (!stream.empty()) {
    header_[header_bytes_++] = stream[0];
    stream = stream.subspan(1);
    const Bytes header = Bytes(header_).first(header_bytes_);
    const auto type = parse_varint(header);
    if (!type) continue;
    const auto length = parse_varint(header.subspan(type->bytes));
    if (!length) continue;
    type_ = type->value;
    missing_bytes_ = length->value;
    header_bytes_ = 0;
    return true;
  }
  return false;
}

std::optional<Error> CapsuleReader::begin_value() {
  const auto bound = value_bound(type_);
  const bool fits = bound && missing_bytes_ <= *bound;
  if (bound && !fits && type_ != capsule::kDatagram) {
    return Error{"the peer's capsule of type " + std::to_string(type_) + " has " +
                 std::to_string(missing_bytes_) + " bytes, above " + std::to_string(*bound)};
  }
  is_in_value_ = true;
  is_wanted_ = fits;
  // One long capsule does not bind its memory for the life of the stream.
  if (held_.capacity() > 4096) held_ = {};
  held_.clear();
  return std::nullopt;
}

void append_capsule(std::vector<std::uint8_t>& out, std::uint64_t type, Bytes value) {
  append_varint(out, type);
  append_varint(out, value.size());
  out.insert(out.end(), value.begin(), value.end());
}

}  // namespace qdt::wire
