#include "quic/packet_protection.h"

#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "quic/connection.h"
#include "wire/aead.h"
#include "wire/block_cipher.h"
#include "wire/hkdf.h"

namespace qdt::quic {
namespace {

using wire::Aead;
using wire::AeadAlgorithm;
using wire::Aes128Block;

// The sizes of AEAD_AES_128_GCM, which every QUIC peer has and ours prefer (RFC 9001 section 5.3).
constexpr std::size_t kKeyBytes = 16;
constexpr std::size_t kIvBytes = 12;
constexpr std::size_t kMaskBytes = 5;

using Key = std::array<std::uint8_t, kKeyBytes>;
using Iv = std::array<std::uint8_t, kIvBytes>;

// An AEAD and, for the direction of the peer, its connection's count of what it has opened.
struct PacketAead {
  PacketAead(const Key& key, std::uint64_t& opened_packets)
      : aead(AeadAlgorithm::kAes128Gcm, key), opened(opened_packets) {}
  Aead aead;
  std::uint64_t& opened;
};

// The engine holds contexts as bare pointers, GnuTLS's and ours. Both are aligned, which leaves the
// lowest bit to tell ours by.
constexpr std::uintptr_t kOurs = 1;

bool is_ours(const void* handle) {
  return (reinterpret_cast<std::uintptr_t>(handle) & kOurs) != 0;
}

template <typename Context>
void* to_handle(Context* context) {
  return reinterpret_cast<char*>(context) + kOurs;
}

template <typename Context>
Context& from_handle(void* handle) {
  return *reinterpret_cast<Context*>(static_cast<char*>(handle) - kOurs);
}

// Whether 1-RTT packets of this connection are ours to protect.
bool is_for_us(ngtcp2_conn* engine) {
  const void* cipher = ngtcp2_conn_get_crypto_ctx(engine)->aead.native_handle;
  return wire::best_aead_provider() != wire::AeadProvider::kGnuTls &&
         reinterpret_cast<std::intptr_t>(cipher) == GNUTLS_CIPHER_AES_128_GCM;
}

ngtcp2_crypto_aead_ctx new_context(const Key& key, std::uint64_t& opened) {
  return {.native_handle = to_handle(new PacketAead(key, opened))};
}

using Install = int (*)(ngtcp2_conn*, const std::uint8_t*, std::size_t,
                        const ngtcp2_crypto_aead_ctx*, const std::uint8_t*, std::size_t,
                        const ngtcp2_crypto_cipher_ctx*);

// RFC 9001 section 5.1: key, IV and header protection key from one direction's secret, which has
// SHA-256's length: AES-128-GCM goes with no other hash (RFC 8446 appendix B.4).
bool install(ngtcp2_conn* engine, Bytes secret, Install install_key, std::uint64_t& opened) {
  const auto hkdf_secret = secret.first<wire::kSha256Bytes>();
  Key key;
  Iv iv;
  Key header_key;
  wire::hkdf_expand_label(hkdf_secret, "quic key", key);
  wire::hkdf_expand_label(hkdf_secret, "quic iv", iv);
  wire::hkdf_expand_label(hkdf_secret, "quic hp", header_key);
  const ngtcp2_crypto_aead_ctx aead = new_context(key, opened);
  const ngtcp2_crypto_cipher_ctx header{.native_handle = to_handle(new Aes128Block(
                                            std::span<const std::uint8_t, kKeyBytes>(header_key)))};
  gnutls_memset(key.data(), 0, key.size());
  gnutls_memset(header_key.data(), 0, header_key.size());
  if (install_key(engine, secret.data(), secret.size(), &aead, iv.data(), iv.size(), &header) ==
      0) {
    return true;
  }
  delete &from_handle<PacketAead>(aead.native_handle);
  delete &from_handle<Aes128Block>(header.native_handle);
  return false;
}

// GnuTLS calls this with each level's secrets.
int take_secrets(gnutls_session_t session, gnutls_record_encryption_level_t tls_level,
                 const void* receive_secret, const void* send_secret, std::size_t bytes) {
  auto* reference = static_cast<ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(session));
  ngtcp2_conn* engine = reference->get_conn(reference);
  const auto level = ngtcp2_crypto_gnutls_from_gnutls_record_encryption_level(tls_level);
  const bool is_taken = level == NGTCP2_ENCRYPTION_LEVEL_1RTT && is_for_us(engine);
  std::uint64_t& opened = static_cast<Connection*>(reference->user_data)->opened_counter();

