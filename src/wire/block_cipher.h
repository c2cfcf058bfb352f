#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace qdt::wire {

/// AES-128 on single blocks (FIPS 197), for QUIC's header protection (RFC 9001 section 5.4.3). Only
/// where best_aead_provider() is kIpsecMb.
class Aes128Block {
 public:
  static constexpr std::size_t kBytes = 16;

  explicit Aes128Block(std::span<const std::uint8_t, kBytes> key);
  ~Aes128Block();
  Aes128Block(const Aes128Block&) = delete;
  Aes128Block& operator=(const Aes128Block&) = delete;

  std::array<std::uint8_t, kBytes> encrypt(std::span<const std::uint8_t, kBytes> block) const;

 private:
  static constexpr std::size_t kRoundKeys = 11;
  alignas(16) std::array<std::uint8_t, kRoundKeys * kBytes> round_keys_;
};

}  // namespace qdt::wire
