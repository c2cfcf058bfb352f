#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "access/admission.h"
#include "base/lasting_fault.h"
#include "base/logger.h"
#include "base/random.h"
#include "base/result.h"
#include "control/user_api.h"
#include "ops/config.h"
#include "ops/metrics.h"
#include "os/poller.h"
#include "os/side_process.h"
#include "server/enrolment.h"
#include "server/server.h"
#include "shard/mailbox.h"
#include "users/addresses.h"
#include "users/usage_collector.h"
#include "wire/handshake.h"

namespace qdt::apps {

/// The file of a server's users, and that of their secrets' key: beside its configuration, as its
/// other files are.
users::SqliteFile user_file(const std::string& config_path);

/// What a server with this configuration lends.
users::Addresses addresses_of(const ops::ServerConfig& config);

/// Starts the process that has that file, which no other of a running server opens: it has no
/// network, and the process that has one never sees the file or its key. Before any thread.
Result<std::unique_ptr<os::SideProcess>> start_user_keeper(const std::string& config_path,
                                                           const ops::ServerConfig& config);

/// The users of a running server: the configuration's, and those of the file. A thread asks every
/// quarter of a second whether these have changed, and main puts it in force. It also reads what
/// devices have carried, and has it written down every few seconds; what sessions add until the
/// server has gone is written down by the destructor.
class ServerUsers {
 public:
  /// The configuration's part of `options` is in force already. What is referred to outlives the
  /// object.
  static Result<std::unique_ptr<ServerUsers>> open(os::SideProcess& keeper,
                                                   const access::Admission::Options& options,
                                                   Random& random, Logger& logger);
  ~ServerUsers();

  /// Has the users of the file before the first client comes: waits for them, for some seconds at
  /// most. Main's thread.
  void load(server::Server& server);
  /// Begins to ask.
  void run();
  /// Readable while look() has something new.
  os::PollHandle poll_handle() const { return fresh_.poll_handle(); }
  /// Puts in force what is new, and ends whoever's time is over. Main's thread, as the next two.
  void look(server::Server& server);
  /// When look() is due; somebody expires then.
  Timestamp next_look() const;
  /// The configuration has another user and limits from now on.
  void use_configuration(server::Server& server, const access::Admission::Options& options);

  /// Has devices written down that come with a link; one is answered once it may come in. Its
  /// result may be called by any thread, until close().
  server::Enroller enroller();
  /// Answers nobody any more, and ends its thread. Before the server goes.
  void close();

  /// The answer of the process that has the file. Any thread.
  ops::HttpResponse answer(const control::UserRequest& request);
  /// What the users who may come in have carried; of none where there are more than `most`. Any
  /// thread.
  std::vector<ops::UserBytes> bytes(std::size_t most) const;

 private:
  struct Fresh {
    std::uint64_t version = 0;
    std::optional<std::string> contents;      // nothing: the same, but somebody's quota is not
    std::vector<std::function<void()>> then;  // once it is in force
  };
  struct Waiting {
    server::Enrolment device;
    std::function<void(wire::HandshakeResult)> done;
  };
  /// More wait for nothing: each connection without a session has a bound (docs/security.md).
  static constexpr std::size_t kMaxWaiting = 64;
  ServerUsers(os::SideProcess& keeper, const access::Admission::Options& options, os::Waker waker,
              Random& random, Logger& logger);
  void follow();
  Result<void> count(const users::Counts& counts);
  Result<std::vector<users::QuotaUse>> ask_quota_uses();
  void tell_usage();
  /// Those who are written down now, to be answered once that is in force.
  std::vector<std::function<void()>> write_down(std::vector<Waiting> waiting);
  wire::HandshakeResult write_down(const server::Enrolment& device);
  Result<std::optional<Fresh>> ask(std::uint64_t version, Timestamp deadline);
  void put_in_force(server::Server& server);

  os::SideProcess& keeper_;
  access::Admission::Options configuration_;
  Random& random_;
  Logger& logger_;
  std::string contents_;                     // as they came: the smallest form
  std::optional<std::int64_t> next_change_;  // by the wall clock, which may be set
  LastingFault table_fault_;
  users::UsageCollector usage_;

  std::uint64_t version_ = 0;  // load()'s, then the thread's; as is the next
  LastingFault keeper_fault_;
  LastingFault write_fault_;
  LastingFault usage_fault_;
  shard::Mailbox<Fresh> fresh_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_stopping_ = false;
  bool has_changed_ = false;  // somebody was answered who may have changed something
  std::vector<Waiting> waiting_;
  std::thread thread_;
};

}  // namespace qdt::apps
