#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/role.h"
#include "quic/http3.h"
#include "wire/aead.h"
#include "wire/header_mask.h"
#include "wire/hkdf.h"

namespace qdt::testing {

using ByteVector = std::vector<std::uint8_t>;

/// Appends bytes to a vector; integers as QUIC writes them.
class ByteWriter {
 public:
  ByteWriter& byte(std::uint64_t value) {
    bytes.push_back(static_cast<std::uint8_t>(value));
    return *this;
  }
  /// The shortest varint; larger values lose their highest bits.
  ByteWriter& varint(std::uint64_t value);
  ByteWriter& be32(std::uint32_t value);
  ByteWriter& append(Bytes more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return *this;
  }
  /// `more` behind its length as a varint.
  ByteWriter& block(Bytes more) { return varint(more.size()).append(more); }

  ByteVector bytes;
};

/// Takes bytes from the front; past the end there are zeros, and is_short() tells.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : rest_(bytes) {}

  std::uint8_t byte();
  std::uint64_t varint();
  Bytes take(std::uint64_t count);
  Bytes rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }
  bool is_short() const { return is_short_; }

 private:
  Bytes rest_;
  bool is_short_ = false;
};

enum class PacketSpace : std::uint8_t { kInitial, kHandshake, kApplication };
inline constexpr std::size_t kPacketSpaces = 3;

/// The header of a QUIC packet as it is to be written, whether it makes sense or not.
struct PacketHeader {
  PacketSpace space = PacketSpace::kApplication;
  std::uint8_t first_byte_flip = 0;  ///< bits of the first byte that are to be wrong
  std::uint32_t version = 1;         ///< long headers
  ByteVector destination;
  ByteVector source;  ///< long headers
  ByteVector token;   ///< Initial
  std::uint64_t number = 0;
  std::size_t number_bytes = 4;  ///< 1 to 4
  bool key_phase = false;
};

/// The packet protection of one direction at one level: AEAD_AES_128_GCM (RFC 9001 section 5).
class PacketKeys {
 public:
  explicit PacketKeys(const wire::HkdfSecret& secret);
  /// Those of Initial packets that `sender` sends in the connection that a client began for
  /// `first_id`.
  static PacketKeys initial(Bytes first_id, Role sender);
  /// Those of the next phase (section 6).
  PacketKeys next() const;

  /// A whole protected packet with `frames`.
  ByteVector seal(const PacketHeader& header, Bytes frames);

  struct Opened {
    std::uint64_t number = 0;
    bool key_phase = false;
    ByteVector frames;
  };
  /// Opens `packet`, whose number begins at `number_at`. Nothing when it is not authentic.
  std::optional<Opened> open(Bytes packet, std::size_t number_at, std::uint64_t largest);

 private:
  using HeaderKey = std::array<std::uint8_t, wire::HeaderMask::kKeyBytes>;

  PacketKeys(const wire::HkdfSecret& secret, const HeaderKey& header_key);
  wire::AeadNonce nonce(std::uint64_t number) const;

  wire::HkdfSecret secret_;
  HeaderKey header_key_;
  std::unique_ptr<wire::Aead> aead_;
  wire::AeadNonce iv_{};
  std::unique_ptr<wire::HeaderMask> mask_;
};

/// A Retry packet with a sound integrity tag (RFC 9001 section 5.8).
ByteVector retry_packet(Bytes destination, Bytes source, Bytes token, Bytes original_id);

}  // namespace qdt::testing
