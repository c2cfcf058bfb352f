#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wire/ed25519.h"
#include "wire/token_keys.h"

namespace qdt::wire {

// Keys as configurations and key files have them (docs/protocol.md section 6): a kind, a colon,
// and 32 bytes in base64.

/// `ed25519:BASE64`, a public key.
std::optional<Ed25519PublicKey> parse_public_key(std::string_view text);
std::string public_key_text(const Ed25519PublicKey& key);

/// `ed25519-private:BASE64`, what a private key is made from.
std::optional<Ed25519Seed> parse_private_key(std::string_view text);
std::string private_key_text(const Ed25519Seed& seed);

/// The private key in a file: one line of that form, beside empty lines and comments (#).
std::optional<Ed25519Seed> parse_key_file(std::string_view text);

/// `psk:BASE64`.
std::optional<PresharedKey> parse_psk(std::string_view text);
std::string psk_text(const PresharedKey& psk);

}  // namespace qdt::wire
