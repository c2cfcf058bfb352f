// A request stream of capsules: the same whether it comes at once or in pieces, and what was read
// of addresses and routes is written and read again. The first byte is the length of the pieces.

#include "wire/capsule.h"
#include "wire/ip_capsule.h"
#include "wire/ip_ranges.h"

#include <algorithm>
#include <vector>

#include "invariant.h"

namespace {

using namespace qdt;

struct Seen {
  std::vector<std::pair<std::uint64_t, std::vector<std::uint8_t>>> capsules;
  bool has_failed = false;
  bool may_end = false;
  std::uint64_t skipped = 0;

  bool operator==(const Seen&) const = default;
};

Seen read(Bytes stream, std::size_t piece_bytes) {
  wire::CapsuleReader reader;
  Seen seen;
  while (!stream.empty() && !seen.has_failed) {
    Bytes piece = stream.first(std::min(piece_bytes, stream.size()));
    stream = stream.subspan(piece.size());
    for (;;) {
      const auto capsule = reader.take(piece);
      seen.has_failed = !capsule;
      if (!capsule || !*capsule) break;
      const Bytes value = (*capsule)->value;
      seen.capsules.emplace_back((*capsule)->type, std::vector(value.begin(), value.end()));
    }
    fuzz::require(seen.has_failed || piece.empty(), "a reader that waits has taken everything");
  }
  seen.may_end = reader.is_between_capsules();
  seen.skipped = reader.skipped();
  return seen;
}

void check_prefixes(const wire::IpRange& range) {
  const auto prefixes = wire::prefixes_of(range);
  fuzz::require(prefixes.size() <= 254, "a range is not many prefixes");
  fuzz::require(!prefixes.empty() && prefixes[0].address() == range.first, "it begins with them");
  for (const wire::IpRange& part : wire::ranges_of(prefixes)) {
    fuzz::require(part.first >= range.first && part.last <= range.last, "they are within it");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes stream(data + 1, size - 1);
  const Seen whole = read(stream, stream.size());
  fuzz::require(read(stream, 1 + data[0]) == whole, "pieces say what the whole says");

  std::vector<std::uint8_t> again;
  for (const auto& [type, value] : whole.capsules) {
    wire::append_capsule(again, type, value);
    if (const auto assigned = wire::parse_address_assign(value)) {
      fuzz::require(wire::parse_address_assign(wire::write_addresses(*assigned)) == *assigned,
                    "written addresses are read");
    }
    if (const auto routes = wire::parse_route_advertisement(value)) {
      fuzz::require(std::ranges::equal(wire::write_routes(*routes), value), "routes have one form");
      for (const wire::IpRange& range : *routes) check_prefixes(range);
    }
    if (const auto rate = wire::parse_send_rate(value)) {
      fuzz::require(*wire::parse_send_rate(wire::write_send_rate(*rate)) == *rate,
                    "written rates are read");
    }
    if (const auto requests = wire::parse_address_request(value)) {
      fuzz::require(wire::parse_address_assign(value) == *requests, "requests are addresses");
    }
  }
  fuzz::require(read(again, 7).capsules == whole.capsules, "written capsules are read");
  return 0;
}
