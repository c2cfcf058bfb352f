#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/attempt_table.h"
#include "access/client_shares.h"
#include "access/session_places.h"
#include "access/user_table.h"
#include "base/ip_address.h"
#include "base/time.h"
#include "base/token_bucket.h"
#include "wire/handshake.h"

namespace qdt::access {

/// Whether a handshake may become a session: the checks that need no more than a request's headers,
/// in the order of docs/protocol-v1.md. Shared by all shards; any thread. A judgement takes the
/// same time whatever was judged before.
///
/// Requests with the token and requests without it have budgets of their own, each as large as the
/// options say: of all together, of an address, and of an IPv6 site (a /48). Beyond the budget, a
/// request with the token is refused, and the answer to one without it waits its turn. So guessing
/// is slow, and being guessed at is not: no number of wrong tokens delays or refuses a right one.
class Admission {
 public:
  struct Options {
    /// Of the only user whom users() has; both empty: nobody.
    std::string token;
    std::vector<Device> devices;
    RateLimit rate;                ///< handshakes of all clients
    RateLimit address_rate;        ///< of one address (IPv6: one /64)
    Duration address_ttl = 10min;  ///< how long an address is remembered after its last handshake
    std::size_t max_sessions = 0;  ///< 0: unlimited
    std::uint64_t seed = 0;        ///< of the tables of addresses
    ClientShares::Options shares;
    UserLimits limits;  ///< of the only user
  };

  /// The only user's entry in a table.
  static UserTable::Entry entry_of(const Options& options) {
    return {
        .name = {}, .token = options.token, .devices = options.devices, .limits = options.limits};
  }

  /// The longest that an answer waits.
  static constexpr Duration kMaxDelay = 4s;
  /// The most answers that may wait for one address, one site, all together.
  static constexpr std::size_t kMaxWaitingOfAddress = 16;
  static constexpr std::size_t kMaxWaitingOfSite = 64;
  static constexpr std::size_t kMaxWaiting = 512;
  /// A site's share, in those of an address.
  static constexpr double kAddressesOfSite = 4;

  /// The judgement on a request.
  struct Verdict {
    wire::HandshakeResult result{};  ///< kOk, or the first reason to refuse
    UserTable::Match who;            ///< whose credential it showed
    bool is_proven() const { return static_cast<bool>(who); }
    /// The time that its answer has to wait: zero for a proven one. No value: too many wait
    /// already, and its connection is to end instead.
    std::optional<Duration> delay = Duration::zero();
  };

  explicit Admission(const Options& options);
  /// The rates, max_sessions and shares of `options` from now on. Nobody who is in has to go, and
  /// what has been counted counts.
  void use_limits(const Options& options);

  /// A server that cannot carry packets says so instead of admitting anyone.
  void set_ready(bool is_ready) { is_ready_.store(is_ready, std::memory_order_relaxed); }
  bool is_ready() const { return is_ready_.load(std::memory_order_relaxed); }

  /// A request by one of `users`, or by a stranger, whatever it asks for. `has_method`: that of a
  /// request for a session.
  Verdict judge(const UserTable& users, bool has_method, const Credential& credential,
                const IpAddress& from, Timestamp now);
  /// The same by the user whom the options named: all that a program of one token has to know.
  wire::HandshakeResult judge(std::string_view method, std::string_view token,
                              const IpAddress& from, Timestamp now) {
    return judge(*users_, method == "POST", Credential(token), from, now).result;
  }
  /// The user whom the options named: the table that a server begins with.
  const UserTable::Snapshot& users() const { return users_; }

  /// How long one who was refused for the rate does well to wait: in that time, one more may come.
  std::chrono::seconds retry_after() const { return retry_after_.load(std::memory_order_relaxed); }

  /// SessionPlaces::take(), among max_sessions.
  bool reserve_session(bool replaces = false) { return sessions_.take(max_sessions(), replaces); }
  void release_session() { sessions_.give_back(); }
  std::size_t sessions() const { return sessions_.taken(); }
  /// 0: unlimited.
  std::size_t max_sessions() const { return max_sessions_.load(std::memory_order_relaxed); }
  /// Sessions of one client; 0: unlimited.
  std::size_t max_of_client() const { return shares_.max_of_client(); }
  /// The sessions of each client.
  ClientShares& shares() { return shares_; }

 private:
  /// The rate limits of one kind of request.
  class Budget {
   public:
    struct MaxWaiting {
      std::size_t of_address = 0;
      std::size_t of_site = 0;
      std::size_t of_all = 0;
    };
    Budget(const Options& options, std::size_t addresses, AttemptTable::Newcomer newcomer,
           const MaxWaiting& max_waiting);
    void use(const Options& options);
    /// The time that one more has to wait for its turn; no value when too many wait.
    std::optional<Duration> take(const IpAddress& from, Timestamp now);

   private:
    const MaxWaiting max_waiting_;
    bool is_unlimited_;
    AttemptTable addresses_;
    AttemptTable sites_;
    PacedLimit all_;
    Timestamp next_turn_of_all_;
  };

  std::optional<Duration> delay_stranger(const IpAddress& from, Timestamp now);

  const UserTable::Snapshot users_;
  std::atomic<bool> is_ready_{false};
  std::atomic<std::size_t> max_sessions_;
  std::atomic<std::chrono::seconds> retry_after_;
  SessionPlaces sessions_;

  std::mutex mutex_;
  Budget proven_;
  Budget strangers_;
  ClientShares shares_;
};

}  // namespace qdt::access
