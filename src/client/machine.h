#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/events.h"
#include "client/host_health.h"
#include "client/race.h"
#include "client/reconnect.h"

namespace qdt::client {

/// All that a client decides: events and the time in, actions out. A value without clock, sockets
/// or threads; Client is the shell that brings it events and does what it says.
///
///                    waiting        trying             setting up      connected
///                    (for the next  (a race of         (the host, for  (packets
///                    attempt)       attempts)          the session)    travel)
///
///   Due              trying         next address;      .               .
///                                   deadline: E
///   Resolved         note; first:   race them;         note            note
///                    try at once    none known: E
///   SocketOpened     .              first attempt      .               .
///   SocketFailed     .              E                  .               .
///   NotStarted       .              next address       .               .
///   Answered         .              a later deadline   .               .
///   NarrowPath       .              note               .               .
///   Connected        .              setting up, or     .               .
///                                   connected if the
///                                   host is set up so;
///                                   own lease: L
///   Ended            .              next address;      E once set up   E
///                                   none left: E
///   HostReady        .              .                  connected       note
///   HostFailed       .              .                  E               E
///   Rebound          .              .                  .               note
///   Silence, Awoke   Awoke: try     Awoke: waiting,    rebind once     rebind
///                    at once        try at once        set up
///   PathChanged      .              .                  once set up     the MTU follows
///   RoutesChanged    .              .                  once set up     the host follows
///   NetworkChanged   new way: try   new way: waiting,  once set up     own lease: L; follow,
///                    at once        try at once; no                    rebind; a way only to
///                                   address known: so                  another address: E
///                                   after the race
///   Reconnect        try at once     waiting,          E once set up   E, then try at once
///                                   try at once
///   HostLooked       health in every state
///   HostProcessEnded, Stop: the end in every state; nothing happens after it
///
/// E, an ending: Reconnect says when to try again (waiting), or that this was all (the end). Before
/// the first session, a host that cannot be set up is the end.
/// L, the server lends an address that this host has itself: the session is set aside and another
/// address asked for (waiting), until the third of them; then E.
///
/// A dot is an event that comes too late, or from an attempt that was abandoned: nothing happens.
class Machine {
 public:
  enum class Phase { kWaiting, kTrying, kSettingUp, kConnected, kEnded };
  using Actions = std::vector<Action>;

  struct Options {
    std::string server_host;  ///< for messages
    Reconnect::Options reconnect;
  };
  /// An attempt that is answered lasts at most so many times Reconnect::Options::timeout.
  static constexpr int kMaxTimeouts = 4;
  /// Name servers may take that long before the addresses that they gave last are tried.
  static constexpr Duration kResolutionDelay = 300ms;
  /// After so many leases in a row that are addresses of this host, no other is asked for.
  static constexpr int kMaxLeases = 3;
  /// A server that says it speaks another version of QUIC is asked again so many times in a race:
  /// no key protects that packet (RFC 9000 section 6.2), so that anybody can forge one who sees
  /// the client's first.
  static constexpr int kMaxVersionRetries = 3;
  /// The most addresses of the server that are known, of each family: the first ones.
  static constexpr std::size_t kMaxServers = 16;

  /// `random` outlives it.
  Machine(Options options, Random& random, Timestamp now)
      : options_(std::move(options)), reconnect_(options_.reconnect, random, now) {}

  /// Takes every event at every time. Actions are done in their order.
  [[nodiscard]] Actions on(const Event& event, Timestamp now);
  /// When it wants event::Due; kNever while there is nothing to wait for but events.
  Timestamp due() const;

  Phase phase() const { return phase_; }
  /// The session's state, or that of this host where it is worse. Never State::kSilent.
  State state() const;
  /// Why, for a person; empty while all is well.
  const std::string& reason() const;
  /// When the state began.
  Timestamp since() const;
  /// The session's own state, whatever the host's.
  const Reconnect& reconnect() const { return reconnect_; }

