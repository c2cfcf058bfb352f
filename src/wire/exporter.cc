#include "wire/exporter.h"

#include <cassert>

namespace qdt::wire {

Exporter::Exporter(Bytes master_secret) : bytes_(master_secret.size()) {
  assert(bytes_ == kSha256Bytes || bytes_ == kSha384Bytes);
  append(secret_, master_secret);
}

Exporter& Exporter::operator=(Exporter&& other) noexcept {
  if (this == &other) return *this;
  secret_ = other.secret_;
  bytes_ = std::exchange(other.bytes_, 0);
  wipe(other.secret_);
  return *this;
}

void Exporter::derive(std::string_view label, Bytes context, MutableBytes out) const {
  assert(has_secret());
  std::array<std::uint8_t, kSha384Bytes> hash_of_nothing;
  std::array<std::uint8_t, kSha384Bytes> hash_of_context;
  std::array<std::uint8_t, kSha384Bytes> derived;
  const auto first = [this](auto& buffer) { return MutableBytes(buffer).first(bytes_); };
  tls_hash({}, first(hash_of_nothing));
  tls_hash(context, first(hash_of_context));
  const Bytes master_secret = Bytes(secret_).first(bytes_);
  hkdf_expand_label(master_secret, label, first(hash_of_nothing), first(derived));
  hkdf_expand_label(first(derived), "exporter", first(hash_of_context), out);
  wipe(derived);
}

HkdfSecret Exporter::derive(std::string_view label) const {
  HkdfSecret out;
  derive(label, {}, out);
  return out;
}

}  // namespace qdt::wire
