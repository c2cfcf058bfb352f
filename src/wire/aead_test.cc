#include "wire/aead.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "wire/block_cipher.h"
#include "wire/hex_fixture.h"

namespace qdt::wire {
namespace {

std::vector<AeadProvider> providers() {
  std::vector<AeadProvider> found = {AeadProvider::kGnuTls};
  if (best_aead_provider() != AeadProvider::kGnuTls) found.push_back(best_aead_provider());
  return found;
}

struct Case {
  const char* source;
  AeadAlgorithm algorithm;
  std::string key, nonce, associated, plaintext, sealed;
};

const Case kCases[] = {
    {"RFC 8439 section 2.8.2", AeadAlgorithm::kChaCha20Poly1305,
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "070000004041424344454647",
     "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a20496620"
     "4920636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c"
     "2073756e73637265656e20776f756c642062652069742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92"
     "728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b"
     "4831d7bc3ff4def08e4b7a9de576d26586cec64b6116"
     "1ae10b594f09e26a7e902ecbd0600691"},
    {"RFC 9001 section A.5", AeadAlgorithm::kChaCha20Poly1305,
     "c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8", "e0459b3474bdd0e46d417eb0",
     "4200bff4", "01", "655e5cd55c41f69080575d7999c25a5bfb"},
    {"NIST SP 800-38D, test case 4", AeadAlgorithm::kAes128Gcm, "feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
     "b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84"
     "aa051ba30b396a0aac973d58e091"
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {"NIST SP 800-38D, test case 16", AeadAlgorithm::kAes256Gcm,
     "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
     "b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b105682"
     "8838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

TEST(Aead, AnswersAsPublished) {
  for (const Case& test : kCases) {
    for (const AeadProvider provider : providers()) {
      SCOPED_TRACE(test.source);
      Aead aead(test.algorithm, from_hex(test.key), provider);
      AeadNonce nonce;
      append(nonce, from_hex(test.nonce));
      const Octets plaintext = from_hex(test.plaintext);
      Octets sealed(plaintext.size() + kTagBytes);
      aead.seal(nonce, from_hex(test.associated), plaintext, sealed);
      EXPECT_EQ(sealed, from_hex(test.sealed));

      Octets opened(plaintext.size());
      EXPECT_TRUE(aead.open(nonce, from_hex(test.associated), sealed, opened));
      EXPECT_EQ(opened, plaintext);
    }
  }
}

TEST(Aead, OpensNothingOnceABitHasChanged) {
  for (const AeadProvider provider : providers()) {
    for (const auto algorithm :
         {AeadAlgorithm::kAes128Gcm, AeadAlgorithm::kAes256Gcm, AeadAlgorithm::kChaCha20Poly1305}) {
      Aead aead(algorithm, Octets(key_bytes(algorithm), 7), provider);
      const Octets plaintext(50, 1);
      Octets sealed(plaintext.size() + kTagBytes);
      aead.seal({}, Octets(22, 2), plaintext, sealed);
      Octets opened(plaintext.size());
      for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
        sealed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(aead.open({}, Octets(22, 2), sealed, opened)) << bit;
        sealed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      }
      EXPECT_FALSE(aead.open({}, Octets(22, 3), sealed, opened));
      EXPECT_FALSE(aead.open({}, Octets(22, 2), Bytes(sealed).first(kTagBytes - 1), opened));
      EXPECT_TRUE(aead.open({}, Octets(22, 2), sealed, opened));
    }
  }
}

// Each implementation against the other, with every length.
TEST(Aead, ProvidersAgreeOnRandomInput) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto octets = [&](std::size_t count) {
    Octets bytes(count);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    return bytes;
  };
  constexpr std::size_t kLengths = 1501;
  for (std::size_t i = 0; i < 3 * kLengths; ++i) {
    const auto algorithm = static_cast<AeadAlgorithm>(i % 3);
    const Octets key = octets(key_bytes(algorithm));
    Aead ours(algorithm, key);
    Aead theirs(algorithm, key, AeadProvider::kGnuTls);
    AeadNonce nonce;
    append(nonce, octets(nonce.size()));
    const Octets associated = octets(random() % 65);
    const Octets plaintext = octets(i / 3);
    Octets in_place = plaintext;
    in_place.resize(plaintext.size() + kTagBytes);
    ours.seal(nonce, associated, Bytes(in_place).first(plaintext.size()), in_place);
    Octets expected(plaintext.size() + kTagBytes);
    theirs.seal(nonce, associated, plaintext, expected);
    ASSERT_EQ(in_place, expected) << i;
    ASSERT_TRUE(
        ours.open(nonce, associated, in_place, MutableBytes(in_place).first(plaintext.size())));
    in_place.resize(plaintext.size());
    ASSERT_EQ(in_place, plaintext) << i;
  }
}

TEST(Aes128Block, EncryptsAsPublished) {
  if (best_aead_provider() != AeadProvider::kIpsecMb) return;  // nobody asks for it there
  // FIPS 197, appendix C.1.
  const Octets key = from_hex("000102030405060708090a0b0c0d0e0f");
  const Octets block = from_hex("00112233445566778899aabbccddeeff");
  const Aes128Block cipher{std::span<const std::uint8_t, 16>(key)};
  const auto encrypted = cipher.encrypt(std::span<const std::uint8_t, 16>(block));
  EXPECT_EQ(Octets(encrypted.begin(), encrypted.end()),
            from_hex("69c4e0d86a7b0430d8cdb78070b4c55a"));
}

}  // namespace
}  // namespace qdt::wire
