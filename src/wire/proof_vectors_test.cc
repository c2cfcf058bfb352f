// Version 2's known answers (tests/proof_vectors.json), both ways.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "wire/capsule.h"
#include "wire/concealed_auth.h"
#include "wire/context_datagram.h"
#include "wire/hex_fixture.h"
#include "wire/ip_capsule.h"
#include "wire/ip_ranges.h"
#include "wire/link.h"
#include "wire/psk_keys.h"
#include "wire/server_proof.h"
#include "wire/token_keys.h"

namespace qdt::wire {
namespace {

using Json = nlohmann::json;

const Json& vectors() {
  static const Json json = Json::parse(std::ifstream(QDT_SOURCE_DIR "/tests/proof_vectors.json"));
  return json;
}

TEST(ProofVectors, AreAllThere) {
  EXPECT_EQ(vectors()["tokens"].size(), 3u);
  EXPECT_EQ(vectors()["proofs"].size(), 5u);
  EXPECT_EQ(vectors()["links"].size(), 3u);
  EXPECT_EQ(vectors()["server_proofs"].size(), 2u);
  EXPECT_EQ(vectors()["sealed"].size(), 2u);
  EXPECT_EQ(vectors()["direct"].size(), 2u);
  EXPECT_EQ(vectors()["assigned"].size(), 3u);
  EXPECT_EQ(vectors()["advertised"].size(), 4u);
}

TEST(ProofVectors, DeriveTheKnownKeysFromTokens) {
  for (const Json& expected : vectors()["tokens"]) {
    const TokenKeys keys = derive_token_keys(expected["token"].get<std::string>());
    EXPECT_EQ(keys.client, from_hex<Ed25519Seed>(expected["client_seed_hex"]));
    EXPECT_EQ(keys.server, from_hex<Ed25519Seed>(expected["server_seed_hex"]));
    EXPECT_EQ(keys.psk, from_hex<PresharedKey>(expected["psk_hex"]));
    EXPECT_EQ(Ed25519Key(keys.client).public_key(),
              from_hex<Ed25519PublicKey>(expected["client_public_key_hex"]));
    EXPECT_EQ(Ed25519Key(keys.server).public_key(),
              from_hex<Ed25519PublicKey>(expected["server_public_key_hex"]));
  }
}

TEST(ProofVectors, WriteAndReadTheKnownLinks) {
  for (const Json& expected : vectors()["links"]) {
    const auto text = expected["link"].get<std::string>();
    const auto link = parse_link(text);
    ASSERT_TRUE(link) << link.error().message;
    EXPECT_EQ(write_link(*link), text);
    EXPECT_EQ(write_authority(link->server), expected["authority"].get<std::string>());
    EXPECT_EQ(link->name, expected["name"].get<std::string>());
    ASSERT_EQ(link->server_keys.size(), expected["server_keys_hex"].size());
    for (std::size_t i = 0; i < link->server_keys.size(); ++i) {
      EXPECT_EQ(link->server_keys[i], from_hex<Ed25519PublicKey>(expected["server_keys_hex"][i]));
    }
    if (const auto* ticket = std::get_if<TicketSecret>(&link->secret)) {
      EXPECT_EQ(*ticket, from_hex<TicketSecret>(expected["secret_hex"]));
      EXPECT_EQ(derive_ticket_seed(*ticket), from_hex<Ed25519Seed>(expected["ticket_seed_hex"]));
    } else {
      EXPECT_EQ(std::get<Ed25519Seed>(link->secret), from_hex<Ed25519Seed>(expected["secret_hex"]));
    }
  }
}

TEST(ProofVectors, ProveTheKnownClients) {
  for (const Json& expected : vectors()["proofs"]) {
    const Ed25519Key key(from_hex<Ed25519Seed>(expected["seed_hex"]));
    const Octets key_id = from_hex(expected["key_id_hex"]);
    const auto exported = from_hex<ConcealedExport>(expected["exported_hex"]);
    EXPECT_EQ(key.public_key(), from_hex<Ed25519PublicKey>(expected["public_key_hex"]));
    EXPECT_EQ(concealed_context(key_id, key.public_key(), expected["host"].get<std::string>(),
                                expected["port"]),
              from_hex(expected["context_hex"]));

    const ConcealedAuth auth = prove(key, key_id, exported);
    const auto header = expected["header"].get<std::string>();
    EXPECT_EQ(write_concealed_auth(auth), header);
    const auto read = parse_concealed_auth(header);
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, auth);
    EXPECT_TRUE(is_proven(*read, exported));
  }
}

TEST(ProofVectors, NameAKeyByItsDigest) {
  const Json& expected = vectors()["proofs"][0];
  EXPECT_EQ(key_id_of(from_hex<Ed25519PublicKey>(expected["public_key_hex"])),
            from_hex(expected["key_id_hex"]));
}

TEST(ProofVectors, ProveTheKnownServers) {
  for (const Json& expected : vectors()["server_proofs"]) {
    const Ed25519Key key(from_hex<Ed25519Seed>(expected["server_seed_hex"]));
    const ServerProof proof{.exported = from_hex<HkdfSecret>(expected["exported_hex"]),
                            .client_nonce = from_hex<HandshakeNonce>(expected["client_nonce_hex"]),
                            .server_nonce = from_hex<HandshakeNonce>(expected["server_nonce_hex"]),
                            .client_key = from_hex<Ed25519PublicKey>(expected["client_key_hex"])};
    const auto signature = from_hex<Ed25519Signature>(expected["signature_hex"]);
    EXPECT_EQ(sign_server_proof(key, proof), signature);
    EXPECT_TRUE(verify_server_proof(key.public_key(), proof, signature));
  }
}

SessionKeys known_sealed_keys(const Json& expected) {
  const bool is_aes = expected["algorithm"] == "aes-256-gcm";
  return derive_sealed_keys(from_hex<HkdfSecret>(expected["exported_hex"]),
                            from_hex<PresharedKey>(expected["psk_hex"]),
                            from_hex<HandshakeNonce>(expected["client_nonce_hex"]),
                            from_hex<HandshakeNonce>(expected["server_nonce_hex"]),
                            is_aes ? AeadAlgorithm::kAes256Gcm : AeadAlgorithm::kChaCha20Poly1305);
}

TEST(ProofVectors, DeriveTheKnownKeysOfSealedPlanes) {
  for (const Json& expected : vectors()["sealed"]) {
    const SessionKeys keys = known_sealed_keys(expected);
    using Key = decltype(DirectionKey::key);
    using Prefix = decltype(DirectionKey::nonce_prefix);
    EXPECT_EQ(keys.client.key, from_hex<Key>(expected["client_key_hex"]));
    EXPECT_EQ(keys.server.key, from_hex<Key>(expected["server_key_hex"]));
    EXPECT_EQ(keys.client.nonce_prefix, from_hex<Prefix>(expected["client_nonce_prefix_hex"]));
    EXPECT_EQ(keys.server.nonce_prefix, from_hex<Prefix>(expected["server_nonce_prefix_hex"]));
  }
}

TEST(ProofVectors, SealAndOpenTheKnownDatagrams) {
  for (const Json& expected : vectors()["sealed"]) {
    const ContextTerms terms{
        .fragment = true, .control = true, .sealed = known_sealed_keys(expected)};
    ContextOpener opener(terms, Role::kClient);
    EXPECT_EQ(expected["datagrams"].size(), 5u);
    for (const Json& known : expected["datagrams"]) {
      const Octets datagram = from_hex(known["datagram_hex"]);
      const Octets content = from_hex(known["content_hex"]);
      const auto type = static_cast<DatagramType>(known["type"].get<int>());
      Octets out(datagram.size());
      ContextSealer sealer(terms, Role::kServer, known["counter"]);
      EXPECT_EQ(sealer.seal(type, {}, content, out), datagram.size());
      EXPECT_EQ(out, datagram);
      const auto opened = opener.open(datagram, out);
      ASSERT_TRUE(opened);
      EXPECT_EQ(opened->type, type);
      EXPECT_TRUE(std::ranges::equal(Bytes(out).first(opened->bytes), content));
    }
  }
}

TEST(ProofVectors, DeriveTheKnownDirectSecrets) {
  for (const Json& expected : vectors()["direct"]) {
    const auto psk_hex = expected["psk_hex"].get<std::string>();
    const DirectSecrets secrets = derive_direct_secrets(
        from_hex<HkdfSecret>(expected["exported_hex"]),
        psk_hex.empty() ? std::nullopt : std::optional(from_hex<PresharedKey>(psk_hex)),
        from_hex<HandshakeNonce>(expected["client_nonce_hex"]),
        from_hex<HandshakeNonce>(expected["server_nonce_hex"]), AeadAlgorithm::kAes256Gcm);
    EXPECT_EQ(secrets.algorithm, AeadAlgorithm::kAes256Gcm);
    EXPECT_EQ(secrets.client, from_hex<HkdfSecret>(expected["client_secret_hex"]));
    EXPECT_EQ(secrets.server, from_hex<HkdfSecret>(expected["server_secret_hex"]));
  }
}

// The value, and the capsule around it, both ways.
void expect_capsule(const Json& expected, const Octets& value) {
  EXPECT_EQ(value, from_hex(expected["value_hex"]));
  Octets written;
  append_capsule(written, expected["type"], value);
  const Octets known = from_hex(expected["capsule_hex"]);
  EXPECT_EQ(written, known);
  Bytes stream(known);
  CapsuleReader reader;
  const auto read = reader.take(stream);
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->type, expected["type"]);
  EXPECT_TRUE(std::ranges::equal((*read)->value, value));
}

