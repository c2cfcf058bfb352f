#include "quic/address_proof.h"

#include <ngtcp2/ngtcp2_crypto.h>

#include <algorithm>
#include <span>

#include "wire/hkdf.h"

namespace qdt::quic {
namespace {

// Long header, fixed bit, type Retry; the last four bits are anything (RFC 9000 section 17.2.5).
constexpr std::uint8_t kRetry = 0xf0;
constexpr std::uint32_t kVersion1 = 1;
// RFC 9001 section 5.8.
constexpr std::array<std::uint8_t, 16> kIntegrityKey = {
    0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3, 0x68, 0xc8, 0x4e};
constexpr wire::AeadNonce kIntegrityNonce = {0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63,
                                             0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb};

constexpr std::size_t kNonceAt = 1;
constexpr std::size_t kSealedAt = kNonceAt + wire::kAeadNonceBytes;
// The time, and the original ID behind its length.
constexpr std::size_t kContentBytes = 8 + 1 + ConnectionId::kMaxBytes;
constexpr std::size_t kMaxHeaderBytes = 1 + 4 + 2 * (1 + ConnectionId::kMaxBytes);

// To whom a token belongs: the address, its port, and the ID of the Retry packet.
class Owner {
 public:
  Owner(const SocketAddress& from, const ConnectionId& retry) {
    MutableBytes rest = append(bytes_, from.address.bytes());
    store_be<std::uint16_t>(rest.data(), from.port);
    rest = append_id(rest.subspan(2), retry);
    length_ = bytes_.size() - rest.size();
  }
  Bytes bytes() const { return Bytes(bytes_).first(length_); }

 private:
  std::array<std::uint8_t, 16 + 2 + 1 + ConnectionId::kMaxBytes> bytes_{};
  std::size_t length_ = 0;
};

}  // namespace

std::int64_t AddressProof::epoch_of(Timestamp time) {
  return time.time_since_epoch() / kEpoch;
}

wire::Aead& AddressProof::key_of(Timestamp time) {
  const std::int64_t epoch = epoch_of(time);
  Key& key = keys_[static_cast<std::size_t>(epoch & 1)];
  if (key.epoch != epoch) {
    std::array<std::uint8_t, 8> number;
    store_be<std::uint64_t>(number.data(), static_cast<std::uint64_t>(epoch));
    std::array<std::uint8_t, 16> bytes;
    wire::HkdfSecret secret = wire::hkdf_extract(number, secret_);
    wire::hkdf_expand_label(secret, "retry token", bytes);
    key = {.epoch = epoch, .aead = wire::Aead(wire::AeadAlgorithm::kAes128Gcm, bytes)};
    wire::wipe(secret);
    wire::wipe(bytes);
  }
  return *key.aead;
}

std::size_t AddressProof::write(const SocketAddress& from, const Ids& ids, Random& random,
                                Timestamp now, MutableBytes out) {
  if (out.size() < kMaxHeaderBytes + kTokenBytes + wire::kTagBytes) return 0;
  std::array<std::uint8_t, kContentBytes> content{};
  store_be<std::uint64_t>(content.data(),
                          static_cast<std::uint64_t>(now.time_since_epoch().count()));
  append_id(MutableBytes(content).subspan(8), ids.original);

  const auto noise = random.bytes<1 + wire::kAeadNonceBytes>();
  out[0] = static_cast<std::uint8_t>(kRetry | (noise[0] & 0x0f));
  store_be<std::uint32_t>(&out[1], kVersion1);
  const MutableBytes token = append_id(append_id(out.subspan(5), ids.client), ids.retry);
  token[0] = NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY;
  wire::AeadNonce nonce;
  std::copy_n(noise.begin() + 1, nonce.size(), nonce.begin());
  const MutableBytes sealed =
      append(token.subspan(kNonceAt), nonce).first(kContentBytes + wire::kTagBytes);
  key_of(now).seal(nonce, Owner(from, ids.retry).bytes(), content, sealed);

  const std::size_t bytes = out.size() - token.size() + kTokenBytes;
  std::array<std::uint8_t, 1 + ConnectionId::kMaxBytes + kMaxHeaderBytes + kTokenBytes> pseudo;
  const MutableBytes rest = append(append_id(pseudo, ids.original), Bytes(out).first(bytes));
  if (!integrity_) integrity_.emplace(wire::AeadAlgorithm::kAes128Gcm, kIntegrityKey);
  integrity_->seal(kIntegrityNonce, Bytes(pseudo).first(pseudo.size() - rest.size()), {},
                   out.subspan(bytes, wire::kTagBytes));
  return bytes + wire::kTagBytes;
}

bool AddressProof::is_token(Bytes token) {
  return !token.empty() && token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY;
}

AddressProof::Proof AddressProof::judge(Bytes token, const SocketAddress& from,
                                        const ConnectionId& retry, Timestamp now) {
  if (token.size() != kTokenBytes || !is_token(token)) return {};
  wire::AeadNonce nonce;
  std::ranges::copy(token.subspan(kNonceAt, nonce.size()), nonce.begin());
  const Bytes sealed = token.subspan(kSealedAt);
  const Owner owner(from, retry);
  std::array<std::uint8_t, kContentBytes> content;
  const auto opens = [&](Timestamp then) {
    return key_of(then).open(nonce, owner.bytes(), sealed, content);
  };
  // It may be from the hour before.
  const bool is_genuine =
      opens(now) || (epoch_of(now - kLifetime) != epoch_of(now) && opens(now - kLifetime));
  const std::size_t length = content[8];
  if (!is_genuine || length > ConnectionId::kMaxBytes) return {};
  const Timestamp sent(Duration(load_be<std::uint64_t>(content.data())));
  if (now - sent > kLifetime) return {};
  const auto tag = load_be<std::uint64_t>(sealed.last(8).data());
  const auto ways = ways_of(tag);
  if (std::ranges::find(ways, tag) != ways.end()) return {.verdict = Verdict::kSpent};
  return {.verdict = Verdict::kGood,
          .original = ConnectionId(Bytes(content).subspan(9, length)),
          .tag = tag};
}

void AddressProof::spend(const Proof& proof) {
  const auto ways = ways_of(proof.tag);
  std::shift_right(ways.begin(), ways.end(), 1);
  ways.front() = proof.tag;
}

std::span<std::uint64_t> AddressProof::ways_of(std::uint64_t tag) {
  return std::span(spent_).subspan(tag % (kMaxSpent / kWays) * kWays, kWays);
}

}  // namespace qdt::quic
