#include "wire/ip_capsule.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "wire/varint.h"

namespace qdt::wire {
namespace {

/// Takes fields off the front of a capsule's value. What is missing reads as nothing.
class ValueReader {
 public:
  explicit ValueReader(Bytes value) : rest_(value) {}
  bool is_empty() const { return rest_.empty(); }

  std::optional<std::uint64_t> varint() {
    const auto varint = parse_varint(rest_);
    if (!varint) return std::nullopt;
    rest_ = rest_.subspan(varint->bytes);
    return varint->value;
  }
  std::optional<std::uint8_t> byte() {
    if (rest_.empty()) return std::nullopt;
    const std::uint8_t byte = rest_[0];
    rest_ = rest_.subspan(1);
    return byte;
  }
  std::optional<IpAddress> address(std::uint8_t version) {
    const std::size_t bytes = version == 4 ? 4 : 16;
    if (rest_.size() < bytes) return std::nullopt;
    const Bytes address = rest_.first(bytes);
    rest_ = rest_.subspan(bytes);
    if (version == 4) return IpAddress::v4(address.first<4>());
    return IpAddress::v6(address.first<16>());
  }

 private:
  Bytes rest_;
};

std::unexpected<Error> refuse(const std::string& what) {
  return fail("the peer's capsule has " + what);
}

Result<std::uint8_t> read_version(ValueReader& from) {
  const auto version = from.byte();
  if (!version) return refuse("an entry that is cut short");
  if (*version != 4 && *version != 6) return refuse("IP version " + std::to_string(*version));
  return *version;
}

Result<IpAddress> read_address(ValueReader& from, std::uint8_t version) {
  const auto address = from.address(version);
  if (!address) return refuse("an entry that is cut short");
  if (address->is_v4() != (version == 4)) return refuse("an IPv4-mapped address");
  return *address;
}

Result<CapsuleAddress> read_entry(ValueReader& from) {
  const auto request_id = from.varint();
  if (!request_id) return refuse("an entry that is cut short");
  const auto version = read_version(from);
  if (!version) return fail(version);
  const auto address = read_address(from, *version);
  if (!address) return fail(address);
  const auto length = from.byte();
  if (!length) return refuse("an entry that is cut short");
  if (*length > address->bit_length()) {
    return refuse("a prefix length of " + std::to_string(*length));
  }
  const Prefix prefix(*address, *length);
  if (prefix.address() != *address) {
    return refuse("host bits in " + address->to_string() + "/" + std::to_string(*length));
  }
  return CapsuleAddress{.request_id = *request_id, .prefix = prefix};
}

Result<IpRange> read_range(ValueReader& from) {
  const auto version = read_version(from);
  if (!version) return fail(version);
  const auto first = read_address(from, *version);
  if (!first) return fail(first);
  const auto last = read_address(from, *version);
  if (!last) return fail(last);
  const auto protocol = from.byte();
  if (!protocol) return refuse("an entry that is cut short");
  if (*last < *first) {
    return refuse("a range from " + first->to_string() + " down to " + last->to_string());
  }
  return IpRange{.first = *first, .last = *last, .protocol = *protocol};
}

template <typename T>
Result<std::vector<T>> read_all(Bytes value, Result<T> (*read_one)(ValueReader&)) {
  std::vector<T> all;
  for (ValueReader from(value); !from.is_empty();) {
    auto one = read_one(from);
    if (!one) return fail(one);
    all.push_back(std::move(*one));
  }
  return all;
}

bool precedes(const IpRange& a, const IpRange& b) {
  if (a.first.is_v4() != b.first.is_v4()) return a.first.is_v4();
  if (a.protocol != b.protocol) return a.protocol < b.protocol;
  return a.last < b.first;
}

// Of sorted ranges: whether one of a protocol lies over one of all protocols.
bool has_overlap_of_protocols(std::span<const IpRange> ranges) {
  std::vector<IpRange> of_all;
  std::ranges::copy_if(ranges, std::back_inserter(of_all),
                       [](const IpRange& range) { return range.protocol == 0; });
  return std::ranges::any_of(ranges, [&](const IpRange& range) {
    if (range.protocol == 0) return false;
    // The first one that does not end below `range`.
    const auto next = std::ranges::partition_point(of_all, [&](const IpRange& all) {
      return precedes(all, {.first = range.first, .last = range.last});
    });
    return next != of_all.end() && next->first.is_v4() == range.first.is_v4() &&
           next->first <= range.last;
  });
}

void append_bytes(std::vector<std::uint8_t>& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_version(std::vector<std::uint8_t>& out, const IpAddress& address) {
  out.push_back(address.is_v4() ? 4 : 6);
}

}  // namespace

Result<std::vector<CapsuleAddress>> parse_address_assign(Bytes value) {
  return read_all<CapsuleAddress>(value, read_entry);
}

Result<std::vector<CapsuleAddress>> parse_address_request(Bytes value) {
  auto requests = read_all<CapsuleAddress>(value, read_entry);
  if (!requests) return requests;
  if (requests->empty()) return refuse("no address to ask for");
  std::vector<std::uint64_t> ids;
  for (const CapsuleAddress& request : *requests) ids.push_back(request.request_id);
  std::ranges::sort(ids);
  if (ids.front() == 0) return refuse("a request with ID 0");
  if (std::ranges::adjacent_find(ids) != ids.end()) return refuse("two requests with one ID");
  return requests;
}

Result<std::vector<IpRange>> parse_route_advertisement(Bytes value) {
  auto ranges = read_all<IpRange>(value, read_range);
  if (!ranges) return ranges;
  const auto wrong = std::ranges::adjacent_find(
      *ranges, [](const IpRange& a, const IpRange& b) { return !precedes(a, b); });
  if (wrong != ranges->end()) {
    return refuse("a range out of order behind " + wrong->first.to_string());
  }
  if (has_overlap_of_protocols(*ranges)) return refuse("ranges of protocols that overlap");
  return ranges;
}

std::vector<std::uint8_t> write_addresses(std::span<const CapsuleAddress> addresses) {
  std::vector<std::uint8_t> out;
  for (const CapsuleAddress& entry : addresses) {
    append_varint(out, entry.request_id);
    append_version(out, entry.prefix.address());
    append_bytes(out, entry.prefix.address().bytes());
    out.push_back(static_cast<std::uint8_t>(entry.prefix.length()));
  }
  return out;
}

std::vector<std::uint8_t> write_routes(std::span<const IpRange> ranges) {
  std::vector<std::uint8_t> out;
  for (const IpRange& range : ranges) {
    append_version(out, range.first);
    append_bytes(out, range.first.bytes());
    append_bytes(out, range.last.bytes());
    out.push_back(range.protocol);
  }
  return out;
}

}  // namespace qdt::wire
