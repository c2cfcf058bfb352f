#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "wire/ed25519.h"

namespace qdt::wire {

/// A secret that both sides have beside their keys; it never goes over the wire.
using PresharedKey = std::array<std::uint8_t, 32>;

/// What version 2 makes of a token: the keys of both sides, so that the token stays where it is
/// (docs/protocol.md, Keys from a token).
struct TokenKeys {
  Ed25519Seed client{};
  Ed25519Seed server{};
  PresharedKey psk{};
};

TokenKeys derive_token_keys(std::string_view token);

}  // namespace qdt::wire
