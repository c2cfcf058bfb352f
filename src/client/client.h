#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "base/ip_address.h"
#include "base/lasting_fault.h"
#include "base/logger.h"
#include "base/random.h"
#include "base/result.h"
#include "client/connector.h"
#include "client/host_setup.h"
#include "client/race.h"
#include "client/reconnect.h"
#include "client/resume_store.h"
#include "client/status.h"
#include "os/end_watch.h"
#include "os/host_control.h"
#include "os/host_watch.h"
#include "os/keep_pace.h"
#include "os/link_monitor.h"
#include "os/process.h"
#include "os/status_file.h"
#include "os/tun_device.h"
#include "os/udp_socket.h"
#include "quic/tls.h"
#include "shard/mailbox.h"
#include "shard/shard.h"
#include "tunnel/counters.h"

namespace qdt::client {

/// A client from its start to its end, on the thread of main: resolves the server, connects, sets
/// the host up, connects again whenever the session is lost, and puts the host back at the end. The
/// tunnel itself runs in one shard on a thread of its own.
class Client final : private ConnectorEvents {
 public:
  struct Options {
    std::string server_host;
    std::uint16_t server_port = 443;
    HostSetup::Options host;
    bool use_tun_offloads = true;
    Duration keep_alive = 20s;  ///< how often an idle connection is kept alive
    CongestionControl congestion = CongestionControl::kBbr;
    Reconnect::Options reconnect;
    os::UdpOffloads udp_offloads;
    Connector::Options connector;
    bool is_confined = false;  ///< between open() and run() the process enters its sandbox
  };

  /// The exit status of main (README, Exit status).
  enum class Exit { kStopped = 0, kHost = 1, kRefused = 2, kUnreachable = 3, kHostLost = 4 };
  struct Outcome {
    Exit exit = Exit::kStopped;
    std::string text;  ///< why, for a person; empty when it was asked to stop
  };

  /// The plan by which start_host_control() works for a client with these options.
  static os::HostPlan host_plan(const Options& options);

  /// Referenced objects outlive the client; `host` is by host_plan().
  Client(const Options& options, const quic::TlsClientContext& tls, Random& random,
         os::HostControl& host, Logger& logger);
  ~Client() override;

  /// Everything before the first thread and the first packet: the caller may give up its privilege
  /// before run(). Afterwards `stop` is what run() gets.
  Result<void> open(os::StopSignal& stop);
  /// Connects, and carries packets until `stop` arrives, the first connection fails, or nobody
  /// looks after the host any more.
  Outcome run(os::StopSignal& stop);

 private:
  /// An attempt that is answered lasts at most so many times the timeout.
  static constexpr int kMaxTimeouts = 4;

  struct Connected {
    AttemptId attempt;
    UdpPath path;
    wire::ConnectResponse response;
  };
  struct Ended {
    AttemptId attempt;
    Ending ending;
  };
  struct Silence {
    AttemptId attempt;
  };
  struct PathChanged {
    AttemptId attempt;
    PathSizes sizes;
  };
  struct NarrowPath {
    AttemptId attempt;
  };
  struct Answered {
    AttemptId attempt;
  };
  using Event = std::variant<Connected, Ended, Silence, PathChanged, NarrowPath, Answered>;
  using Answer = Result<std::vector<SocketAddress>>;
  struct Again {};  ///< the network is another: try at once
  using AttemptResult = std::variant<Connected, Ending, Again>;

  /// The event that main waits for.
  enum class Woken {
    kStop,  ///< or host_end_
    kEvent,
    kAnswer,
    kDeadline,
    kNetwork,  ///< the way to the server may be another
    kAsleep,   ///< the whole host was, or this process at least
  };
  Woken wait(Timestamp deadline);
  /// Whether somebody asked for the end, which begins then.
  bool is_told_to_stop();
  /// The oldest event; wait() said that there is one.
  Event take_event();

  Outcome carry();
  Result<void> make_shard();
  /// Looks after the host's network, as often as pace_ says.
  void keep_host();
  void watch_host(bool is_watched);
  /// Makes the TUN device again and gives it to the shard.
  Result<void> restore_device();
  void judge(const os::Upkeep& upkeep, Timestamp now);
  void start_resolving();