  if (receive_secret != nullptr) {
    const auto* secret = static_cast<const std::uint8_t*>(receive_secret);
    const bool is_installed =
        is_taken ? install(engine, {secret, bytes}, ngtcp2_conn_install_rx_key, opened)
                 : ngtcp2_crypto_derive_and_install_rx_key(engine, nullptr, nullptr, nullptr, level,
                                                           secret, bytes) == 0;
    if (!is_installed) return -1;
  }
  if (send_secret != nullptr) {
    const auto* secret = static_cast<const std::uint8_t*>(send_secret);
    const bool is_installed =
        is_taken ? install(engine, {secret, bytes}, ngtcp2_conn_install_tx_key, opened)
                 : ngtcp2_crypto_derive_and_install_tx_key(engine, nullptr, nullptr, nullptr, level,
                                                           secret, bytes) == 0;
    if (!is_installed) return -1;
  }
  return 0;
}

int encrypt(std::uint8_t* out, const ngtcp2_crypto_aead* aead,
            const ngtcp2_crypto_aead_ctx* context, const std::uint8_t* plaintext, std::size_t bytes,
            const std::uint8_t* nonce, std::size_t nonce_bytes, const std::uint8_t* associated,
            std::size_t associated_bytes) {
  if (!is_ours(context->native_handle)) {
    return ngtcp2_crypto_encrypt_cb(out, aead, context, plaintext, bytes, nonce, nonce_bytes,
                                    associated, associated_bytes);
  }
  wire::AeadNonce our_nonce;
  append(our_nonce, {nonce, our_nonce.size()});
  from_handle<PacketAead>(context->native_handle)
      .aead.seal(our_nonce, {associated, associated_bytes}, {plaintext, bytes},
                 {out, bytes + wire::kTagBytes});
  return 0;
}

int decrypt(std::uint8_t* out, const ngtcp2_crypto_aead* aead,
            const ngtcp2_crypto_aead_ctx* context, const std::uint8_t* sealed, std::size_t bytes,
            const std::uint8_t* nonce, std::size_t nonce_bytes, const std::uint8_t* associated,
            std::size_t associated_bytes) {
  if (!is_ours(context->native_handle)) {
    return ngtcp2_crypto_decrypt_cb(out, aead, context, sealed, bytes, nonce, nonce_bytes,
                                    associated, associated_bytes);
  }
  if (bytes < wire::kTagBytes) return NGTCP2_ERR_DECRYPT;
  wire::AeadNonce our_nonce;
  append(our_nonce, {nonce, our_nonce.size()});
  auto& packet_aead = from_handle<PacketAead>(context->native_handle);
  if (!packet_aead.aead.open(our_nonce, {associated, associated_bytes}, {sealed, bytes},
                             {out, bytes - wire::kTagBytes})) {
    return NGTCP2_ERR_DECRYPT;
  }
  ++packet_aead.opened;
  return 0;
}

int mask_header(std::uint8_t* out, const ngtcp2_crypto_cipher* cipher,
                const ngtcp2_crypto_cipher_ctx* context, const std::uint8_t* sample) {
  if (!is_ours(context->native_handle)) {
    return ngtcp2_crypto_hp_mask_cb(out, cipher, context, sample);
  }
  const auto block =
      from_handle<const Aes128Block>(context->native_handle)
          .encrypt(std::span<const std::uint8_t, Aes128Block::kBytes>(sample, Aes128Block::kBytes));
  append({out, kMaskBytes}, Bytes(block).first(kMaskBytes));
  return 0;
}

int update_key(ngtcp2_conn* engine, std::uint8_t* receive_secret, std::uint8_t* send_secret,
               ngtcp2_crypto_aead_ctx* receive, std::uint8_t* receive_iv,
               ngtcp2_crypto_aead_ctx* send, std::uint8_t* send_iv,
               const std::uint8_t* old_receive_secret, const std::uint8_t* old_send_secret,
               std::size_t bytes, void* user) {
  // Room for the longest key: the suite may be another than ours.
  std::array<std::uint8_t, 64> receive_key;
  std::array<std::uint8_t, 64> send_key;
  if (ngtcp2_crypto_update_key(engine, receive_secret, send_secret, receive, receive_key.data(),
                               receive_iv, send, send_key.data(), send_iv, old_receive_secret,
                               old_send_secret, bytes) != 0) {
    return NGTCP2_ERR_CALLBACK_FAILURE;
  }
  if (is_for_us(engine)) {
    for (const auto& [context, bytes_of_key] :
         {std::pair{receive, &receive_key}, std::pair{send, &send_key}}) {
      ngtcp2_crypto_aead_ctx_free(context);
      Key key;
      append(key, Bytes(*bytes_of_key).first(kKeyBytes));
      *context = new_context(key, static_cast<Connection*>(user)->opened_counter());
      gnutls_memset(key.data(), 0, key.size());
    }
  }
  gnutls_memset(receive_key.data(), 0, receive_key.size());
  gnutls_memset(send_key.data(), 0, send_key.size());
  return 0;
}

void delete_aead(ngtcp2_conn* engine, ngtcp2_crypto_aead_ctx* context, void* user) {
  if (!is_ours(context->native_handle)) {
    ngtcp2_crypto_delete_crypto_aead_ctx_cb(engine, context, user);
    return;
  }
  delete &from_handle<PacketAead>(context->native_handle);
}

void delete_cipher(ngtcp2_conn* engine, ngtcp2_crypto_cipher_ctx* context, void* user) {
  if (!is_ours(context->native_handle)) {
    ngtcp2_crypto_delete_crypto_cipher_ctx_cb(engine, context, user);
    return;
  }
  delete &from_handle<Aes128Block>(context->native_handle);
}

}  // namespace

void protect_packets(ngtcp2_callbacks& callbacks) {
  callbacks.encrypt = encrypt;
  callbacks.decrypt = decrypt;
  callbacks.hp_mask = mask_header;
  callbacks.update_key = update_key;
  callbacks.delete_crypto_aead_ctx = delete_aead;
  callbacks.delete_crypto_cipher_ctx = delete_cipher;
}

void take_packet_secrets(gnutls_session_t session) {
  gnutls_handshake_set_secret_function(session, take_secrets);
}

}  // namespace qdt::quic
