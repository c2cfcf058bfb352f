#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "wire/capsule.h"
#include "wire/ip_capsule.h"

namespace qdt::client {

/// The capsules of one session's stream, the client's side (docs/protocol.md section 3): what
/// the server lends, and the routes into the tunnel. Pure. One thread.
class IpSignalling {
 public:
  /// Takes what the server sent off the front of `bytes`, up to the end of the first DATAGRAM
  /// capsule, and returns that one's value (RFC 9297 section 3.5), valid as wire::Capsule's;
  /// nothing once all bytes are taken. What is to be sent comes behind what `answer` has. An error
  /// makes the stream malformed, then and for ever after (section 3.3).
  Result<std::optional<Bytes>> receive(Bytes& bytes, std::vector<std::uint8_t>& answer);
  /// Whether the server may end its side now; otherwise a capsule is cut short.
  bool may_end() const { return reader_.is_between_capsules(); }

  /// What the server lends this client, whether it asked or not; nothing: it has not said yet.
  const std::optional<std::vector<Prefix>>& lent() const { return lent_; }
  /// What it advertises; nothing: it has not said yet.
  const std::optional<std::vector<wire::IpRange>>& routes() const { return routes_; }

  /// The rate that the server asks this client to send at, in inner bits a second, once for each
  /// time that it asks; 0: any.
  std::optional<std::uint64_t> take_send_rate() { return std::exchange(send_rate_, std::nullopt); }

  /// An ADDRESS_REQUEST for an address of each kind, to be sent once at most, to a server that
  /// assigns none unasked.
  static std::vector<std::uint8_t> request_for_addresses();

 private:
  Result<void> take(const wire::Capsule& capsule, std::vector<std::uint8_t>& answer);

  std::optional<std::vector<Prefix>> lent_;
  std::optional<std::vector<wire::IpRange>> routes_;
  std::optional<std::uint64_t> send_rate_;
  wire::CapsuleReader reader_;
};

}  // namespace qdt::client
