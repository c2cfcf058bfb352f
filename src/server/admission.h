#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/ip_address.h"
#include "base/time.h"
#include "tunnel/token_bucket.h"
#include "wire/handshake.h"

namespace qdt::server {

/// Whether a handshake may become a session: the checks that need no more than a request's headers,
/// in the order of docs/protocol.md. Shared by all shards; any thread.
class Admission {
 public:
  struct Options {
    std::string token;
    tunnel::RateLimit rate;          ///< handshakes of all clients
    tunnel::RateLimit address_rate;  ///< of one address (IPv6: one /64)
    Duration address_ttl = 10min;    ///< how long an address is remembered after its last handshake
    std::size_t max_sessions = 0;    ///< 0: unlimited
  };

  explicit Admission(const Options& options) : options_(options), all_(options.rate) {}

  /// A server that cannot carry packets says so instead of admitting anyone.
  void set_ready(bool is_ready) { is_ready_.store(is_ready, std::memory_order_relaxed); }
  bool is_ready() const { return is_ready_.load(std::memory_order_relaxed); }

  /// kOk, or the first reason to refuse. A wrong token counts against its address's rate too, so
  /// that a guesser is slowed down.
  wire::HandshakeResult judge(std::string_view method, std::string_view token,
                              const IpAddress& from, Timestamp now);

  /// How long one who was refused for the rate does well to wait: in that time, one more may come.
  std::chrono::seconds retry_after() const;

  /// Takes a place among max_sessions; false when none is left. One that `replaces` another session
  /// is never refused: that one's place will be free in a moment.
  bool reserve_session(bool replaces = false);
  void release_session() { sessions_.fetch_sub(1, std::memory_order_relaxed); }
  std::size_t sessions() const { return sessions_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kMaxAddresses = 65536;

  bool may_try(const IpAddress& from, Timestamp now);
  void forget_old_addresses(Timestamp now);

  const Options options_;
  std::atomic<bool> is_ready_{false};
  std::atomic<std::size_t> sessions_{0};

  std::mutex mutex_;
  tunnel::TokenBucket all_;
  std::unordered_map<IpAddress, tunnel::TokenBucket> addresses_;
  Timestamp next_clean_up_;
};

}  // namespace qdt::server
