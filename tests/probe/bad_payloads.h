#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "support/seeded_random.h"

namespace qdt::probe {

using Payload = std::vector<std::uint8_t>;

/// UDP payloads that belong to no QUIC connection. `initial` is a client's real first payload.
std::vector<Payload> bad_payloads(std::string_view kind, std::size_t count, Bytes initial,
                                  testing::SeededRandom& random);

/// Every kind, with what it is, a line each: for --help.
std::string bad_payload_kinds();
bool is_bad_payload_kind(std::string_view name);

}  // namespace qdt::probe
