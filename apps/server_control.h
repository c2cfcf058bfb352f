#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "command_line.h"
#include "control/server_api.h"
#include "ops/config.h"
#include "os/poller.h"
#include "server/server.h"
#include "server_users.h"
#include "shard/mailbox.h"

namespace qdt::apps {

/// Work for main's thread from the threads that answer the control socket.
class Errands {
 public:
  using Reload = std::function<Result<control::Reloaded>()>;

  static Result<std::unique_ptr<Errands>> open();

  /// Has main read the files again, and waits for what comes of it until `deadline`. Not main's
  /// thread.
  Result<control::Reloaded> reload(Timestamp deadline);

  /// Readable while there is something to do.
  os::PollHandle poll_handle() const { return mailbox_.poll_handle(); }
  /// Does it. Who asked together is answered together. Main's thread.
  void run(const Reload& reload);
  /// Nobody does anything any more: whoever waits, or asks from now on, is told so.
  void close();

 private:
  struct Wish;
  using Wishes = std::vector<std::shared_ptr<Wish>>;
  static void answer(const Wishes& wishes, const Result<control::Reloaded>& result);
  explicit Errands(os::Waker waker) : mailbox_(std::move(waker)) {}
  shard::Mailbox<std::shared_ptr<Wish>> mailbox_;
  std::atomic<bool> is_closed_ = false;
};

/// The objects that they refer to outlive the functions.
control::ServerControl server_control(const ops::ServerConfig& config, const server::Server& server,
                                      const std::atomic<std::int64_t>& certificate_expiry,
                                      ServerUsers& users, Errands& errands);

/// `qdt-server status`, `kick` and `reload`; the exit code: 0, 4 where no server runs, else 1.
int control_server(const std::string& program, const ControlCommand& command);

}  // namespace qdt::apps
