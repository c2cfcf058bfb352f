#include "base/ip_address.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstdio>

namespace qdt {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

template <typename Number>
std::optional<Number> parse_number(std::string_view text, int base, std::size_t max_digits) {
  if (text.empty() || text.size() > max_digits) return std::nullopt;
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::array<std::uint8_t, 4>> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    const std::string_view part = text.substr(0, dot);
    if (part.size() > 1 && part[0] == '0') return std::nullopt;  // octal to some, decimal to others
    const auto value = parse_number<std::uint8_t>(part, 10, 3);
    if (!value) return std::nullopt;
    bytes[i] = *value;
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return bytes;
}

// Colon-separated groups without "::"; appends them to `bytes` from `count` on.
bool parse_groups(std::string_view text, std::array<std::uint8_t, 16>& bytes, std::size_t& count) {
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    if (colon == std::string_view::npos && part.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(part);
      if (!v4 || count + 4 > bytes.size()) return false;
      std::copy(v4->begin(), v4->end(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
      count += 4;
      return true;
    }
    const auto group = parse_number<std::uint16_t>(part, 16, 4);
    if (!group || count + 2 > bytes.size()) return false;
    store_be<std::uint16_t>(bytes.data() + count, *group);
    count += 2;
    if (colon == std::string_view::npos) return true;
    text.remove_prefix(colon + 1);
    if (text.empty()) return false;  // a trailing single colon
  }
  return true;
}

std::optional<std::array<std::uint8_t, 16>> parse_v6(std::string_view text) {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t count = 0;
  const std::size_t gap = text.find("::");
  if (!parse_groups(text.substr(0, gap), bytes, count)) return std::nullopt;
  if (gap == std::string_view::npos) {
    return count == bytes.size() ? std::optional(bytes) : std::nullopt;
  }

  std::array<std::uint8_t, 16> tail{};
  std::size_t tail_count = 0;
  if (!parse_groups(text.substr(gap + 2), tail, tail_count)) return std::nullopt;
  if (count + tail_count > bytes.size() - 2)
    return std::nullopt;  // "::" stands for a group or more
  std::copy_n(tail.begin(), tail_count, bytes.end() - static_cast<std::ptrdiff_t>(tail_count));
  return bytes;
}

std::string v6_text(Bytes bytes) {
  // RFC 5952: the longest run of two or more zero groups, the first of equals, becomes "::".
  std::size_t best = 8, best_length = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t length = 0;
    while (i + length < 8 && load_be<std::uint16_t>(&bytes[2 * (i + length)]) == 0) ++length;
    if (length > best_length) best = i, best_length = length;
  }
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == best) {
      text += "::";
      i += best_length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    char group[5];
    std::snprintf(group, sizeof group, "%x", load_be<std::uint16_t>(&bytes[2 * i]));
    text += group;
  }
  return text;
}

}  // namespace

