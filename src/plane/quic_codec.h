#pragma once

#include <cstddef>
#include <expected>
#include <variant>

#include "base/bytes.h"
#include "base/drop.h"
#include "base/role.h"
#include "wire/context_datagram.h"
#include "wire/datagram.h"
#include "wire/fragment.h"

namespace qdt::plane {

/// What a QuicPlane writes into the datagrams of its stream, behind the stream's number, and reads
/// from them: version 1's datagrams or version 2's. A session has one of the two for all its life,
/// so a packet costs one branch that is always the same. One thread; allocates only when made.
class QuicCodec {
 public:
  /// Version 1's.
  QuicCodec(Role role, wire::SessionId id, const wire::SessionKeys& keys)
      : sealer_(std::in_place_type<wire::DatagramSealer>, id,
                role == Role::kServer ? keys.server : keys.client),
        opener_(std::in_place_type<wire::DatagramOpener>, id,
                role == Role::kServer ? keys.client : keys.server) {}
  /// Version 2's.
  QuicCodec(Role role, const wire::ContextTerms& terms)
      : cuts_packets_(terms.fragment),
        sealer_(std::in_place_type<wire::ContextSealer>, terms, role),
        opener_(std::in_place_type<wire::ContextOpener>, terms, role) {}

  /// Whether the peer takes fragments.
  bool cuts_packets() const { return cuts_packets_; }

  std::size_t overhead(wire::DatagramType type) const {
    if (const auto* contexts = std::get_if<wire::ContextSealer>(&sealer_)) {
      return contexts->overhead(type);
    }
    return wire::kDatagramOverhead;
  }
  /// The overhead of a fragment over the piece of packet in it.
  std::size_t fragment_overhead() const {
    return overhead(wire::DatagramType::kFragment) + wire::kFragmentHeaderBytes;
  }

  /// As DatagramSealer and ContextSealer have it.
  std::size_t seal(wire::DatagramType type, Bytes prefix, Bytes body, MutableBytes out) {
    if (auto* contexts = std::get_if<wire::ContextSealer>(&sealer_)) {
      return contexts->seal(type, prefix, body, out);
    }
    return std::get_if<wire::DatagramSealer>(&sealer_)->seal(type, prefix, body, out);
  }
  bool is_exhausted() const {
    if (const auto* contexts = std::get_if<wire::ContextSealer>(&sealer_)) {
      return contexts->is_exhausted();
    }
    return std::get_if<wire::DatagramSealer>(&sealer_)->is_exhausted();
  }

  /// `out` has room for datagram.size().
  std::expected<wire::DatagramOpener::Opened, Drop> open(Bytes datagram, MutableBytes out) {
    if (auto* contexts = std::get_if<wire::ContextOpener>(&opener_)) {
      return contexts->open(datagram, out);
    }
    return std::get_if<wire::DatagramOpener>(&opener_)->open(datagram, out);
  }

 private:
  bool cuts_packets_ = true;
  std::variant<wire::DatagramSealer, wire::ContextSealer> sealer_;
  std::variant<wire::DatagramOpener, wire::ContextOpener> opener_;
};

}  // namespace qdt::plane
