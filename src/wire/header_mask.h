#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "wire/aead.h"

namespace qdt::wire {

/// The mask that hides a packet's counter and key phase: AES-128 of a sample of its ciphertext (RFC
/// 9001 section 5.4.3). One thread; allocates only when made.
class HeaderMask {
 public:
  static constexpr std::size_t kKeyBytes = 16;
  static constexpr std::size_t kSampleBytes = 16;
  static constexpr std::size_t kBytes = 5;

  explicit HeaderMask(std::span<const std::uint8_t, kKeyBytes> key,
                      AeadProvider provider = best_aead_provider());
  ~HeaderMask();
  HeaderMask(const HeaderMask&) = delete;
  HeaderMask& operator=(const HeaderMask&) = delete;

  std::array<std::uint8_t, kBytes> of(std::span<const std::uint8_t, kSampleBytes> sample);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qdt::wire
