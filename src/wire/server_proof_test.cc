#include "wire/server_proof.h"

#include <gtest/gtest.h>

#include "wire/concealed_auth.h"
#include "wire/signed_content.h"

namespace qdt::wire {
namespace {

const ServerProof kProof{
    .exported = {1}, .client_nonce = {2}, .server_nonce = {3}, .client_key = {4}};

TEST(ServerProof, HoldsForWhatItCoversAlone) {
  const Ed25519Key key(Ed25519Seed{9});
  const Ed25519Signature signature = sign_server_proof(key, kProof);
  const auto holds = [&](const ServerProof& proof) {
    return verify_server_proof(key.public_key(), proof, signature);
  };
  EXPECT_TRUE(holds(kProof));

  ServerProof other = kProof;
  other.exported[31] = 1;
  EXPECT_FALSE(holds(other)) << "of another connection";
  other = kProof;
  other.client_nonce[15] = 1;
  EXPECT_FALSE(holds(other));
  other = kProof;
  other.server_nonce[15] = 1;
  EXPECT_FALSE(holds(other));
  other = kProof;
  other.client_key[31] = 1;
  EXPECT_FALSE(holds(other)) << "for another client";
  EXPECT_FALSE(verify_server_proof(Ed25519Key(Ed25519Seed{8}).public_key(), kProof, signature));
}

TEST(ServerProof, IsNoProofOfAClient) {
  const Ed25519Key key(Ed25519Seed{9});
  const ConcealedExport exported{1};
  ConcealedAuth auth = prove(key, as_bytes("k"), exported);
  ASSERT_TRUE(is_proven(auth, exported));
  auth.proof = key.sign(signed_content("QDT Server Proof", {Bytes(exported).first(32)}));
  EXPECT_FALSE(is_proven(auth, exported));
}

}  // namespace
}  // namespace qdt::wire