  /// Tries every address of the server; nothing when it was told to stop.
  std::optional<AttemptResult> attempt();
  /// The addresses that the name servers gave, or why not.
  std::optional<Ending> take_answer();
  Result<void> start(const SocketAddress& server);
  /// A lease cannot be used on this host. Nothing: another one is asked for, at once.
  std::optional<Ending> refuse_lease(const std::string& why);
  Ending leave_lease(const std::string& why);
  void set_aside();
  /// Whatever is under way is of no interest any more.
  void abandon();
  /// Carries packets until the session ends; nothing when it was told to stop.
  std::optional<Ending> serve(const Connected& connected);

  /// The local address towards each address of the server; none where there is no way.
  using Ways = std::vector<std::optional<IpAddress>>;
  Ways find_ways() const;
  /// Looks for them again. Whether there is a way now that was not there before.
  bool has_new_way();
  /// The session goes on from a new socket, if there is a way at all. False: it has to end, because
  /// the server can be reached by another of its addresses alone.
  bool roam();
  void rebind(const std::string& why);
  /// The TUN device's MTU follows the path.
  void follow(const PathSizes& sizes);

  /// To the log, the service manager and the status file.
  void report();
  /// The session's state, or that of this host where it is worse.
  State state() const;
  const std::string& reason() const;
  /// Both, for a person.
  std::string words() const;
  void write_status();
  void tell_silence(Status& status);
  /// For whoever waits for the end.
  void begin_end(const char* step);
  /// That of the session.
  PlaneInUse data_plane() const;

  // ConnectorEvents, on the shard's thread
  void on_connected(AttemptId attempt, const UdpPath& path,
                    const wire::ConnectResponse& response) override {
    events_->post(Connected{attempt, path, response});
  }
  void on_ended(AttemptId attempt, const Ending& ending) override {
    events_->post(Ended{attempt, ending});
  }
  void on_silence(AttemptId attempt) override { events_->post(Silence{attempt}); }
  void on_answer(AttemptId attempt) override { events_->post(Answered{attempt}); }
  void on_narrow_path(AttemptId attempt) override { events_->post(NarrowPath{attempt}); }
  void on_path_mtu(AttemptId attempt, const PathSizes& sizes) override {
    events_->post(PathChanged{attempt, sizes});
  }

  Options options_;
  Random& random_;
  os::HostControl& host_control_;
  Logger& logger_;
  os::StopSignal* stop_ = nullptr;
  std::unique_ptr<os::EndWatch> end_watch_;  // once it is told to stop; outlives all below
  Reconnect reconnect_;

  std::unique_ptr<HostSetup> host_;
  std::optional<os::Poller> poller_;
  std::unique_ptr<shard::Mailbox<Event>> events_;
  std::deque<Event> inbox_;
  // Shared with the thread that resolves the server's name: it cannot be interrupted, and may
  // outlive a client that was told to stop meanwhile.
  std::shared_ptr<shard::Mailbox<Answer>> answers_;
  bool is_resolving_ = false;
  std::vector<SocketAddress> servers_;  // as resolved last
  // The attempts under way, by number; one with a lower number than the first was abandoned.
  std::map<AttemptId, SocketAddress> running_;
  AttemptId next_attempt_ = 1;
  AttemptId first_attempt_ = 1;
  Duration attempt_took_{};              // the latest that succeeded
  int refused_leases_ = 0;               // in a row
  SocketAddress local_;                  // of the socket in use
  std::optional<SocketAddress> server_;  // of the latest session
  Ways ways_;
  std::optional<UdpPath> path_;  // of the session; nothing while there is no way to the server
  std::optional<os::LinkMonitor> links_;
  std::optional<ResumeStore> resume_;
  std::optional<wire::ConnectResponse> response_;  // what the host is set up for
  PathSizes sizes_;                                // of the session's path; 0: not known yet
  std::optional<os::HostWatch> watch_;
  bool is_watching_ = false;      // watch_ is in the poller
  Timestamp links_due_ = kNever;  // when links_ comes back into the poller
  os::KeepPace pace_;
  std::optional<std::string> host_end_;  // nobody looks after this host any more: why
  std::string fault_;                    // of this host's network
  Timestamp fault_since_ = kNever;
  Timestamp degraded_since_ = kNever;
  Timestamp next_status_{};
  LastingFault status_fault_;
  std::optional<Timestamp> silent_at_;  // when nobody had answered for long
  std::string told_;                    // by report()
  bool is_ready_ = false;               // as the service manager has it

  tunnel::Counters counters_;
  Connector connector_;
  std::unique_ptr<shard::Shard> shard_;
  std::thread thread_;
};

}  // namespace qdt::client
