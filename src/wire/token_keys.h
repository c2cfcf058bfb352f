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

/// The secret of a link that lets one device enrol itself; random.
using TicketSecret = std::array<std::uint8_t, 16>;
/// What a ticket proves itself by (docs/protocol.md section 12).
Ed25519Seed derive_ticket_seed(const TicketSecret& ticket);

}  // namespace qdt::wire
