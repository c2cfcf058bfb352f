#include "wire/direct_packet.h"

#include <cassert>
#include <vector>

namespace qdt::wire {
namespace {

constexpr std::string_view kClientInfo = "qdt-direct-v1 client";
constexpr std::string_view kServerInfo = "qdt-direct-v1 server";
constexpr std::string_view kKeyInfo = "qdt-direct-v1 key";
constexpr std::string_view kIvInfo = "qdt-direct-v1 iv";
constexpr std::string_view kHeaderKeyInfo = "qdt-direct-v1 hp";
constexpr std::string_view kUpdateInfo = "qdt-direct-v1 ku";

// The first byte (RFC 9000 section 17.3.1).
constexpr std::uint8_t kLongHeader = 0x80;
constexpr std::uint8_t kFixedBit = 0x40;
constexpr std::uint8_t kReservedBits = 0x18;
constexpr std::uint8_t kKeyPhase = 0x04;
constexpr std::uint8_t kFourByteCounter = 0x03;
constexpr std::uint8_t kProtectedBits = 0x1f;
constexpr std::size_t kCounterOffset = 1 + kDirectIdBytes;

using Header = std::array<std::uint8_t, kDirectHeaderBytes>;

template <std::size_t kBytes>
std::array<std::uint8_t, kBytes> expand(const HkdfSecret& secret, std::string_view info) {
  std::array<std::uint8_t, kBytes> out;
  hkdf_expand(secret, info, out);
  return out;
}

Aead make_aead(AeadAlgorithm algorithm, const HkdfSecret& secret) {
  assert(key_bytes(algorithm) == kKeyBytes);
  auto key = expand<kKeyBytes>(secret, kKeyInfo);
  Aead aead(algorithm, key);
  wipe(key);
  return aead;
}

// A header key that does not outlive what is made from it.
struct HeaderKey {
  explicit HeaderKey(const HkdfSecret& secret)
      : bytes(expand<HeaderMask::kKeyBytes>(secret, kHeaderKeyInfo)) {}
  ~HeaderKey() { wipe(bytes); }
  HeaderKey(const HeaderKey&) = delete;
  HeaderKey& operator=(const HeaderKey&) = delete;

