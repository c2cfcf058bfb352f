#include "wire/concealed_auth.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace qdt::wire {
namespace {

const Ed25519Key& key() {
  static const Ed25519Key key(Ed25519Seed{1});
  return key;
}

ConcealedExport exported(std::uint8_t seed) {
  ConcealedExport bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(seed + i);
  return bytes;
}

// The example of RFC 9729 section 5.
const std::string kKeyId = "k=YmFzZW1lbnQ";
const std::string kPublicKey = "a=VGhpcyBpcyBh-HB1YmxpYyBrZXkgaW4gdXNl_GhlcmU";
const std::string kScheme = "s=2055";
const std::string kVerification = "v=dmVyaWZpY2F0aW9u_zE2Qg";
const std::string kProof =
    "p=SW5zZXJ0_HNpZ25hdHVyZSBvZiBub25jZSBoZXJlIHdoaWNoIHRha2VzIDUxMiBiaXRz-GZvciBFZDI1NTE5IQ";

std::string join(const std::vector<std::string>& parameters,
                 const std::string& scheme = "Concealed", const std::string& comma = ", ") {
  std::string field = scheme + " ";
  for (const std::string& parameter : parameters) {
    if (&parameter != &parameters.front()) field += comma;
    field += parameter;
  }
  return field;
}

const std::vector<std::string> kParameters = {kKeyId, kPublicKey, kScheme, kVerification, kProof};

TEST(ConcealedAuth, ReadsAndWritesTheExampleOfRfc9729) {
  const auto auth = parse_concealed_auth(join(kParameters));
  ASSERT_TRUE(auth);
  EXPECT_EQ(as_text(auth->key_id), "basement");
  EXPECT_EQ(as_text(auth->public_key), "This is a\xf8public key in use\xfchere");
  EXPECT_EQ(as_text(auth->verification),
            "verification\xff"
            "16B");
  EXPECT_TRUE(as_text(auth->proof)
                  .ends_with("bits\xf8"
                             "for Ed25519!"));
  EXPECT_EQ(write_concealed_auth(*auth), join(kParameters));
}

TEST(ConcealedAuth, ReadsEveryFormThatHttpAllows) {
  const auto expected = parse_concealed_auth(join(kParameters));
  ASSERT_TRUE(expected);
  const std::string fields[] = {
      join({kProof, kVerification, kScheme, kPublicKey, kKeyId}),
      join(kParameters, "CONCEALED  "),
      join(kParameters, "concealed", ","),
      join(kParameters, "Concealed", " \t,\t "),
      join({"K=YmFzZW1lbnQ", kPublicKey, "S = 2055", kVerification, kProof}),
      join({kKeyId, "x=1", kPublicKey, R"(ka="a, \" k=AA, ä")", kScheme, kVerification, kProof}),
  };
  for (const std::string& field : fields) EXPECT_EQ(parse_concealed_auth(field), expected) << field;
}

TEST(ConcealedAuth, RefusesAParameterThatIsMissingOrDoubled) {
  for (std::size_t i = 0; i < kParameters.size(); ++i) {
    auto without = kParameters;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(parse_concealed_auth(join(without))) << i;
    auto twice = kParameters;
    twice.push_back(kParameters[i]);
    EXPECT_FALSE(parse_concealed_auth(join(twice))) << i;
  }
}

TEST(ConcealedAuth, RefusesParametersOfAnotherForm) {
  const std::pair<std::size_t, std::vector<std::string>> cases[] = {
      {0,
       {"k=", "k", "k=YmFzZW1lbnQ=", "k=\"YmFzZW1lbnQ\"", "k=YmFzZW1lbnR", "k=Ym+z",
        "k=" + std::string(88, 'A')}},
      {1, {"a=VGhp", "a=VGhpcyBpcyBh-HB1YmxpYyBrZXkgaW4gdXNl_GhlcmUA"}},
      {2, {"s=2053", "s=02055", "s=\"2055\"", "s=+2055", "s=2055.0", "s=65536"}},
      {3, {"v=dmVyaWZpY2F0aW9u_zE2", "v=dmVyaWZpY2F0aW9u_zE2QgA"}},
      {4, {"p=SW5z", kProof + "AA"}},
  };
  for (const auto& [place, texts] : cases) {
    for (const std::string& text : texts) {
      auto parameters = kParameters;
      parameters[place] = text;
      EXPECT_FALSE(parse_concealed_auth(join(parameters))) << text;
    }
  }
}

TEST(ConcealedAuth, RefusesFieldsOfAnotherForm) {
  const std::string good = join(kParameters);
  const std::string fields[] = {"",
                                "Concealed",
                                "Concealed ",
                                "Basic dXNlcjpwYXNz",
                                join(kParameters, "Bearer"),
                                join(kParameters, " Concealed"),
                                "Concealed," + good.substr(10),
                                good + ",",
                                good + ", ,",
                                "Concealed , " + good.substr(10),
                                good + " x=1",
                                good + ", x",
                                good + ", =1",
                                good + ", x=\"1",
                                good + ", x=\"1\n\"",
                                good + ", x=\"1\\",
                                good + ", realm=\"r\"",
                                good + ", Realm=r",
                                good + ", x=" + std::string(kMaxConcealedAuthBytes, '1')};
  for (const std::string& field : fields) EXPECT_FALSE(parse_concealed_auth(field)) << field;
}

TEST(ConcealedAuth, RefusesAFieldCutAnywhere) {
  const std::string field = join(kParameters);
  for (std::size_t bytes = 0; bytes < field.size(); ++bytes) {
    EXPECT_FALSE(parse_concealed_auth(field.substr(0, bytes))) << bytes;
  }
}

TEST(ConcealedContext, HasWhatTheProofIsBoundTo) {
  Ed25519PublicKey public_key;
  public_key.fill(0xaa);
  std::vector<std::uint8_t> expected = {0x08, 0x07, 2, 'k', '1', 32};
  expected.insert(expected.end(), 32, 0xaa);
  expected.insert(expected.end(), {5, 'h', 't', 't', 'p', 's', 5, 'a', '.', 'o', 'r', 'g'});
  expected.insert(expected.end(), {0x01, 0xbb, 0});
  EXPECT_EQ(concealed_context(as_bytes("k1"), public_key, "A.Org", 443), expected);
}

TEST(Proof, HoldsForItsKeyAndConnectionAlone) {
  const auto auth = prove(key(), key_id_of(key().public_key()), exported(0));
  EXPECT_TRUE(is_proven(auth, exported(0)));
  EXPECT_FALSE(is_proven(auth, exported(1))) << "of another connection";

  ConcealedAuth changed = auth;
  changed.public_key = Ed25519Key(Ed25519Seed{2}).public_key();
  EXPECT_FALSE(is_proven(changed, exported(0))) << "of another key";
  changed = auth;
  changed.verification[15] ^= 1;
  EXPECT_FALSE(is_proven(changed, exported(0)));
  changed = auth;
  changed.proof[0] ^= 1;
  EXPECT_FALSE(is_proven(changed, exported(0)));
}

TEST(Proof, SignsOnlyTheFirstPartOfTheExport) {
  ConcealedExport other = exported(0);
  other.back() ^= 1;
  const auto a = prove(key(), as_bytes("k"), exported(0));
  const auto b = prove(key(), as_bytes("k"), other);
  EXPECT_EQ(a.proof, b.proof);
  EXPECT_NE(a.verification, b.verification);
}

}  // namespace
}  // namespace qdt::wire
