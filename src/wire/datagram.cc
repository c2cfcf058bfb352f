#include "wire/datagram.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>

namespace qdt::wire {
namespace {

constexpr std::array<std::uint8_t, 3> kMagic = {'Q', 'D', 'T'};
constexpr std::uint8_t kVersion = 1;

}  // namespace

void write_datagram_header(MutableBytes to, const DatagramHeader& header) {
  assert(to.size() >= kDatagramHeaderBytes);
  append(to, kMagic);
  to[3] = kVersion;
  to[4] = static_cast<std::uint8_t>(header.type);
  to[5] = header.flags;
  store_be<std::uint64_t>(&to[6], header.session_id);
  store_be<std::uint64_t>(&to[14], header.counter);
}

std::expected<DatagramHeader, Drop> parse_datagram_header(Bytes datagram) {
  if (datagram.size() < kDatagramOverhead) return std::unexpected(Drop::kShort);
  if (!std::equal(kMagic.begin(), kMagic.end(), datagram.begin())) {
    return std::unexpected(Drop::kBadMagic);
  }
  if (datagram[3] != kVersion) return std::unexpected(Drop::kBadVersion);
  return DatagramHeader{.type = static_cast<DatagramType>(datagram[4]),
                        .flags = datagram[5],
                        .session_id = load_be<std::uint64_t>(&datagram[6]),
                        .counter = load_be<std::uint64_t>(&datagram[14])};
}

DatagramSealer::DatagramSealer(SessionId session_id, const DirectionKey& key,
                               std::uint64_t first_counter)
    : session_id_(session_id), key_(key), aead_(key.algorithm, key.key), counter_(first_counter) {}

std::size_t DatagramSealer::seal(DatagramType type, Bytes prefix, Bytes body, MutableBytes out) {
  assert(!is_exhausted_);
  const std::size_t plaintext_bytes = prefix.size() + body.size();
  const MutableBytes datagram = out.first(kDatagramOverhead + plaintext_bytes);
  write_datagram_header(datagram, {.type = type, .session_id = session_id_, .counter = counter_});

  const Bytes header = datagram.first(kDatagramHeaderBytes);
  const MutableBytes sealed = datagram.subspan(kDatagramHeaderBytes);
  const AeadNonce nonce = key_.nonce(counter_);
  if (prefix.empty()) {
    aead_.seal(nonce, header, body, sealed);
  } else {
    append(append(sealed, prefix), body);
    aead_.seal(nonce, header, sealed.first(plaintext_bytes), sealed);
  }

  is_exhausted_ = counter_ == std::numeric_limits<std::uint64_t>::max();
  ++counter_;
  return datagram.size();
}

DatagramOpener::DatagramOpener(SessionId session_id, const DirectionKey& key)
    : session_id_(session_id), key_(key), aead_(key.algorithm, key.key) {}

std::expected<DatagramOpener::Opened, Drop> DatagramOpener::open(Bytes datagram, MutableBytes out) {
  const auto header = parse_datagram_header(datagram);
  if (!header) return std::unexpected(header.error());
  if (header->session_id != session_id_) return std::unexpected(Drop::kWrongSession);
  if (!window_.accepts(header->counter)) return std::unexpected(Drop::kReplayed);

  const std::size_t bytes = datagram.size() - kDatagramOverhead;
  if (!aead_.open(key_.nonce(header->counter), datagram.first(kDatagramHeaderBytes),
                  datagram.subspan(kDatagramHeaderBytes), out.first(bytes))) {
    return std::unexpected(Drop::kForged);
  }
  window_.mark(header->counter);
  return Opened{header->type, bytes};
}

}  // namespace qdt::wire
