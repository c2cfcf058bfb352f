#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace qdt {

/// An IPv4 or IPv6 address. A value; an IPv4-mapped IPv6 address (RFC 4291 2.5.5.2) becomes the
/// IPv4 address it stands for, so that equal hosts compare equal whichever socket saw them.
class IpAddress {
 public:
  /// 0.0.0.0
  constexpr IpAddress() = default;
  static constexpr IpAddress v4(std::uint32_t host_order);
  static IpAddress v4(std::span<const std::uint8_t, 4> network_order) {
    IpAddress address;
    std::array<std::uint8_t, 8> tail{};
    std::memcpy(&tail[4], network_order.data(), 4);
    address.words_[1] = std::bit_cast<std::uint64_t>(tail);
    return address;
  }
  static IpAddress v6(std::span<const std::uint8_t, 16> network_order);
  /// 0.0.0.0 or ::
  static IpAddress unspecified(bool is_v4) {
    return is_v4 ? IpAddress() : v6(std::array<std::uint8_t, 16>{});
  }
  /// Dotted quad or RFC 4291 text, without brackets, port or zone.
  static Result<IpAddress> parse(std::string_view text);

  constexpr bool is_v4() const { return is_v4_; }
  constexpr bool is_v6() const { return !is_v4_; }
  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_multicast() const;
  /// 169.254.0.0/16 or fe80::/10: means nothing beyond one link.
  bool is_link_local() const;
  /// 32 or 128.
  constexpr int bit_length() const { return is_v4_ ? 32 : 128; }
  /// 4 or 16 bytes, network order; valid as long as the address is.
  Bytes bytes() const { return is_v4_ ? all_bytes().last(4) : all_bytes(); }
  /// IPv4 only: the address as a number in host order.
  std::uint32_t v4_number() const { return load_be<std::uint32_t>(all_bytes().data() + 12); }
  /// RFC 5952 form.
  std::string to_string() const;

  bool operator==(const IpAddress&) const = default;
  std::strong_ordering operator<=>(const IpAddress& other) const;

 private:
  Bytes all_bytes() const { return {reinterpret_cast<const std::uint8_t*>(words_.data()), 16}; }

  // 16 bytes in network order, in words because packets are compared by them. IPv4 lives in the
  // last four bytes, the others zero, so that comparison needs no case split.
  std::array<std::uint64_t, 2> words_{};
  bool is_v4_ = true;
};

/// A range of addresses: `10.8.0.0/24`. Bits behind the length are zero.
class Prefix {
 public:
  constexpr Prefix() = default;
  /// Clears the host bits of `address`. `length` is 0..address.bit_length().
  Prefix(const IpAddress& address, int length);
  /// The one address alone: /32 or /128.
  static Prefix of_host(const IpAddress& address) { return {address, address.bit_length()}; }
  /// `ADDRESS/LENGTH`. Host bits in a person's text are most often a slip, so they are refused;
  /// in a peer's message they are cleared.
  enum class HostBits { kRefused, kCleared };
  static Result<Prefix> parse(std::string_view text, HostBits host_bits = HostBits::kRefused);

  const IpAddress& address() const { return address_; }
  int length() const { return length_; }
  bool contains(const IpAddress& address) const;
  bool contains(const Prefix& other) const;
  /// The address `number` places behind the first; it is in the prefix.
  IpAddress host(std::uint32_t number) const;
  /// The number by which host() gives `address`; nothing when there is none.
  std::optional<std::uint32_t> number_of(const IpAddress& host) const;
  std::string to_string() const;

  auto operator<=>(const Prefix&) const = default;

 private:
  IpAddress address_;
  int length_ = 0;
};

/// One end of a UDP flow.
struct SocketAddress {
  IpAddress address;
  std::uint16_t port = 0;

  /// `1.2.3.4:443`, `[::1]:443`, and `:443` for every address of the host (unspecified IPv6).
  static Result<SocketAddress> parse(std::string_view text);
  std::string to_string() const;

  auto operator<=>(const SocketAddress&) const = default;
};

constexpr IpAddress IpAddress::v4(std::uint32_t host_order) {
  IpAddress address;
  const bool is_little = std::endian::native == std::endian::little;
  address.words_[1] = is_little ? std::uint64_t{std::byteswap(host_order)} << 32 : host_order;
  return address;
}

}  // namespace qdt

template <>
struct std::hash<qdt::IpAddress> {
  std::size_t operator()(const qdt::IpAddress& address) const noexcept {
    const std::string_view text = qdt::as_text(address.bytes());
    return std::hash<std::string_view>{}(text);
  }
};