  std::array<std::uint8_t, HeaderMask::kKeyBytes> bytes;
};

void toggle_protection(const std::array<std::uint8_t, HeaderMask::kBytes>& mask,
                       std::uint8_t* header) {
  header[0] ^= mask[0] & kProtectedBits;
  for (std::size_t i = 0; i < 4; ++i) header[kCounterOffset + i] ^= mask[1 + i];
}

std::span<const std::uint8_t, HeaderMask::kSampleBytes> sample_of(Bytes packet) {
  return packet.subspan(kDirectHeaderBytes).first<HeaderMask::kSampleBytes>();
}

// RFC 9000 appendix A.3, with four bytes.
std::uint64_t restore_counter(std::uint32_t low, std::uint64_t expected) {
  constexpr std::uint64_t kWindow = std::uint64_t{1} << 32;
  constexpr std::uint64_t kEnd = std::uint64_t{1} << 62;
  const std::uint64_t candidate = (expected & ~(kWindow - 1)) | low;
  if (candidate + kWindow / 2 <= expected && candidate < kEnd - kWindow) {
    return candidate + kWindow;
  }
  if (candidate > expected + kWindow / 2 && candidate >= kWindow) return candidate - kWindow;
  return candidate;
}

}  // namespace

DirectSecrets derive_direct_secrets(const HkdfSecret& exporter, std::string_view token,
                                    const HandshakeNonce& client_nonce,
                                    const HandshakeNonce& server_nonce, AeadAlgorithm algorithm) {
  std::vector<std::uint8_t> secret(kSha256Bytes + token.size());
  append(append(secret, exporter), as_bytes(token));
  HkdfSecret extracted = extract_session_secret(client_nonce, server_nonce, secret);
  wipe(secret);
  const DirectSecrets secrets{.algorithm = algorithm,
                              .client = expand<kSha256Bytes>(extracted, kClientInfo),
                              .server = expand<kSha256Bytes>(extracted, kServerInfo)};
  wipe(extracted);
  return secrets;
}

DirectSecrets derive_direct_secrets(const Exporter& exporter, std::string_view token,
                                    const HandshakeNonce& client_nonce,
                                    const HandshakeNonce& server_nonce, AeadAlgorithm algorithm) {
  HkdfSecret exported = exporter.derive(kDirectExporterLabel);
  const DirectSecrets secrets =
      derive_direct_secrets(exported, token, client_nonce, server_nonce, algorithm);
  wipe(exported);
  return secrets;
}

std::optional<DirectId> direct_id_of(Bytes payload) {
  const bool is_long = payload.empty() || (payload[0] & kLongHeader) != 0;
  if (is_long || payload.size() < kDirectOverhead) return std::nullopt;
  DirectId id;
  append(id, payload.subspan(1, kDirectIdBytes));
  return id;
}

DirectPhase::DirectPhase(AeadAlgorithm algorithm, const HkdfSecret& secret)
    : algorithm_(algorithm),
      secret_(secret),
      aead_(make_aead(algorithm, secret)),
      iv_(expand<kAeadNonceBytes>(secret, kIvInfo)) {}

DirectPhase::~DirectPhase() {
  wipe(secret_);
  wipe(iv_);
}

DirectPhase DirectPhase::next() const {
  HkdfSecret secret = expand<kSha256Bytes>(secret_, kUpdateInfo);
  DirectPhase next(algorithm_, secret);
  wipe(secret);
  return next;
}

AeadNonce DirectPhase::nonce(std::uint64_t counter) const {
  constexpr std::size_t kOffset = kAeadNonceBytes - sizeof counter;
  AeadNonce nonce = iv_;
  store_be<std::uint64_t>(&nonce[kOffset], load_be<std::uint64_t>(&nonce[kOffset]) ^ counter);
  return nonce;
}

DirectSealer::DirectSealer(AeadAlgorithm algorithm, const HkdfSecret& secret, Timestamp now,
                           std::uint64_t first_counter)
    : phase_(algorithm, secret),
      mask_(HeaderKey(secret).bytes),
      counter_(first_counter),
      phase_began_at_(first_counter),
      phase_began_(now) {}

std::size_t DirectSealer::seal(const DirectId& id, Bytes payload, MutableBytes out, Timestamp now) {
  assert(!is_exhausted() && out.size() >= payload.size() + kDirectOverhead);
  const bool is_over =
      counter_ - phase_began_at_ >= kMaxPhasePackets || now - phase_began_ >= kMaxPhaseTime;
  if (is_over && acknowledged_ > phase_began_at_) update_key(now);
  const std::size_t bytes = payload.size() + kDirectOverhead;
  out[0] = kFixedBit | phase_bit_ | kFourByteCounter;
  append(out.subspan(1), id);
  store_be<std::uint32_t>(&out[kCounterOffset], static_cast<std::uint32_t>(counter_));
  phase_.seal(counter_, out.first(kDirectHeaderBytes), payload,
              out.subspan(kDirectHeaderBytes, payload.size() + kTagBytes));
  toggle_protection(mask_.of(sample_of(out)), out.data());
  ++counter_;
  return bytes;
}

void DirectSealer::update_key(Timestamp now) {
  assert(acknowledged_ > phase_began_at_);
  phase_ = phase_.next();
  phase_bit_ ^= kKeyPhase;
  phase_began_at_ = counter_;
  phase_began_ = now;
}

DirectOpener::DirectOpener(AeadAlgorithm algorithm, const HkdfSecret& secret)
    : mask_(HeaderKey(secret).bytes), current_(algorithm, secret), next_(current_.next()) {}

std::expected<DirectOpener::Opened, Drop> DirectOpener::open(Bytes packet, MutableBytes out,
                                                             Timestamp now, Duration keep_old) {
  if (packet.size() < kDirectOverhead) return std::unexpected(Drop::kShort);
  if (forged_ >= kMaxForged) return std::unexpected(Drop::kForged);
  Header header;
  append(header, packet.first(kDirectHeaderBytes));
  toggle_protection(mask_.of(sample_of(packet)), header.data());
  const auto low = load_be<std::uint32_t>(&header[kCounterOffset]);
  const std::uint64_t counter = restore_counter(low, window_.highest() + 1);
  // The counter is looked up after the packet was opened, and every packet is opened with some key.
  if (now >= previous_until_) previous_.reset();
  const bool phase_bit = (header[0] & kKeyPhase) != 0;
  const bool is_current = phase_bit == phase_bit_;
  const bool is_old = !is_current && counter < phase_began_at_;
  DirectPhase& phase = is_current ? current_ : is_old && previous_ ? *previous_ : next_;
  const std::size_t bytes = packet.size() - kDirectOverhead;
  const bool opens =
      phase.open(counter, header, packet.subspan(kDirectHeaderBytes), out.first(bytes));
  constexpr std::uint8_t kFixedParts = kFixedBit | kReservedBits | kFourByteCounter;
  const bool is_sound = (header[0] & kFixedParts) == (kFixedBit | kFourByteCounter);
  const bool is_over = is_old && !previous_;
  if (!opens || !is_sound || is_over) {
    ++forged_;
    return std::unexpected(Drop::kForged);
  }
  latest_ = counter;
  if (!window_.accepts(counter)) return std::unexpected(Drop::kReplayed);
  if (&phase == &next_) {
    previous_ = std::move(current_);
    current_ = std::move(next_);
    next_ = current_.next();
    previous_until_ = now + keep_old;
    phase_began_at_ = counter;
    phase_bit_ = phase_bit;
  }
  const bool is_newest = counter >= window_.highest();
  window_.mark(counter);
  return Opened{.counter = counter, .is_newest = is_newest, .bytes = bytes};
}

}  // namespace qdt::wire
