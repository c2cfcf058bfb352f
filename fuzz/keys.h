#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "access/user_table.h"
#include "client/proof.h"
#include "wire/token_keys.h"

namespace qdt::fuzz {

/// By what a client shows who it is.
enum class Who : std::uint8_t {
  kVersion1,      ///< by the token itself
  kToken,         ///< by the keys that are made of it
  kDevice,        ///< by a key of its own
  kSealedDevice,  ///< that has a PSK as well
  kBasic,         ///< by a name and a secret
  kBearer,        ///< by a secret
  kNobody,        ///< nothing
  kCount,
};

/// All secrets of a server and its clients.
struct Keys {
  std::string token;
  wire::Ed25519Seed server{};
  wire::Ed25519Seed device{};
  wire::Ed25519Seed sealed_device{};
  wire::PresharedKey psk{};  ///< of the latter
  std::string name;
  std::string secret;

  /// Those of the honest, and others.
  static Keys honest();
  static Keys strangers();

  /// What a server knows beside the token.
  std::vector<access::Device> devices() const;
  /// Nothing but zeros for somebody without a key.
  client::Identity identity_of(Who who) const;
  /// By which a server proves itself to that client.
  wire::Ed25519Seed server_seed_for(Who who) const;
};

}  // namespace qdt::fuzz
