#include "probe/bad_payloads.h"

#include <algorithm>

namespace qdt::probe {
namespace {

using testing::SeededRandom;

constexpr std::size_t kMaxBytes = 1400;
constexpr std::size_t kInitialBytes = 1200;  // RFC 9000 section 14.1

Payload noise(std::size_t bytes, SeededRandom& random) {
  Payload payload(bytes);
  random.fill(payload);
  return payload;
}

Payload long_header(std::uint32_t version, SeededRandom& random) {
  Payload payload = noise(kInitialBytes, random);
  payload[0] |= 0xc0;
  store_be<std::uint32_t>(&payload[1], version);
  return payload;
}

struct Kind {
  std::string_view name;
  std::string_view meaning;
  Payload (*make)(Bytes initial, SeededRandom& random);
};

constexpr Kind kKinds[] = {
    {"random", "1 to 1400 random bytes",
     [](Bytes, SeededRandom& random) { return noise(1 + random.below(kMaxBytes), random); }},
    {"truncated-initial", "a client's real first payload, cut off anywhere",
     [](Bytes initial, SeededRandom& random) {
       const Bytes part = initial.first(1 + random.below(initial.size() - 1));
       return Payload(part.begin(), part.end());
     }},
    {"damaged-initial", "a client's real first payload with one wrong bit behind its IDs",
     [](Bytes initial, SeededRandom& random) {
       Payload payload(initial.begin(), initial.end());
       const std::size_t at = payload.size() / 2 + random.below(payload.size() / 2);
       payload[at] ^= static_cast<std::uint8_t>(1 << random.below(8));
       return payload;
     }},
    {"long-header", "QUIC version 1, all else random",
     [](Bytes, SeededRandom& random) { return long_header(1, random); }},
    {"forged-initial", "an Initial header in good order over random bytes",
     [](Bytes, SeededRandom& random) {
       Payload payload = long_header(1, random);
       payload[0] = 0xc0;
       payload[5] = payload[14] = 8;  // both connection IDs
       payload[23] = 0;               // no token
       store_be<std::uint16_t>(&payload[24],
                               static_cast<std::uint16_t>(0x4000 | (payload.size() - 26)));
       return payload;
     }},
    {"unknown-version", "a long header of a version that is not",
     [](Bytes, SeededRandom& random) { return long_header(0x1a2a3a4a, random); }},
    {"short-header", "a packet of a connection that is not",
     [](Bytes, SeededRandom& random) {
       Payload payload = noise(30 + random.below(1000), random);
       payload[0] = static_cast<std::uint8_t>(0x40 | (payload[0] & 0x3f));
       return payload;
     }},
};

}  // namespace

std::vector<Payload> bad_payloads(std::string_view kind, std::size_t count, Bytes initial,
                                  SeededRandom& random) {
  const Kind& made = *std::ranges::find(kKinds, kind, &Kind::name);
  std::vector<Payload> payloads;
  for (std::size_t i = 0; i < count; ++i) payloads.push_back(made.make(initial, random));
  return payloads;
}

std::string bad_payload_kinds() {
  std::string text;
  for (const Kind& kind : kKinds) {
    text.append("  ").append(kind.name).append(": ").append(kind.meaning).append("\n");
  }
  return text;
}

bool is_bad_payload_kind(std::string_view name) {
  return std::ranges::find(kKinds, name, &Kind::name) != std::end(kKinds);
}

}  // namespace qdt::probe
