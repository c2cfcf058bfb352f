#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ops/config.h"
#include "ops/config_value.h"

namespace qdt::ops {

// Readers for the keys by which the two sides show who they are.

/// `ed25519-private:BASE64`.
Reader<std::optional<wire::Ed25519Seed>> private_key();
/// One `ed25519:BASE64`, or a list of up to 8.
Reader<std::vector<wire::Ed25519PublicKey>> public_keys();
/// `psk:BASE64`.
Reader<std::optional<wire::PresharedKey>> preshared_key();
/// A list of up to 4096 devices, each a map.
Reader<std::vector<DeviceConfig>> devices();
/// A list of up to 64 names, or name:port.
Reader<std::vector<wire::Authority>> authorities();
/// A template of CONNECT-IP (RFC 9484 section 3).
Reader<std::string> path_template();

}  // namespace qdt::ops
