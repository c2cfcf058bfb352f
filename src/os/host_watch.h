#pragma once

#include <memory>

#include "base/result.h"
#include "os/poller.h"

namespace qdt::os {

/// Tells that something of this host's network has changed: links, addresses, routes, routing
/// rules, firewall tables, whoever changed them. It does not say what: HostNetwork::keep() looks.
/// One thread.
class HostWatch {
 public:
  static Result<HostWatch> open();
  HostWatch(HostWatch&&) noexcept;
  HostWatch& operator=(HostWatch&&) noexcept;
  ~HostWatch();

  /// Readable while there are notices. Take it out of the poller until the next take(): while one
  /// notice waits, the others say no more.
  PollHandle poll_handle() const;
  /// Forgets all notices so far. Call it before the look at the host, which then covers them.
  void take();

 private:
  struct State;
  explicit HostWatch(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace qdt::os