TEST(ProofVectors, AssignTheKnownAddresses) {
  for (const Json& expected : vectors()["assigned"]) {
    std::vector<CapsuleAddress> addresses;
    for (const Json& entry : expected["addresses"]) {
      addresses.push_back({entry[0], *Prefix::parse(entry[1].get<std::string>())});
    }
    expect_capsule(expected, write_addresses(addresses));
    EXPECT_EQ(parse_address_assign(from_hex(expected["value_hex"])), addresses);
  }
}

TEST(ProofVectors, AdvertiseTheKnownRoutes) {
  for (const Json& expected : vectors()["advertised"]) {
    std::vector<IpRange> ranges;
    for (const Json& range : expected["ranges"]) {
      ranges.push_back({.first = *IpAddress::parse(range[0].get<std::string>()),
                        .last = *IpAddress::parse(range[1].get<std::string>())});
    }
    expect_capsule(expected, write_routes(ranges));
    std::vector<Prefix> prefixes;
    for (const Json& prefix : expected["prefixes"]) {
      prefixes.push_back(*Prefix::parse(prefix.get<std::string>()));
    }
    EXPECT_EQ(ranges_of(prefixes), ranges);
    std::vector<Prefix> split;
    for (const IpRange& range : ranges)
      std::ranges::copy(prefixes_of(range), std::back_inserter(split));
    EXPECT_EQ(split, prefixes);
    EXPECT_EQ(parse_route_advertisement(from_hex(expected["value_hex"])), ranges);
  }
}

}  // namespace
}  // namespace qdt::wire
