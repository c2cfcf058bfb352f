#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "base/time.h"
#include "client/reconnect.h"

namespace qdt::client {

/// The plane that a session's packets travel by: what came of the wish in the configuration.
enum class PlaneInUse {
  kUnknown,
  kQuic,        ///< as agreed with the server
  kDirect,      ///< beside the QUIC connection
  kDirectLost,  ///< by QUIC, because direct packets do not get through
  kNone,        ///< nor may they take QUIC
};

/// A client as it tells of itself: by its control socket, on Windows by its status file.
struct Status {
  State state = State::kConnecting;
  std::string reason;          ///< why, for a person; may be empty
  Timestamp since;             ///< of the state; the clock is that of this boot
  std::string server;          ///< as configured
  std::string server_address;  ///< the one in use, or in use last; may be empty
  std::vector<IpAddress>
      addresses;             ///< this host's inside the tunnel; none before the first session
  std::size_t mtu = 0;       ///< inside the tunnel
  std::size_t path_mtu = 0;  ///< the largest packet on the way to the server; 0: not known yet
  std::uint64_t connects = 0;
  // As it was up to some seconds ago; 0: not known.
  std::uint64_t rtt_microseconds = 0;
  std::uint64_t window_bytes = 0;      ///< may be under way to the server at one time
  std::uint64_t bytes_per_second = 0;  ///< delivered to it
  PlaneInUse data_plane = PlaneInUse::kUnknown;
  std::uint64_t shaper_bytes_per_second = 0;  ///< what the direct plane may send; 0: no limit
  std::uint64_t send_rate_bits = 0;           ///< a second, what the server asks for; 0: no limit
  std::uint64_t path_queue_microseconds = 0;  ///< what stands on the way, as the direct plane sees
  Timestamp heard_at;    ///< when the server was heard of last; zero: not in this session
  Timestamp written_at;  ///< when all this was so; zero: not known
  // Inner packets since the program's start.
  std::uint64_t packets_sent = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t packets_received = 0;
  std::uint64_t bytes_received = 0;
  std::vector<std::string> name_servers;  ///< that the tunnel has brought; none: the host's own
  std::string cipher;                     ///< of the packets inside; empty: no session yet
  bool has_kill_switch = false;
  /// Routes of the host's networks that have no effect beside the tunnel.
  std::vector<std::string> ignored_routes;

  bool operator==(const Status&) const = default;
};

/// A few lines for a person, or one line of JSON, in which times are seconds before `now`.
std::string describe(const Status& status, const std::string& tun_name, Timestamp now);
std::string to_json(const Status& status, const std::string& tun_name, Timestamp now);
/// From that JSON, to the second.
Result<Status> parse_status(std::string_view json);

}  // namespace qdt::client
