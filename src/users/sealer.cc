#include "users/sealer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "os/file.h"
#include "wire/base64.h"
#include "wire/hkdf.h"

namespace qdt::users {
namespace {

constexpr wire::AeadAlgorithm kAlgorithm = wire::AeadAlgorithm::kChaCha20Poly1305;
constexpr std::string_view kHeading =
    "# Made by qdt-server: the key of the secrets of its users. To be kept secret, and kept: "
    "without "
    "it\n# devices with a token or a PSK have to be added again.\n";
constexpr std::string_view kKind = "users-key:";

std::optional<std::vector<std::uint8_t>> parse_key(std::string_view text) {
  const std::size_t at = text.find(kKind);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + kKind.size());
  auto key = wire::decode_base64(text.substr(0, text.find_first_of("\r\n")));
  if (!key || key->size() != wire::key_bytes(kAlgorithm)) return std::nullopt;
  return key;
}

}  // namespace

Result<wire::Aead*> Sealer::aead(bool may_make) {
  if (aead_) return &*aead_;
  std::vector<std::uint8_t> key;
  if (os::file_exists(path_)) {
    if (auto ok = os::check_secret(path_, "the key of the users' secrets"); !ok) return fail(ok);
    const auto text = os::read_file(path_, os::kMaxTextFileBytes);
    if (!text) return fail(text);
    auto parsed = parse_key(*text);
    if (!parsed) {
      return fail(path_ +
                      ": damaged, expected a line with users-key: and a key; put a backup back, "
                      "or rename it, and add the devices with a token or a PSK again",
                  ErrorCode::kIo);
    }
    key = std::move(*parsed);
  } else {
    if (!may_make) return fail(path_ + ": it is not there", ErrorCode::kIo);
    const auto made = random_.bytes<32>();
    key.assign(made.begin(), made.end());
    const auto written = os::create_private_file(
        path_, std::string(kHeading) + std::string(kKind) + wire::encode_base64(key) + "\n");
    if (!written) return fail(written);
  }
  aead_.emplace(kAlgorithm, key);
  wire::wipe(key);
  return &*aead_;
}

Result<std::string> Sealer::seal(std::string_view place, std::string_view secret) {
  const auto aead = this->aead(/*may_make=*/true);
  if (!aead) return fail(aead);
  const wire::AeadNonce nonce = random_.bytes<wire::kAeadNonceBytes>();
  std::vector<std::uint8_t> out(nonce.size() + secret.size() + wire::kTagBytes);
  std::ranges::copy(nonce, out.begin());
  (*aead)->seal(nonce, as_bytes(place), as_bytes(secret), MutableBytes(out).subspan(nonce.size()));
  return wire::encode_base64(out);
}

std::optional<std::string> Sealer::open(std::string_view place, std::string_view sealed) {
  const auto aead = this->aead(/*may_make=*/false);
  const auto bytes = aead ? wire::decode_base64(sealed) : std::nullopt;
  if (!bytes || bytes->size() < wire::kAeadNonceBytes + wire::kTagBytes) return std::nullopt;
  wire::AeadNonce nonce;
  std::copy_n(bytes->begin(), nonce.size(), nonce.begin());
  const Bytes rest = Bytes(*bytes).subspan(nonce.size());
  std::string secret(rest.size() - wire::kTagBytes, '\0');
  const MutableBytes out(reinterpret_cast<std::uint8_t*>(secret.data()), secret.size());
  if (!(*aead)->open(nonce, as_bytes(place), rest, out)) return std::nullopt;
  return secret;
}

}  // namespace qdt::users
