#include "support/raw_quic.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "wire/varint.h"

namespace qdt::testing {
namespace {

constexpr std::size_t kKeyBytes = 16;

// HKDF-Expand-Label (RFC 8446 section 7.1) with an empty context.
template <typename Out>
Out expand_label(const wire::HkdfSecret& secret, std::string_view label) {
  Out out;
  std::string info;
  info.push_back('\0');
  info.push_back(static_cast<char>(out.size()));
  info.push_back(static_cast<char>(6 + label.size()));
  info += "tls13 ";
  info += label;
  info.push_back('\0');
  wire::hkdf_expand(secret, info, out);
  return out;
}

// RFC 9000 appendix A.3.
std::uint64_t restore_number(std::uint64_t largest, std::uint64_t truncated, std::size_t bytes) {
  const std::uint64_t expected = largest + 1;
  const std::uint64_t window = std::uint64_t{1} << (8 * bytes);
  const std::uint64_t candidate = (expected & ~(window - 1)) | truncated;
  if (candidate + window / 2 <= expected) return candidate + window;
  if (candidate > expected + window / 2 && candidate >= window) return candidate - window;
  return candidate;
}

}  // namespace

ByteWriter& ByteWriter::varint(std::uint64_t value) {
  std::array<std::uint8_t, wire::kMaxVarintBytes> text;
  const std::size_t count = wire::write_varint(text, value & wire::kMaxVarint);
  return append(Bytes(text).first(count));
}

ByteWriter& ByteWriter::be32(std::uint32_t value) {
  std::array<std::uint8_t, 4> text;
  store_be<std::uint32_t>(text.data(), value);
  return append(text);
}

std::uint8_t ByteReader::byte() {
  const Bytes one = take(1);
  return one.empty() ? std::uint8_t{0} : one[0];
}

std::uint64_t ByteReader::varint() {
  const auto value = wire::parse_varint(rest_);
  if (!value) {
    is_short_ = true;
    rest_ = {};
    return 0;
  }
  rest_ = rest_.subspan(value->bytes);
  return value->value;
}

Bytes ByteReader::take(std::uint64_t count) {
  is_short_ |= count > rest_.size();
  const auto there = static_cast<std::size_t>(std::min<std::uint64_t>(count, rest_.size()));
  const Bytes taken = rest_.first(there);
  rest_ = rest_.subspan(there);
  return taken;
}

PacketKeys::PacketKeys(const wire::HkdfSecret& secret)
    : PacketKeys(secret, expand_label<HeaderKey>(secret, "quic hp")) {}

PacketKeys::PacketKeys(const wire::HkdfSecret& secret, const HeaderKey& header_key)
    : secret_(secret),
      header_key_(header_key),
      aead_(std::make_unique<wire::Aead>(
          wire::AeadAlgorithm::kAes128Gcm,
          expand_label<std::array<std::uint8_t, kKeyBytes>>(secret, "quic key"))),
      iv_(expand_label<wire::AeadNonce>(secret, "quic iv")),
      mask_(std::make_unique<wire::HeaderMask>(header_key_)) {}

PacketKeys PacketKeys::initial(Bytes first_id, Role sender) {
  constexpr std::array<std::uint8_t, 20> kSalt = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34,
                                                  0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8,
                                                  0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
  const wire::HkdfSecret common = wire::hkdf_extract(kSalt, first_id);
  const bool is_client = sender == Role::kClient;
  return PacketKeys(expand_label<wire::HkdfSecret>(common, is_client ? "client in" : "server in"));
}

PacketKeys PacketKeys::next() const {
  return {expand_label<wire::HkdfSecret>(secret_, "quic ku"), header_key_};
}

wire::AeadNonce PacketKeys::nonce(std::uint64_t number) const {
  wire::AeadNonce nonce = iv_;
  for (std::size_t i = 0; i < 8; ++i) {
    nonce[nonce.size() - 1 - i] ^= static_cast<std::uint8_t>(number >> (8 * i));
  }
  return nonce;
}

ByteVector PacketKeys::seal(const PacketHeader& header, Bytes frames) {
  const std::size_t number_bytes = std::clamp<std::size_t>(header.number_bytes, 1, 4);
  // The sample of header protection begins four bytes behind the beginning of the number.
  ByteVector plaintext(frames.begin(), frames.end());
  while (plaintext.size() + number_bytes < 4) plaintext.push_back(0);

  ByteWriter packet;
  const bool is_long = header.space != PacketSpace::kApplication;
  if (is_long) {
    const std::uint8_t type = header.space == PacketSpace::kInitial ? 0 : 2;
    packet.byte(0xc0u | type << 4 | (number_bytes - 1)).be32(header.version);
    packet.byte(header.destination.size()).append(header.destination);
    packet.byte(header.source.size()).append(header.source);
    if (header.space == PacketSpace::kInitial) packet.block(header.token);
    const std::uint64_t length = number_bytes + plaintext.size() + wire::kTagBytes;
    packet.byte(0x40u | (length >> 8 & 0x3f)).byte(length & 0xff);
  } else {
    packet.byte(0x40u | (header.key_phase ? 4u : 0u) | (number_bytes - 1));
    packet.append(header.destination);
  }
  packet.bytes[0] ^= header.first_byte_flip;
  const std::size_t number_at = packet.bytes.size();
  for (std::size_t i = number_bytes; i-- > 0;) packet.byte(header.number >> (8 * i) & 0xff);

  const std::size_t header_bytes = packet.bytes.size();
  packet.bytes.resize(header_bytes + plaintext.size() + wire::kTagBytes);
  const MutableBytes all(packet.bytes);
  aead_->seal(nonce(header.number), all.first(header_bytes), plaintext, all.subspan(header_bytes));

  const auto mask = mask_->of(all.subspan(number_at + 4).first<wire::HeaderMask::kSampleBytes>());
  all[0] ^= mask[0] & (is_long ? 0x0f : 0x1f);
  for (std::size_t i = 0; i < number_bytes; ++i) all[number_at + i] ^= mask[1 + i];
  return packet.bytes;
}

std::optional<PacketKeys::Opened> PacketKeys::open(Bytes packet, std::size_t number_at,
                                                   std::uint64_t largest) {
  if (packet.size() < number_at + 4 + wire::HeaderMask::kSampleBytes) return std::nullopt;
  ByteVector all(packet.begin(), packet.end());
  const auto mask =
      mask_->of(packet.subspan(number_at + 4).first<wire::HeaderMask::kSampleBytes>());
  all[0] ^= mask[0] & ((all[0] & 0x80) != 0 ? 0x0f : 0x1f);
  const std::size_t number_bytes = (all[0] & 3u) + 1;
  std::uint64_t truncated = 0;
  for (std::size_t i = 0; i < number_bytes; ++i) {
    all[number_at + i] ^= mask[1 + i];
    truncated = truncated << 8 | all[number_at + i];
  }
  const std::size_t header_bytes = number_at + number_bytes;
  if (all.size() < header_bytes + wire::kTagBytes) return std::nullopt;
  Opened opened{.number = restore_number(largest, truncated, number_bytes),
                .key_phase = (all[0] & 4) != 0,
                .frames = ByteVector(all.size() - header_bytes - wire::kTagBytes)};
  const Bytes bytes(all);
  if (!aead_->open(nonce(opened.number), bytes.first(header_bytes), bytes.subspan(header_bytes),
                   opened.frames)) {
    return std::nullopt;
  }
  return opened;
}

ByteVector retry_packet(Bytes destination, Bytes source, Bytes token, Bytes original_id) {
  constexpr std::array<std::uint8_t, kKeyBytes> kKey = {0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66,
                                                        0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54,
                                                        0xe3, 0x68, 0xc8, 0x4e};
  constexpr wire::AeadNonce kNonce = {0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63,
                                      0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb};
  ByteWriter packet;
  packet.byte(0xff).be32(1);
  packet.byte(destination.size()).append(destination);
  packet.byte(source.size()).append(source);
  packet.append(token);
  ByteWriter pseudo;
  pseudo.byte(original_id.size()).append(original_id).append(packet.bytes);
  std::array<std::uint8_t, wire::kTagBytes> tag;
  wire::Aead(wire::AeadAlgorithm::kAes128Gcm, kKey).seal(kNonce, pseudo.bytes, {}, tag);
  packet.append(tag);
  return packet.bytes;
}

}  // namespace qdt::testing
