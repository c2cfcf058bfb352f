#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"

namespace qdt::client {

/// In which order and when to try the addresses of a server (RFC 8305, "Happy Eyeballs"): families
/// in turn, and the next address as soon as one has failed, or has not answered for a while. Takes
/// events and the time; neither clock nor sockets.
class Race {
 public:
  /// RFC 8305's Connection Attempt Delay.
  static constexpr Duration kAttemptDelay = 250ms;

  /// Adds those that it does not have yet, in their order within each family; the family of the
  /// first goes first.
  void add(std::span<const SocketAddress> servers);

  /// The address to try now, which then counts as tried.
  std::optional<SocketAddress> next(Timestamp now);
  /// When next() will have one; kNever when none is left.
  Timestamp next_due() const;

  /// The attempt at `server` has failed: the next need not wait.
  void on_failed(const SocketAddress& server);
  /// The attempt at `server` has failed, but not so that it says anything: it is tried again next.
  void on_cut_off(const SocketAddress& server);
  /// Every address was tried, and has failed.
  bool is_lost() const { return untried_.empty() && running_.empty(); }
  bool is_empty() const { return known_.empty(); }

 private:
  std::vector<SocketAddress> known_;
  std::vector<SocketAddress> untried_;
  std::vector<SocketAddress> running_;
  Timestamp due_;  // not before
};

}  // namespace qdt::client
