#include "wire/ip_ranges.h"

#include <algorithm>
#include <array>
#include <optional>

namespace qdt::wire {
namespace {

/// An address as a number of 128 bits; IPv4 is in the last 32.
struct Number {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  auto operator<=>(const Number&) const = default;
};

constexpr Number kLastV4{.high = 0, .low = 0xffff'ffff};
constexpr Number kLastV6{.high = ~std::uint64_t{0}, .low = ~std::uint64_t{0}};

Number number_of(const IpAddress& address) {
  if (address.is_v4()) return {.high = 0, .low = address.v4_number()};
  const Bytes bytes = address.bytes();
  return {.high = load_be<std::uint64_t>(bytes.data()),
          .low = load_be<std::uint64_t>(bytes.data() + 8)};
}

// Nothing for an IPv4-mapped address, which is no IPv6 address here.
std::optional<IpAddress> address_of(const Number& number, bool is_v4) {
  if (is_v4) return IpAddress::v4(static_cast<std::uint32_t>(number.low));
  std::array<std::uint8_t, 16> bytes;
  store_be<std::uint64_t>(bytes.data(), number.high);
  store_be<std::uint64_t>(bytes.data() + 8, number.low);
  const IpAddress address = IpAddress::v6(bytes);
  return address.is_v6() ? std::optional(address) : std::nullopt;
}

// The lowest `bits` bits.
Number low_bits(int bits) {
  const auto ones = [](int count) {
    return count <= 0 ? 0 : count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
  };
  return {.high = ones(bits - 64), .low = ones(bits)};
}

Number last_of(const Number& first, int host_bits) {
  const Number hosts = low_bits(host_bits);
  return {.high = first.high | hosts.high, .low = first.low | hosts.low};
}

// The last IPv6 address below the IPv4-mapped ones, ::ffff:0:0/96.
IpAddress last_unmapped() {
  return *address_of({.high = 0, .low = 0xffff'0000'0000 - 1}, /*is_v4=*/false);
}

// `number` is not the last one.
Number next(const Number& number) {
  const bool carries = number.low == ~std::uint64_t{0};
  return {.high = number.high + (carries ? 1 : 0), .low = number.low + 1};
}

bool is_aligned(const Number& number, int host_bits) {
  const Number hosts = low_bits(host_bits);
  return (number.high & hosts.high) == 0 && (number.low & hosts.low) == 0;
}

struct Span {
  Number first;
  Number last;
};

std::vector<Span> sorted_spans(std::span<const Prefix> prefixes, bool is_v4) {
  std::vector<Span> spans;
  for (const Prefix& prefix : prefixes) {
    if (prefix.address().is_v4() != is_v4) continue;
    const Number first = number_of(prefix.address());
    const int host_bits = prefix.address().bit_length() - prefix.length();
    spans.push_back({.first = first, .last = last_of(first, host_bits)});
  }
  std::ranges::sort(spans, {}, &Span::first);
  return spans;
}

std::vector<Span> joined_spans(std::span<const Prefix> prefixes, bool is_v4) {
  const Number end = is_v4 ? kLastV4 : kLastV6;
  std::vector<Span> joined;
  for (const Span& span : sorted_spans(prefixes, is_v4)) {
    const bool meets =
        !joined.empty() && (joined.back().last == end || span.first <= next(joined.back().last));
    if (!meets) joined.push_back(span);
    if (meets) joined.back().last = std::max(joined.back().last, span.last);
  }
  return joined;
}

}  // namespace

std::vector<IpRange> ranges_of(std::span<const Prefix> prefixes) {
  std::vector<IpRange> ranges;
  for (const bool is_v4 : {true, false}) {
    for (const Span& span : joined_spans(prefixes, is_v4)) {
      const auto first = address_of(span.first, is_v4);
      const auto last = address_of(span.last, is_v4);
      if (first) ranges.push_back({.first = *first, .last = last ? *last : last_unmapped()});
    }
  }
  return ranges;
}

std::vector<Prefix> prefixes_of(const IpRange& range) {
  const bool is_v4 = range.first.is_v4();
  const int bits = range.first.bit_length();
  const Number end = number_of(range.last);
  std::vector<Prefix> prefixes;
  for (Number at = number_of(range.first);;) {
    int host_bits = 0;
    while (host_bits < bits && is_aligned(at, host_bits + 1) && last_of(at, host_bits + 1) <= end) {
      ++host_bits;
    }
    if (const auto address = address_of(at, is_v4))
      prefixes.emplace_back(*address, bits - host_bits);
    const Number last = last_of(at, host_bits);
    if (last == end) return prefixes;
    at = next(last);
  }
}

}  // namespace qdt::wire
