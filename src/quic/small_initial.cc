#include "quic/small_initial.h"

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "wire/aead.h"
#include "wire/header_mask.h"
#include "wire/hkdf.h"

namespace qdt::quic {
namespace {

// Long header, fixed bit, type Initial, a packet number of one byte.
constexpr std::uint8_t kInitial = 0xc0;
constexpr std::uint8_t kFormAndType = 0xf0;
constexpr std::uint8_t kPing = 0x01;
// RFC 9001 section 5.2.
constexpr std::array<std::uint8_t, 20> kInitialSalt = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34,
                                                       0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8,
                                                       0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};

template <std::size_t kBytes>
std::array<std::uint8_t, kBytes> expand(const wire::HkdfSecret& secret, std::string_view label) {
  std::array<std::uint8_t, kBytes> out;
  wire::hkdf_expand_label(secret, label, out);
  return out;
}

// The keys of a client's Initial packets to the ID that it made up (RFC 9001 section 5.2).
struct InitialKeys {
  explicit InitialKeys(Bytes to)
      : InitialKeys(expand<wire::kSha256Bytes>(wire::hkdf_extract(kInitialSalt, to), "client in")) {
  }
  explicit InitialKeys(const wire::HkdfSecret& secret)
      : aead(wire::AeadAlgorithm::kAes128Gcm, expand<16>(secret, "quic key")),
        iv(expand<wire::kAeadNonceBytes>(secret, "quic iv")),
        header_mask(expand<wire::HeaderMask::kKeyBytes>(secret, "quic hp")) {}

  wire::AeadNonce nonce(std::uint32_t number) const {
    wire::AeadNonce nonce = iv;
    for (std::size_t i = 0; i < sizeof number; ++i) {
      nonce[nonce.size() - 1 - i] ^= static_cast<std::uint8_t>(number >> (8 * i));
    }
    return nonce;
  }

  wire::Aead aead;
  wire::AeadNonce iv;
  wire::HeaderMask header_mask;
};

// RFC 9001 section 5.4: the sample is where ciphertext would begin after four bytes of number.
constexpr std::size_t kSampleAt = 4;

// Whether `packet`, whose number begins at `number_at`, is an authentic one of a client.
bool is_authentic(Bytes packet, std::size_t number_at, Bytes to) {
  constexpr std::size_t kLeast = kSampleAt + wire::HeaderMask::kSampleBytes;
  std::array<std::uint8_t, kLeastInitialBytes> copy;
  if (packet.size() > copy.size() || packet.size() < number_at + kLeast) return false;
  append(copy, packet);
  InitialKeys keys(to);
  const auto mask = keys.header_mask.of(
      packet.subspan(number_at + kSampleAt).first<wire::HeaderMask::kSampleBytes>());
  copy[0] ^= mask[0] & 0x0f;
  const std::size_t number_bytes = 1 + (copy[0] & 0x03);
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < number_bytes; ++i) {
    copy[number_at + i] ^= mask[1 + i];
    number = number << 8 | copy[number_at + i];
  }
  const std::size_t sealed_at = number_at + number_bytes;
  std::array<std::uint8_t, kLeastInitialBytes> frames;
  const Bytes sealed = packet.subspan(sealed_at);
  return keys.aead.open(keys.nonce(number), Bytes(copy).first(sealed_at), sealed,
                        MutableBytes(frames).first(sealed.size() - wire::kTagBytes));
}

}  // namespace

void write_small_initial(const ConnectionId& to, const ConnectionId& from, std::uint8_t number,
                         std::span<std::uint8_t, kSmallInitialBytes> out) {
  // Everything but the frames; the packet's length has two bytes.
  const std::size_t header_bytes = 1 + 4 + 2 + to.bytes().size() + from.bytes().size() + 1 + 2 + 1;
  const std::size_t sealed_bytes = out.size() - header_bytes;
  out[0] = kInitial;
  store_be<std::uint32_t>(&out[1], NGTCP2_PROTO_VER_V1);
  MutableBytes rest = append_id(append_id(MutableBytes(out).subspan(5), to), from);
  rest[0] = 0;  // no token
  store_be<std::uint16_t>(&rest[1], static_cast<std::uint16_t>(0x4000 | (1 + sealed_bytes)));
  rest[3] = number;

  InitialKeys keys(to.bytes());
  const MutableBytes sealed = MutableBytes(out).last(sealed_bytes);
  const MutableBytes frames = sealed.first(sealed_bytes - wire::kTagBytes);
  std::ranges::fill(frames, std::uint8_t{0});
  frames[0] = kPing;
  keys.aead.seal(keys.nonce(number), Bytes(out).first(header_bytes), frames, sealed);

  const auto mask = keys.header_mask.of(
      Bytes(rest).subspan(3 + kSampleAt).first<wire::HeaderMask::kSampleBytes>());
  out[0] ^= mask[0] & 0x0f;
  rest[3] ^= mask[1];
}

std::size_t write_small_answer(Bytes question, MutableBytes out) {
  if (question.empty() || question.size() >= kLeastInitialBytes) return 0;
  ngtcp2_pkt_hd header;
  const ngtcp2_ssize number_at =
      ngtcp2_pkt_decode_hd_long(&header, question.data(), question.size());
  const bool is_initial = number_at > 0 && header.type == NGTCP2_PKT_INITIAL &&
                          header.version == NGTCP2_PROTO_VER_V1 &&
                          header.dcid.datalen >= NGTCP2_MIN_INITIAL_DCIDLEN;
  if (!is_initial) return 0;
  const auto header_bytes = static_cast<std::size_t>(number_at);
  if (header.len > question.size() - header_bytes) return 0;
  // Web servers answer no packet that they cannot read, so garbage gets nothing.
  if (!is_authentic(question.first(header_bytes + header.len), header_bytes,
                    {header.dcid.data, header.dcid.datalen})) {
    return 0;
  }
  // The answer is shorter than its cause: a forged address gets less than its forger has spent.
  const MutableBytes room = out.first(std::min(out.size(), question.size() - 1));
  const ngtcp2_ssize bytes =
      ngtcp2_crypto_write_connection_close(room.data(), room.size(), header.version, &header.scid,
                                           &header.dcid, NGTCP2_PROTOCOL_VIOLATION, nullptr, 0);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

bool is_small_answer(Bytes payload, const ConnectionId& to) {
  ngtcp2_version_cid ids;
  if (payload.size() >= kSmallInitialBytes || payload.empty() ||
      (payload[0] & kFormAndType) != kInitial ||
      ngtcp2_pkt_decode_version_cid(&ids, payload.data(), payload.size(), 0) != 0 ||
      ids.version != NGTCP2_PROTO_VER_V1) {
    return false;
  }
  return std::ranges::equal(Bytes(ids.scid, ids.scidlen), to.bytes());
}

}  // namespace qdt::quic
