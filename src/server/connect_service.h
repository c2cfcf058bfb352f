#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "access/credential.h"
#include "access/user_table.h"
#include "base/logger.h"
#include "base/random.h"
#include "server/admission.h"
#include "server/decoy.h"
#include "server/decoy_upstream.h"
#include "server/handshake_log.h"
#include "server/lease_book.h"
#include "server/lease_pool.h"
#include "server/waiting_answers.h"
#include "tunnel/counters.h"
#include "tunnel/tunnel.h"
#include "wire/handshake.h"
#include "wire/json_end.h"

namespace qdt::server {

/// Answers `POST /connect` in one shard: judges the request, lends an address, derives the keys and
/// opens the session; gives everything back when the session ends. One thread; what it refers to
/// (shared by all shards) outlives it.
class ConnectService final : public tunnel::TunnelEvents {
 public:
  struct Options {
    std::size_t mtu = wire::kDefaultMtu;
    wire::Capabilities caps = wire::Capabilities::supported();
    Prefix pool;
    IpAddress gateway;
    std::optional<Ipv6Pool> ipv6;  ///< nothing: cap `ipv6` is not taken up
    std::vector<IpAddress> dns;
    std::vector<Prefix> routes;            ///< pushed to clients that know of it
    std::vector<std::string> dns_domains;  ///< likewise
    std::size_t send_queue = 1024;
    std::size_t max_reassembly_bytes = 256 * 1024;
    bool needs_direct = false;  ///< as in client::Connector::Options
    bool has_shaper = true;
    std::size_t shard = 0;
    HandshakeLog* failures = nullptr;  ///< may be null: they are not logged then
    /// The site that answers requests without the right token; null: refusals in version 1's words.
    /// Shared by all shards, which may be given a newer one.
    std::shared_ptr<const Decoy> decoy;
    DecoyUpstream* proxy = nullptr;  ///< not null where a decoy may have an upstream
    /// Runs a task on this service's thread, with its tunnel. Called by any thread.
    std::function<void(std::move_only_function<void(tunnel::Tunnel&)>)> post;
    /// Ends, as replaced, the session of another shard that has lost its lease to one of ours.
    std::function<void(const LeaseBook::Holder& replaced, const IpAddress& lease)> end_elsewhere;
  };

  ConnectService(const Options& options, Admission& admission, LeasePool& leases, LeaseBook& book,
                 tunnel::HandshakeCounters& handshakes, Random& random, Logger& logger);

  /// For requests from now on; sessions keep the limits that they began with.
  void use_users(access::UserTable::Snapshot users) { users_ = std::move(users); }
  /// Likewise.
  void use_decoy(std::shared_ptr<const Decoy> decoy) { options_.decoy = std::move(decoy); }

  void on_settings(tunnel::Tunnel& tunnel, quic::Connection& connection) override;
  void on_message(tunnel::Tunnel& tunnel, quic::Connection& connection, quic::StreamId stream,
                  const quic::Message& message) override;
  void on_stream_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                        quic::StreamId stream) override;
  void on_path_tried(tunnel::Tunnel& tunnel, quic::Connection& connection, const UdpPath& path,
                     bool is_usable) override;
  void on_wake(tunnel::Tunnel& tunnel) override;
  void on_session_closed(tunnel::Tunnel& tunnel, tunnel::Session& session, tunnel::SessionEnd end,
                         const std::string& detail) override;
  void on_connection_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                            const quic::CloseReason& reason) override;

 private:
  /// A request whose headers passed, until its body and the client's SETTINGS are complete.
  struct Pending {
    bool is_answered = false;
    bool has_body = false;
    std::string body;
    std::uint64_t question = 0;  ///< the number of the one to the proxy; 0: none
    std::optional<std::uint64_t> content_length;
    wire::JsonEnd end;     // of a body whose length is not announced
    std::string_view why;  // of a refusal, where there is more to say than the result
    // Of the peer, which has shown that it is this user.
    std::shared_ptr<const access::User> user;
    access::Credential credential;
  };
  // The requests of one connection: one, as a rule, since without a session it may have no more.
  using Requests = std::map<quic::StreamId, Pending>;

  static bool has_whole_body(Pending& pending, const quic::Message& message);
  void admit(tunnel::Tunnel& tunnel, quic::Connection& connection, quic::StreamId stream,
             Pending& pending);
  wire::HandshakeResult open(tunnel::Tunnel& tunnel, quic::Connection& connection,
                             quic::StreamId stream, Pending& pending);
  void end_replaced(tunnel::Tunnel& tunnel, const LeaseBook::Grant& grant);
  bool may_go_on(tunnel::Tunnel& tunnel, quic::Connection& connection, quic::StreamId stream,
                 const quic::Message& message, Pending& pending);
  void answer_stranger(tunnel::Tunnel& tunnel, quic::Connection& connection, quic::StreamId stream,
                       const quic::Message& request, std::optional<wire::HandshakeResult> result);
  void ask_upstream(quic::Connection& connection, quic::StreamId stream,
                    const quic::Message& request);
  void pass_on(tunnel::Tunnel& tunnel, quic::Connection* connection, quic::StreamId stream,
               std::uint64_t question, const quic::Response& response);
  void refuse(tunnel::Tunnel& tunnel, quic::Connection& connection, quic::StreamId stream,
              wire::HandshakeResult result, std::string_view why = {});
  /// A request without the token, which was answered.
  struct Stranger {
    SocketAddress client;
    std::optional<wire::HandshakeResult> result;  ///< why it is no session, if it asked for one
  };
  static constexpr std::size_t kMaxNotedStrangers = 256;
  static constexpr Duration kTellDelay = 500ms;

  Timestamp next_wake() const { return std::min(waiting_.next(), tell_at_); }

  void note_stranger(tunnel::Tunnel& tunnel, const quic::Connection& connection,
                     std::optional<wire::HandshakeResult> result);
  void tell_strangers(Timestamp now);
  void note_failure(const tunnel::Tunnel& tunnel, const quic::Connection& connection,
                    std::string reason);
  void count_refusal(const tunnel::Tunnel& tunnel, const quic::Connection& connection,
                     wire::HandshakeResult result, std::string_view why = {});
  void forget(const quic::Connection& connection, quic::StreamId stream);
  void lend_ipv6(wire::ConnectResponse& response) const;

  Options options_;
  Admission& admission_;
  access::UserTable::Snapshot users_;
  LeasePool& leases_;
  LeaseBook& book_;
  tunnel::HandshakeCounters& handshakes_;
  Random& random_;
  Logger& logger_;
  // A look-up by connection costs the same however many there are.
  std::unordered_map<const quic::Connection*, Requests> pending_;
  WaitingAnswers waiting_;
  std::uint64_t last_question_ = 0;
  std::vector<Stranger> strangers_;  // yet to be logged
  Timestamp tell_at_ = kNever;
};

}  // namespace qdt::server