  /// The addresses of the server that are known.
  const std::vector<SocketAddress>& servers() const { return servers_; }
  /// The one that granted the session which there is: connected, or while the host is set up.
  const SocketAddress* session_server() const { return session_ ? &session_->server : nullptr; }
  const wire::ConnectResponse* session_grant() const {
    return session_ ? &session_->grant : nullptr;
  }
  /// The latest session for which the host was set up: its answer, its server, and the sizes that
  /// the path carried. None before the first.
  const std::optional<wire::ConnectResponse>& granted() const { return granted_; }
  const std::optional<SocketAddress>& server() const { return server_; }
  const PathSizes& sizes() const { return sizes_; }

 private:
  // A race of attempts.
  struct Trying {
    AttemptId race_number;
    Timestamp began;
    Timestamp deadline;
    Timestamp fallback;  // the addresses of last time are tried then
    bool has_socket = false;
    bool has_new_network = false;  // while no address was known
    int version_retries = 0;
    Race race{};
    std::map<AttemptId, SocketAddress> running;
    std::map<AttemptId, SocketAddress> tried;
    std::optional<SocketAddress> narrow;  // hears us, but not QUIC
    bool is_refused_here = false;         // as NarrowPath has it
    std::optional<Ending> ending;         // the most telling one
  };
  struct Session {
    AttemptId attempt;
    SocketAddress server;
    wire::ConnectResponse grant;
    std::optional<IpAddress> local;  // none while there is no way to the server
    // These came while the host was set up.
    std::optional<PathSizes> sizes;
    std::optional<wire::ConnectResponse> routes;
    std::string rebind_why;
    std::optional<event::NetworkChanged> network;
    std::optional<Ending> ending;
  };

  void on(const event::Due&);
  void on(const event::Resolved& resolved);
  void on(const event::SocketOpened& opened);
  void on(const event::SocketFailed& failed);
  void on(const event::NotStarted& failed);
  void on(const event::HostReady& ready);
  void on(const event::HostFailed& failed);
  void on(const event::Rebound& rebound);
  void on(const event::Answered& answered);
  void on(const event::NarrowPath& narrow);
  void on(const event::Connected& connected);
  void on(const event::Ended& ended);
  void on(const event::Silence& silence);
  void on(const event::PathChanged& changed);
  void on(const event::RoutesChanged& changed);
  void on(const event::NetworkChanged& changed);
  void on(const event::Awoke&);
  void on(const event::HostLooked& looked);
  void on(const event::HostProcessEnded& ended);
  void on(const event::Reconnect&);
  void on(const event::Stop&);

  void begin_race();
  void go_on_racing();
  /// The race is over without a session.
  void end_race(const Ending& ending);
  Ending explain(Ending ending, const SocketAddress& server) const;
  Ending out_of_time() const;
  /// The network is another: as soon as possible, from the beginning.
  void race_again();
  void begin_session();
  void set_up_host();
  void follow_network(const event::NetworkChanged& changed);
  void rebind(const std::string& why);
  void refuse_lease(const std::string& why);
  /// No lease that this host could use is to be had.
  void give_up_leases(const std::string& why);
  /// There is no session, or no longer.
  void wait_or_leave(Ending ending);
  void leave(Exit exit, std::string text = "");
  bool is_new_way(const Ways& ways);
  bool is_set_up_for(const Session& session) const;
  bool is_session(AttemptId attempt) const { return session_ && session_->attempt == attempt; }

  template <typename One>
  void act(One one) {
    actions_.emplace_back(std::move(one));
  }

  Options options_;
  Reconnect reconnect_;
  HostHealth health_;
  Phase phase_ = Phase::kWaiting;
  std::vector<SocketAddress> servers_;  // as resolved last
  Ways ways_;
  bool is_resolving_ = false;
  AttemptId next_attempt_ = 1;
  Duration attempt_took_{};  // the latest that succeeded
  int refused_leases_ = 0;   // in a row
  std::optional<Trying> trying_;
  std::optional<Session> session_;
  std::optional<wire::ConnectResponse> granted_;
  bool is_host_set_up_ = false;  // for granted_ and server_
  std::optional<SocketAddress> server_;
  PathSizes sizes_;

  // While on() runs.
  Timestamp now_;
  Actions actions_;
};

}  // namespace qdt::client
