#pragma once

#include <string_view>

#include "wire/ed25519.h"
#include "wire/hkdf.h"
#include "wire/seal.h"

namespace qdt::wire {

/// The label of the TLS exporter that a server's proof is made from, with no context: 32 bytes.
inline constexpr std::string_view kServerProofLabel = "EXPORTER-qdt-v2-server";

/// What a server signs to show a client that it has its identity key, whatever its certificate
/// (docs/protocol.md, The server's proof).
struct ServerProof {
  HkdfSecret exported{};
  HandshakeNonce client_nonce{};
  HandshakeNonce server_nonce{};
  Ed25519PublicKey client_key{};  ///< by which the client proved itself
};

Ed25519Signature sign_server_proof(const Ed25519Key& server_key, const ServerProof& proof);
[[nodiscard]] bool verify_server_proof(const Ed25519PublicKey& server_key, const ServerProof& proof,
                                       const Ed25519Signature& signature);

}  // namespace qdt::wire
