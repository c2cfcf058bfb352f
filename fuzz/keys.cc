#include "keys.h"

#include "wire/seal.h"

namespace qdt::fuzz {

Keys Keys::honest() {
  return {.token = "secret-token",
          .server = {42},
          .device = {7},
          .sealed_device = {8},
          .psk = {5},
          .name = "laptop",
          .secret = "a secret of 128 bits at least"};
}

Keys Keys::strangers() {
  return {.token = "wrong-token",
          .server = {142},
          .device = {107},
          .sealed_device = {108},
          .psk = {105},
          .name = "laptop",
          .secret = "another secret of 128 bits"};
}

std::vector<access::Device> Keys::devices() const {
  const auto public_key = [](const wire::Ed25519Seed& seed) {
    return wire::Ed25519Key(seed).public_key();
  };
  return {
      {.name = "phone", .key = public_key(device)},
      {.name = "sealed", .key = public_key(sealed_device), .psk = psk},
      {.name = "laptop",
       .login = access::Device::Login{.name = name, .secret_digest = wire::secret_digest(secret)}},
      {.name = "bearer",
       .login = access::Device::Login{.name = "", .secret_digest = wire::secret_digest(secret)}}};
}

client::Identity Keys::identity_of(Who who) const {
  const std::vector<wire::Ed25519PublicKey> server_keys = {wire::Ed25519Key(server).public_key()};
  switch (who) {
    case Who::kVersion1:
    case Who::kToken: return client::identity_of(token);
    case Who::kDevice: return {.seed = device, .server_keys = server_keys};
    case Who::kSealedDevice:
      return {.seed = sealed_device, .server_keys = server_keys, .psk = psk, .needs_sealed = true};
    default: return {};
  }
}

wire::Ed25519Seed Keys::server_seed_for(Who who) const {
  const bool is_of_token = who == Who::kVersion1 || who == Who::kToken;
  return is_of_token ? wire::derive_token_keys(token).server : server;
}

}  // namespace qdt::fuzz
