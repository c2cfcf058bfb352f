#pragma once

#include <functional>
#include <string>

#include "base/ip_address.h"
#include "wire/ed25519.h"
#include "wire/handshake.h"

namespace qdt::server {

/// A device that asks, by a ticket, to be written down (docs/protocol.md section 12).
struct Enrolment {
  std::string user;    ///< whose ticket it is
  std::string ticket;  ///< the name that its entry has among the user's devices
  wire::Ed25519PublicKey key{};
  std::string name;      ///< as its client calls it, fit for a log line; may be empty
  std::string platform;  ///< likewise
  IpAddress from;
};

/// Writes the device down, and then calls `done` once, on any thread: with kEnrolled once it is on
/// disk, or with the reason why it is not. Called by any thread, which it does not hold up.
using Enroller =
    std::function<void(const Enrolment& device, std::function<void(wire::HandshakeResult)> done)>;

}  // namespace qdt::server
