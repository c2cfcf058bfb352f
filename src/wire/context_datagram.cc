#include "wire/context_datagram.h"

#include <array>
#include <cassert>
#include <cstring>
#include <limits>

#include "wire/varint.h"

namespace qdt::wire {
namespace {

constexpr std::size_t kCounterBytes = 8;
constexpr std::size_t kTypeBytes = 1;
// Of the context's ID and the counter.
using Associated = std::array<std::uint8_t, 1 + kCounterBytes>;

// Contexts that each side could register (RFC 9484 section 5: even ones are the client's, odd ones
// the server's), and never does.
constexpr std::uint8_t kClientsUnregistered = 62;
constexpr std::uint8_t kServersUnregistered = 63;

constexpr std::uint8_t number(ContextId id) {
  return static_cast<std::uint8_t>(id);
}

bool is_control(DatagramType type) {
  return type == DatagramType::kPing || type == DatagramType::kPong || type == DatagramType::kClose;
}

bool is_known(DatagramType type) {
  return type == DatagramType::kData || type == DatagramType::kFragment || is_control(type);
}

const DirectionKey& key_of(const SessionKeys& keys, bool is_servers) {
  return is_servers ? keys.server : keys.client;
}

std::uint8_t control_context(const ContextTerms& terms, Role role) {
  if (terms.control) return number(ContextId::kControl);
  return role == Role::kClient ? kClientsUnregistered : kServersUnregistered;
}

}  // namespace

ContextSealer::ContextSealer(const ContextTerms& terms, Role role, std::uint64_t first_counter)
    : control_context_(control_context(terms, role)) {
  if (!terms.sealed) return;
  const DirectionKey& key = key_of(*terms.sealed, role == Role::kServer);
  sealed_.emplace(key, Aead(key.algorithm, key.key), first_counter);
}

std::size_t ContextSealer::seal(DatagramType type, Bytes prefix, Bytes body, MutableBytes out) {
  if (sealed_) return seal_it(type, prefix, body, out);
  const std::size_t header_bytes = overhead(type);
  const std::size_t bytes = header_bytes + prefix.size() + body.size();
  const MutableBytes datagram = out.first(bytes);
  switch (type) {
    case DatagramType::kData: datagram[0] = number(ContextId::kPacket); break;
    case DatagramType::kFragment: datagram[0] = number(ContextId::kFragment); break;
    default: datagram[0] = control_context_; datagram[1] = static_cast<std::uint8_t>(type);
  }
  append(append(datagram.subspan(header_bytes), prefix), body);
  return bytes;
}

std::size_t ContextSealer::seal_it(DatagramType type, Bytes prefix, Bytes body, MutableBytes out) {
  assert(!is_exhausted_);
  const std::size_t plaintext_bytes = kTypeBytes + prefix.size() + body.size();
  const std::size_t header_bytes = std::tuple_size_v<Associated>;
  const MutableBytes datagram = out.first(header_bytes + plaintext_bytes + kTagBytes);
  datagram[0] = number(ContextId::kSealed);
  store_be<std::uint64_t>(&datagram[1], sealed_->counter);

  const MutableBytes sealed = datagram.subspan(header_bytes);
  sealed[0] = static_cast<std::uint8_t>(type);
  append(append(sealed.subspan(kTypeBytes), prefix), body);
  sealed_->aead.seal(sealed_->key.nonce(sealed_->counter), datagram.first(header_bytes),
                     sealed.first(plaintext_bytes), sealed);

  is_exhausted_ = sealed_->counter == std::numeric_limits<std::uint64_t>::max();
  ++sealed_->counter;
  return datagram.size();
}

ContextOpener::ContextOpener(const ContextTerms& terms, Role role)
    : has_fragment_(terms.fragment), has_control_(terms.control) {
  if (!terms.sealed) return;
  const DirectionKey& key = key_of(*terms.sealed, role == Role::kClient);
  sealed_.emplace(key, Aead(key.algorithm, key.key));
}

std::expected<DatagramOpener::Opened, Drop> ContextOpener::open(Bytes datagram, MutableBytes out) {
  // RFC 9000 section 16: a number may have any form that is long enough for it.
  const auto context = parse_varint(datagram);
  if (!context) return std::unexpected(Drop::kShort);
  const Bytes rest = datagram.subspan(context->bytes);
  if (sealed_) {
    if (context->value != number(ContextId::kSealed)) return std::unexpected(Drop::kUnknownType);
    return open_sealed(rest, out);
  }
  const auto opened = [&](DatagramType type, Bytes content) {
    append(out, content);
    return DatagramOpener::Opened{type, content.size()};
  };
  if (context->value == number(ContextId::kPacket)) return opened(DatagramType::kData, rest);
  if (context->value == number(ContextId::kFragment) && has_fragment_) {
    return opened(DatagramType::kFragment, rest);
  }
  if (context->value != number(ContextId::kControl) || !has_control_) {
    return std::unexpected(Drop::kUnknownType);
  }
  if (rest.empty()) return std::unexpected(Drop::kShort);
  const auto type = static_cast<DatagramType>(rest[0]);
  if (!is_control(type)) return std::unexpected(Drop::kUnknownType);
  return opened(type, rest.subspan(kTypeBytes));
}

// `sealed` is what follows the context.
std::expected<DatagramOpener::Opened, Drop> ContextOpener::open_sealed(Bytes sealed,
                                                                       MutableBytes out) {
  if (sealed.size() < kCounterBytes + kTypeBytes + kTagBytes) return std::unexpected(Drop::kShort);
  const auto counter = load_be<std::uint64_t>(sealed.data());
  if (!sealed_->window.accepts(counter)) return std::unexpected(Drop::kReplayed);

  Associated associated{number(ContextId::kSealed)};
  append(MutableBytes(associated).subspan(1), sealed.first(kCounterBytes));
  const Bytes ciphertext = sealed.subspan(kCounterBytes);
  const std::size_t plaintext_bytes = ciphertext.size() - kTagBytes;
  if (!sealed_->aead.open(sealed_->key.nonce(counter), associated, ciphertext,
                          out.first(plaintext_bytes))) {
    return std::unexpected(Drop::kForged);
  }
  sealed_->window.mark(counter);
  const auto type = static_cast<DatagramType>(out[0]);
  if (!is_known(type)) return std::unexpected(Drop::kUnknownType);
  if (type == DatagramType::kFragment && !has_fragment_) {
    return std::unexpected(Drop::kUnknownType);
  }
  // The packet has to begin where `out` does.
  const std::size_t bytes = plaintext_bytes - kTypeBytes;
  std::memmove(out.data(), out.data() + kTypeBytes, bytes);
  return DatagramOpener::Opened{type, bytes};
}

}  // namespace qdt::wire
