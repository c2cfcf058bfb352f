#include "quic/settings_reader.h"

namespace qdt::quic {
namespace {

constexpr std::uint64_t kControlStream = 0x00;
constexpr std::uint64_t kSettingsFrame = 0x04;
constexpr std::uint64_t kEnableConnectProtocol = 0x08;

}  // namespace

void SettingsReader::receive(Bytes bytes) {
  for (const std::uint8_t byte : bytes) {
    if (part_ == Part::kDone) return;
    // A varint (RFC 9000 section 16): its first byte has its length.
    if (missing_bytes_ == 0) {
      integer_bytes_ = static_cast<std::uint8_t>(1 << (byte >> 6));
      missing_bytes_ = integer_bytes_;
      integer_ = byte & 0x3f;
    } else {
      integer_ = integer_ << 8 | byte;
    }
    if (--missing_bytes_ == 0) take(integer_, integer_bytes_);
  }
}

void SettingsReader::take(std::uint64_t value, std::size_t bytes) {
  const auto go_on_if = [this](bool goes_on, Part next) { part_ = goes_on ? next : Part::kDone; };
  switch (part_) {
    case Part::kStreamType: return go_on_if(value == kControlStream, Part::kFrameType);
    case Part::kFrameType: return go_on_if(value == kSettingsFrame, Part::kLength);
    case Part::kLength: left_ = value; return go_on_if(left_ > 0, Part::kId);
    case Part::kId:
    case Part::kValue: break;
    case Part::kDone: return;
  }
  const bool is_within = bytes <= left_;
  left_ -= is_within ? bytes : left_;
  if (part_ == Part::kId) {
    id_ = value;
    return go_on_if(left_ > 0, Part::kValue);
  }
  if (is_within && id_ == kEnableConnectProtocol) takes_extended_connect_ = value == 1;
  go_on_if(left_ > 0, Part::kId);
}

}  // namespace qdt::quic
