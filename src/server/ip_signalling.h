#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "wire/capsule.h"
#include "wire/handshake.h"
#include "wire/ip_capsule.h"

namespace qdt::server {

/// The capsules of one session's stream, the server's side (docs/protocol.md section 3): what
/// the session is lent, and the routes into the tunnel. Pure. One thread.
class IpSignalling {
 public:
  /// A client may ask for so many addresses, all in all: each of its capsules is answered, and IDs
  /// that were used are remembered.
  static constexpr std::size_t kMaxRequests = 64;

  explicit IpSignalling(const wire::ConnectResponse& lent);

  /// What the server says unasked, right behind its answer.
  std::vector<std::uint8_t> first_capsules() const;
  /// The server pushes these routes from now on: the capsule that says so; empty where they come to
  /// the same ranges as before.
  std::vector<std::uint8_t> use_routes(std::span<const Prefix> pushed);
  /// The client is asked to send no faster, in inner bits a second; 0: as fast as it likes.
  static std::vector<std::uint8_t> rate_capsule(std::uint64_t bits_per_second);
  /// Takes what the client sent off the front of `bytes`, up to the end of the first DATAGRAM
  /// capsule, and returns that one's value (RFC 9297 section 3.5), valid as wire::Capsule's;
  /// nothing once all bytes are taken. What is to be sent comes behind what `answer` has. An error
  /// makes the stream malformed, then and for ever after (section 3.3).
  Result<std::optional<Bytes>> receive(Bytes& bytes, std::vector<std::uint8_t>& answer);
  /// Whether the client may end its side now; otherwise a capsule is cut short.
  bool may_end() const { return reader_.is_between_capsules(); }

 private:
  Result<void> assign(Bytes requested, std::vector<std::uint8_t>& out);

  std::vector<Prefix> lent_;
  std::vector<Prefix> pools_;
  std::vector<wire::IpRange> routes_;
  std::vector<std::uint64_t> used_ids_;
  wire::CapsuleReader reader_;
};

}  // namespace qdt::server
