#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ip_address.h"
#include "base/logger.h"
#include "base/result.h"
#include "base/udp_burst.h"
#include "client/ending.h"
#include "wire/handshake.h"

namespace qdt::client {

/// An attempt to connect, as its beginner numbers it. The session that comes of it keeps the
/// number.
using AttemptId = std::uint64_t;

/// How much the path of a session carries.
struct PathSizes {
  std::size_t path_mtu = 0;    ///< the largest outer IP packet
  std::size_t tunnel_mtu = 0;  ///< the largest inner one that needs no fragments, at least 1280
  bool operator==(const PathSizes&) const = default;
};

/// The local address towards each address of the server, in their order; none where there is no
/// way.
using Ways = std::vector<std::optional<IpAddress>>;

/// The exit status of main (README, Exit status).
enum class Exit { kStopped = 0, kHost = 1, kRefused = 2, kUnreachable = 3, kHostLost = 4 };
struct Outcome {
  Exit exit = Exit::kStopped;
  std::string text;  ///< why, for a person; empty when it was asked to stop
};

/// Everything that can happen to a client.
namespace event {

/// The moment that Machine::due() told has come.
struct Due {};

/// The answer of the name servers; the ways are those to the addresses of the answer, or where
/// there is none to those that are known.
struct Resolved {
  Result<std::vector<SocketAddress>> servers;
  Ways ways;
};

// Replies to actions, which have the same number.
struct SocketOpened {
  AttemptId race;
  Ways ways;
};
struct SocketFailed {
  AttemptId race;
  std::string why;
};
/// There is no way to the address of this attempt.
struct NotStarted {
  AttemptId attempt;
  std::string why;
};
struct HostReady {
  AttemptId attempt;
};
struct HostFailed {
  AttemptId attempt;
  std::string why;
};
struct Rebound {
  AttemptId attempt;
  std::optional<IpAddress> local;  ///< none: no socket could be had, as while there is no network
};

// From the tunnel's thread.
/// The handshake got its first answer.
struct Answered {
  AttemptId attempt;
};
/// The handshake gets no answer, but small packets do.
struct NarrowPath {
  AttemptId attempt;
  bool is_refused_here = false;  ///< not even this host sends what QUIC needs
};
/// The server has granted a session. All other attempts have ended.
struct Connected {
  AttemptId attempt;
  UdpPath path;
  wire::ConnectResponse response;
  std::optional<std::string> own_lease;  ///< this host has that address itself: in words
};
/// The end of an attempt or a session; the last event of its number.
struct Ended {
  AttemptId attempt;
  Ending ending;
};
/// Nobody answers; if that lasts, Ended follows.
struct Silence {
  AttemptId attempt;
};
struct PathChanged {
  AttemptId attempt;
  PathSizes sizes;
};

/// The server has other routes for the session than it had before.
struct RoutesChanged {
  AttemptId attempt;
  wire::ConnectResponse response;  ///< the session's, with these routes
};

// From this host.
/// The way to the server may be another.
struct NetworkChanged {
  Ways ways;                             ///< to the addresses that are known
  std::optional<IpAddress> session_way;  ///< to the session's own, where there is a session
  std::optional<std::string> own_lease;  ///< of the session, as in Connected
};
/// The whole host slept, or this process at least.
struct Awoke {};
/// The shell has looked at this host's network, and has put back what others changed: routes, say,
/// or the whole TUN device.
struct HostLooked {
  std::string fault;          ///< what could not be put back; empty: all is as it was made
  bool is_contested = false;  ///< others undo the repairs again and again
};
/// The host process has gone: nothing looks after this host any more.
struct HostProcessEnded {
  std::string why;
};
/// A person or a program asked for a new connection (the control socket).
struct Reconnect {};
/// A person or a program asked for the end: SIGTERM, Ctrl-C, a closed terminal (SIGHUP), the
/// service manager, the control socket.
struct Stop {};

}  // namespace event

using Event =
    std::variant<event::Due, event::Resolved, event::SocketOpened, event::SocketFailed,
                 event::NotStarted, event::HostReady, event::HostFailed, event::Rebound,
                 event::Answered, event::NarrowPath, event::Connected, event::Ended, event::Silence,
                 event::PathChanged, event::RoutesChanged, event::NetworkChanged, event::Awoke,
                 event::HostLooked, event::HostProcessEnded, event::Reconnect, event::Stop>;

/// Everything that a client does.
namespace action {

/// Asks for the addresses of the server. Reply: Resolved, later.
struct Resolve {};
/// Opens the socket of a race, which has a number of its own. Reply: SocketOpened or SocketFailed.
struct OpenSocket {
  AttemptId race;
};
/// Begins a handshake. Reply: NotStarted, or the attempt's own events, later.
struct StartAttempt {
  AttemptId attempt;
  SocketAddress server;
};
/// Ends all attempts and sessions; packets wait in the TUN device.
struct Abandon {};
/// Packets wait. The session stays at the server until Carry or Abandon, so that its addresses are
/// lent to nobody else.
struct SetAside {};
/// Addresses, routes, name servers, `up`. Reply: HostReady or HostFailed.
struct SetUpHost {
  AttemptId attempt;
  wire::ConnectResponse grant;
  SocketAddress server;
};
/// This host is in other networks than before; it is set up for `grant`.
struct FollowNetworks {
  wire::ConnectResponse grant;
};
/// Takes the session's addresses off this host.
struct ReleaseLease {};
/// From now on the session carries packets; what was set aside ends.
struct Carry {
  SocketAddress server;
};
/// The session goes on from a new socket. Reply: Rebound.
struct Rebind {
  AttemptId attempt;
  SocketAddress server;
  std::string why;
};
/// The TUN device's MTU follows the path.
struct FollowPath {
  PathSizes sizes;
};
/// For the next connection, also of the next process; empty: none.
struct KeepToken {
  std::string token;
};
/// Tells the state to the log, the service manager, and whoever asks.
struct Report {};
/// Tells the service manager, and whoever asks, that this host is degraded, or is no more.
struct ReportHealth {};
/// Tells whoever asks that nobody answers.
struct ReportSilence {};
struct Log {
  LogLevel level;
  std::string text;
};
/// The last action.
struct Leave {
  Outcome outcome;
  /// The kill switch goes: somebody asked for the end. At every other end it stays.
  bool lets_go = false;
};

}  // namespace action

using Action =
    std::variant<action::Resolve, action::OpenSocket, action::StartAttempt, action::Abandon,
                 action::SetAside, action::SetUpHost, action::FollowNetworks, action::ReleaseLease,
                 action::Carry, action::Rebind, action::FollowPath, action::KeepToken,
                 action::Report, action::ReportHealth, action::ReportSilence, action::Log,
                 action::Leave>;

}  // namespace qdt::client
