#include "wire/server_proof.h"

#include <vector>

#include "wire/signed_content.h"

namespace qdt::wire {
namespace {

// Every part has one length, so that no two proofs have one content.
std::vector<std::uint8_t> content_to_sign(const Ed25519PublicKey& server_key,
                                          const ServerProof& proof) {
  return signed_content("QDT Server Proof", {proof.exported, proof.client_nonce, proof.server_nonce,
                                             proof.client_key, server_key});
}

}  // namespace

Ed25519Signature sign_server_proof(const Ed25519Key& server_key, const ServerProof& proof) {
  return server_key.sign(content_to_sign(server_key.public_key(), proof));
}

bool verify_server_proof(const Ed25519PublicKey& server_key, const ServerProof& proof,
                         const Ed25519Signature& signature) {
  return verify_ed25519(server_key, content_to_sign(server_key, proof), signature);
}

}  // namespace qdt::wire
