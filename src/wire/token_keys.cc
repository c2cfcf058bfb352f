#include "wire/token_keys.h"

#include "wire/hkdf.h"

namespace qdt::wire {

TokenKeys derive_token_keys(std::string_view token) {
  HkdfSecret extracted = hkdf_extract(as_bytes("qdt-v2 token"), as_bytes(token));
  TokenKeys keys;
  hkdf_expand(extracted, "qdt-v2 client ed25519", keys.client);
  hkdf_expand(extracted, "qdt-v2 server ed25519", keys.server);
  hkdf_expand(extracted, "qdt-v2 psk", keys.psk);
  wipe(extracted);
  return keys;
}

Ed25519Seed derive_ticket_seed(const TicketSecret& ticket) {
  HkdfSecret extracted = hkdf_extract(as_bytes("qdt-v2 ticket"), ticket);
  Ed25519Seed seed;
  hkdf_expand(extracted, "qdt-v2 ticket ed25519", seed);
  wipe(extracted);
  return seed;
}

}  // namespace qdt::wire
