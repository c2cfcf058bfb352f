#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "access/traffic.h"
#include "base/ip_address.h"
#include "base/time.h"
#include "tunnel/session.h"
#include "wire/session_id.h"

namespace qdt::tunnel {

/// A session at one moment, for people and programs that ask.
struct SessionFacts {
  wire::SessionId id = 0;
  std::string user;                    ///< empty: the configuration's
  std::string device;                  ///< of the user; empty: those that have the token
  std::string client;                  ///< as it calls itself, fit for a log line; may be empty
  std::optional<SocketAddress> outer;  ///< where its payloads go; none: a plane without such
  IpAddress lease;
  std::optional<IpAddress> lease6;
  Duration age{};
  Duration silence{};  ///< since something authentic came
  Duration rtt{};      ///< zero: not known
  /// Outer packets to the peer, as far as its feedback tells of them: the direct plane's alone.
  std::uint64_t packets_arrived = 0;
  std::uint64_t packets_lost = 0;
  std::size_t path_mtu = 0;  ///< the largest outer IP packet; 0: not known
  bool is_direct = false;    ///< by which plane its packets go
  access::Traffic traffic;
  Session::Rates rates;  ///< bytes a second
};

/// On the thread of the session's shard. Costs some microseconds, and allocates.
SessionFacts facts_of(const Session& session, Timestamp now);

}  // namespace qdt::tunnel
