#pragma once

#include <optional>
#include <string_view>

#include "wire/aead.h"
#include "wire/direct_packet.h"
#include "wire/hkdf.h"
#include "wire/seal.h"
#include "wire/token_keys.h"

namespace qdt::wire {

/// The labels by which version 2's planes get their 32 bytes from TLS' exporter, without a context
/// (docs/protocol.md sections 9 and 10).
inline constexpr std::string_view kSealedExporterLabel = "EXPORTER-qdt-sealed-v2";
inline constexpr std::string_view kDirectExporterLabel2 = "EXPORTER-qdt-direct-v2";

/// The keys of a QUIC plane that is `sealed` (section 9), over what TLS exports and the device's
/// PSK. `algorithm` is kAes256Gcm where both sides have that cap, else kChaCha20Poly1305.
SessionKeys derive_sealed_keys(const HkdfSecret& exported, const PresharedKey& psk,
                               const HandshakeNonce& client_nonce,
                               const HandshakeNonce& server_nonce, AeadAlgorithm algorithm);

/// The secrets of version 2's direct plane (section 10): as version 1's, with the PSK, the device's
/// or its token's, in the token's place, or nothing there.
DirectSecrets derive_direct_secrets(const HkdfSecret& exported,
                                    const std::optional<PresharedKey>& psk,
                                    const HandshakeNonce& client_nonce,
                                    const HandshakeNonce& server_nonce, AeadAlgorithm algorithm);

}  // namespace qdt::wire
