#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/ip_address.h"
#include "base/lasting_fault.h"
#include "base/logger.h"
#include "base/random.h"
#include "base/result.h"
#include "client/connector.h"
#include "client/events.h"
#include "client/host_setup.h"
#include "client/machine.h"
#include "client/reconnect.h"
#include "client/resume_store.h"
#include "client/status.h"
#include "os/end_watch.h"
#include "os/host_control.h"
#include "os/host_watch.h"
#include "os/keep_pace.h"
#include "os/link_monitor.h"
#include "os/process.h"
#include "os/udp_socket.h"
#include "quic/tls.h"
#include "shard/mailbox.h"
#include "shard/shard.h"
#include "tunnel/counters.h"

namespace qdt::client {

/// A client from its start to its end, on the thread of main: the shell around Machine, which
/// decides everything. Here are the sockets, the waiting, the host and the log. The tunnel itself
/// runs in one shard on a thread of its own.
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

  using Exit = client::Exit;
  using Outcome = client::Outcome;

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

  // Between open() and the end, any thread.
  /// As run() had it last; once a second it looks anew.
  Status latest_status() const;
  /// Ends the session and connects anew.
  void reconnect() { events_->post(event::Reconnect{}); }
  /// As a signal that ends the process. `who` asked, for the log.
  void stop(const std::string& who);

 private:
  using Answer = Result<std::vector<SocketAddress>>;
  using Replies = std::vector<Event>;

  Result<void> make_shard();

  /// The next event, for as long as it takes. Never a reply to an action.
  Event wait();
  /// Somebody told it to stop: for the log, and for whoever waits for the end.
  void begin_stopping(const std::string& who);
  /// The event that a source of the poller has for us, if it has one.
  std::optional<Event> take(const os::PollEvent& polled);
  /// Adds to an event the facts that only this host knows.
  void complete(Event& event) const;
  event::NetworkChanged look_at_network() const;
  event::NetworkChanged follow_links();
  Ways find_ways(const std::vector<SocketAddress>& servers) const;
  event::Resolved take_answer();
  /// Whether somebody asked for the end, which begins then.
  bool is_told_to_stop();

  /// Has the machine decide, and does what it says.
  void handle(Event event);
  // Each may append replies.
  void act(const action::Resolve&, Replies&);
  void act(const action::OpenSocket& open, Replies& replies);
  void act(const action::StartAttempt& start, Replies& replies);
  void act(const action::Abandon&, Replies&);
  void act(const action::SetAside&, Replies&);
  void act(const action::SetUpHost& set_up, Replies& replies);
  void act(const action::FollowNetworks& follow, Replies&);
  void act(const action::ReleaseLease&, Replies&);
  void act(const action::Carry& carry, Replies&);
  void act(const action::Rebind& rebind, Replies& replies);
  void act(const action::FollowPath& follow, Replies&);
  void act(const action::KeepToken& keep, Replies&);
  void act(const action::Report&, Replies&);
  void act(const action::ReportHealth&, Replies&);
  void act(const action::ReportSilence&, Replies&);
  void act(const action::Log& log, Replies&);
  void act(const action::Leave& leave, Replies&);

  /// Looks after the host's network, as often as pace_ says.
  event::HostLooked keep_host();
  void watch_host(bool is_watched);
  /// Makes the TUN device again and gives it to the shard.
  Result<void> restore_device();

  /// To the log, the service manager, and whoever asks.
  void report();
  /// The machine's state and its reason, for a person.
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
    events_->post(event::Connected{attempt, path, response});
  }
  void on_ended(AttemptId attempt, const Ending& ending) override {
    events_->post(event::Ended{attempt, ending});
  }
  void on_silence(AttemptId attempt) override { events_->post(event::Silence{attempt}); }
  void on_answer(AttemptId attempt) override { events_->post(event::Answered{attempt}); }
  void on_narrow_path(AttemptId attempt) override { events_->post(event::NarrowPath{attempt}); }
  void on_routes(AttemptId attempt, const wire::ConnectResponse& response) override {
    events_->post(event::RoutesChanged{attempt, response});
  }
  void on_path_mtu(AttemptId attempt, const PathSizes& sizes) override {
    events_->post(event::PathChanged{attempt, sizes});
  }

  Options options_;
  Random& random_;
  os::HostControl& host_control_;
  Logger& logger_;
  os::StopSignal* stop_ = nullptr;
  std::unique_ptr<os::EndWatch> end_watch_;  // once it is told to stop; outlives all below
  Machine machine_;
  std::optional<Outcome> outcome_;  // the machine has left

  std::unique_ptr<HostSetup> host_;
  std::optional<os::Poller> poller_;
  std::unique_ptr<shard::Mailbox<Event>> events_;
  std::deque<Event> inbox_;
  // Shared with the thread that resolves the server's name: it cannot be interrupted, and may
  // outlive a client that was told to stop meanwhile.
  std::shared_ptr<shard::Mailbox<Answer>> answers_;
  SocketAddress local_;                    // of the socket of a race
  std::uint64_t refused_before_race_ = 0;  // by that socket
  std::optional<os::LinkMonitor> links_;
  Timestamp links_due_ = kNever;  // when links_ comes back into the poller
  std::optional<ResumeStore> resume_;
  std::optional<os::HostWatch> watch_;
  bool is_watching_ = false;  // watch_ is in the poller
  os::KeepPace pace_;
  Timestamp next_status_;
  LastingFault status_fault_;
  mutable std::mutex latest_mutex_;
  Status latest_;                       // under latest_mutex_, as is the next
  std::string stopper_;                 // who asked by stop()
  std::optional<Timestamp> silent_at_;  // when nobody had answered for long
  std::string told_;                    // by report()
  bool is_ready_ = false;               // as the service manager has it

  tunnel::Counters counters_;
  Connector connector_;
  std::unique_ptr<shard::Shard> shard_;
  std::thread thread_;
};

}  // namespace qdt::client