IpAddress IpAddress::v6(std::span<const std::uint8_t, 16> network_order) {
  if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), network_order.begin())) {
    return v4(network_order.last<4>());
  }
  IpAddress address;
  std::memcpy(address.words_.data(), network_order.data(), 16);
  address.is_v4_ = false;
  return address;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  if (const auto bytes = parse_v4(text)) return v4(*bytes);
  if (text.find(':') != std::string_view::npos) {
    if (const auto bytes = parse_v6(text)) return v6(*bytes);
  }
  return fail("\"" + std::string(text) + "\" is not an IP address");
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(bytes(), [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_loopback() const {
  const Bytes all = bytes();
  if (is_v4_) return all[0] == 127;
  return all.back() == 1 && std::ranges::all_of(all.first(15), [](auto byte) { return byte == 0; });
}

bool IpAddress::is_multicast() const {
  return is_v4_ ? (bytes()[0] & 0xf0) == 0xe0 : bytes()[0] == 0xff;
}

std::strong_ordering IpAddress::operator<=>(const IpAddress& other) const {
  const int order = std::memcmp(words_.data(), other.words_.data(), 16);
  return order != 0 ? order <=> 0 : is_v4_ <=> other.is_v4_;
}

bool IpAddress::is_link_local() const {
  const Bytes all = bytes();
  return is_v4_ ? all[0] == 169 && all[1] == 254 : all[0] == 0xfe && (all[1] & 0xc0) == 0x80;
}

std::string IpAddress::to_string() const {
  const Bytes all = bytes();
  if (!is_v4_) return v6_text(all);
  char text[16];
  std::snprintf(text, sizeof text, "%u.%u.%u.%u", all[0], all[1], all[2], all[3]);
  return text;
}

namespace {

IpAddress masked(const IpAddress& address, int length) {
  std::array<std::uint8_t, 16> bytes{};
  const Bytes from = address.bytes();
  for (std::size_t i = 0; i < from.size(); ++i) {
    const int bits = std::clamp(length - 8 * static_cast<int>(i), 0, 8);
    bytes[i] = static_cast<std::uint8_t>(from[i] & (0xff00 >> bits));
  }
  const std::span<const std::uint8_t, 16> all(bytes);
  return address.is_v4() ? IpAddress::v4(all.first<4>()) : IpAddress::v6(all);
}

}  // namespace

Prefix::Prefix(const IpAddress& address, int length)
    : address_(masked(address, length)), length_(length) {
  assert(length >= 0 && length <= address.bit_length());
}

Result<Prefix> Prefix::parse(std::string_view text, HostBits host_bits) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  const auto length = slash == std::string_view::npos
                          ? std::nullopt
                          : parse_number<int>(text.substr(slash + 1), 10, 3);
  if (!address || !length || *length < 0 || *length > address->bit_length()) {
    return fail("\"" + std::string(text) + "\" is not a prefix such as 10.8.0.0/24");
  }
  const Prefix prefix(*address, *length);
  if (host_bits == HostBits::kRefused && prefix.address() != *address) {
    return fail("\"" + std::string(text) + "\" has bits set behind the prefix length; " +
                prefix.to_string() + " was probably meant");
  }
  return prefix;
}

bool Prefix::contains(const IpAddress& address) const {
  return address.is_v4() == address_.is_v4() && masked(address, length_) == address_;
}

bool Prefix::contains(const Prefix& other) const {
  return other.length_ >= length_ && contains(other.address_);
}

IpAddress Prefix::host(std::uint32_t number) const {
  std::array<std::uint8_t, 16> bytes{};
  const std::size_t size = address_.bytes().size();
  append(bytes, address_.bytes());
  std::uint8_t* const end = &bytes[size - 4];
  store_be<std::uint32_t>(end, load_be<std::uint32_t>(end) + number);
  const std::span<const std::uint8_t, 16> all(bytes);
  const IpAddress host = address_.is_v4() ? IpAddress::v4(all.first<4>()) : IpAddress::v6(all);
  assert(contains(host));
  return host;
}

std::optional<std::uint32_t> Prefix::number_of(const IpAddress& host) const {
  if (!contains(host)) return std::nullopt;
  const Bytes first = address_.bytes();
  const Bytes bytes = host.bytes();
  const std::size_t front = first.size() - 4;
  if (!std::ranges::equal(first.first(front), bytes.first(front))) return std::nullopt;
  return load_be<std::uint32_t>(&bytes[front]) - load_be<std::uint32_t>(&first[front]);
}

std::string Prefix::to_string() const {
  return address_.to_string() + "/" + std::to_string(length_);
}

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  const auto refuse = [&] {
    return fail("\"" + std::string(text) +
                "\" is not an address such as :443, 1.2.3.4:443 or [::1]:443");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return refuse();
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1), 10, 5);
  if (!port) return refuse();

  std::string_view host = text.substr(0, colon);
  if (host.empty()) return SocketAddress{IpAddress::unspecified(/*is_v4=*/false), *port};
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  const bool has_colon = host.find(':') != std::string_view::npos;
  if (!address || bracketed != has_colon) return refuse();
  return SocketAddress{*address, *port};
}

std::string SocketAddress::to_string() const {
  const std::string host = address.to_string();
  return (address.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(port);
}

}  // namespace qdt
