#pragma once

#include <algorithm>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "access/credential.h"
#include "access/user_table.h"
#include "base/logger.h"
#include "base/packet_batch.h"
#include "base/random.h"
#include "server/decoy.h"
#include "server/decoy_upstream.h"
#include "server/enrolment.h"
#include "server/exchange.h"
#include "server/grant.h"
#include "server/handshake_log.h"
#include "server/version2.h"
#include "server/waiting_answers.h"
#include "tunnel/counters.h"
#include "tunnel/tunnel.h"
#include "wire/handshake.h"
#include "wire/json_end.h"
#include "wire/request_target.h"

namespace qdt::server {

/// Answers requests, whatever carries them, in one shard: does as judge() and grant() decide, opens
/// the sessions, and gives their places back when they end. A request that does not show the token,
/// or that asks for anything but a session, gets the decoy's answer. One thread; the objects that
/// it refers to, which all shards share, outlive it.
class Reception {
 public:
  struct Options {
    Offer offer;
    std::size_t send_queue = 1024;
    std::size_t max_reassembly_bytes = 256 * 1024;
    HandshakeLog* failures = nullptr;  ///< may be null: they are not logged then
    /// The site that answers requests without the right token; null: refusals in version 1's words.
    /// Shared by all shards, which may be given a newer one.
    std::shared_ptr<const Decoy> decoy;
    DecoyUpstream* proxy = nullptr;  ///< not null where a decoy may have an upstream
    /// What version 2 needs; nothing: it is not spoken, and its requests are as any other.
    struct Version2 {
      std::string path_template{wire::kDefaultTemplate};
      std::vector<wire::Authority> authorities;  ///< that requests may name; empty: any
      wire::Ed25519Seed identity{};              ///< of the server's identity key
      wire::Ed25519PublicKey identity_key{};     ///< of that
    };
    std::optional<Version2> version2;
    bool takes_version1 = true;
    /// Of version 1's sessions, where offer.mtu is more.
    std::size_t version1_mtu = kMaxPacketBytes;
    Enroller enroller;  ///< null: there are no tickets
    /// Runs a task on this service's thread, with its tunnel. Called by any thread.
    std::function<void(std::move_only_function<void(tunnel::Tunnel&)>)> post;
    /// Ends, as replaced, the session of another shard that has lost its lease to one of ours.
    std::function<void(const LeaseBook::Holder& replaced, const IpAddress& lease)> end_elsewhere;
  };

  Reception(const Options& options, const Tables& tables, tunnel::HandshakeCounters& handshakes,
            Random& random, Logger& logger);

  /// For requests from now on, and for those whose end has not come: who is not among `users` does
  /// not come in. Sessions that are there are not touched (LimitWalk).
  void use_users(access::UserTable::Snapshot users) { users_ = std::move(users); }
  /// For sessions from now on.
  void use_pushed(Pushed pushed) { options_.offer.pushed = std::move(pushed); }
  const Pushed& pushed() const { return options_.offer.pushed; }
  /// For requests from now on.
  void use_decoy(std::shared_ptr<const Decoy> decoy) { options_.decoy = std::move(decoy); }

  /// The state of a request. The owner of its exchange keeps it beside that.
  class Request {
    friend Reception;
    bool has_head = false;
    bool is_answered = false;
    bool has_body = false;
    std::string body;
    std::optional<std::uint64_t> content_length;
    wire::JsonEnd end;  // of a body whose length is not announced
    // The peer has shown that it is a user.
    access::Credential credential;
    // Of version 2.
    std::optional<std::expected<Version2Request, wire::HandshakeResult>> version2;
  };

  /// The head of a request has come, or its body has grown or ended. `message` has all that has
  /// come.
  void receive(tunnel::Tunnel& tunnel, Exchange& exchange, Request& request,
               const quic::Message& message);
  /// Exchange::is_carriage_known() is true now.
  void on_carriage_known(tunnel::Tunnel& tunnel, Exchange& exchange, Request& request);
  /// The exchange is about to end, answered or not.
  void forget(const Exchange& exchange);
  /// All exchanges of Exchange::connection() have ended.
  void forget_connection(const void* connection) { waiting_.forget(connection); }
  /// Somebody failed before there was a request.
  void note_failure(const SocketAddress& client, std::string_view reason, Timestamp now);
  /// The time of Tunnel::wake_at() has come.
  void on_wake(tunnel::Tunnel& tunnel);
  void on_session_closed(tunnel::Tunnel& tunnel, tunnel::Session& session, tunnel::SessionEnd end,
                         const std::string& detail);

 private:
  static bool has_whole_body(Request& request, const quic::Message& message);
  bool take_head(tunnel::Tunnel& tunnel, Exchange& exchange, Request& request,
                 const quic::Message& message);
  void take_whole(tunnel::Tunnel& tunnel, Exchange& exchange, Request& request);
  std::expected<wire::ConnectRequest, wire::HandshakeResult> read_version1(
      std::string_view body) const;
  bool asks_by_version2(const quic::Message& message) const;
  void open(tunnel::Tunnel& tunnel, Exchange& exchange, const access::UserTable::Match& who,
            const access::Credential& credential, const std::optional<Version2Request>& version2,
            Grant& granted);
  void end_replaced(tunnel::Tunnel& tunnel, const Grant& granted);
  /// A ticket brings a device, or somebody else wants to.
  void enrol(tunnel::Tunnel& tunnel, Exchange& exchange, const access::UserTable::Match& who,
             const Version2Request& asked);
  void answer_enrolment(tunnel::Tunnel& tunnel, Exchange& exchange, wire::HandshakeResult result,
                        const wire::HandshakeNonce& client_nonce,
                        const wire::Ed25519PublicKey& ticket_key);
  void refuse(tunnel::Tunnel& tunnel, Exchange& exchange, const Refusal& refusal);

  void receive_visitor(tunnel::Tunnel& tunnel, Exchange& exchange, const Visit& visit,
                       const quic::Message& request);
  void answer_visitor(tunnel::Tunnel& tunnel, Exchange& exchange, const quic::Message& request,
                      std::optional<wire::HandshakeResult> result);
  void ask_upstream(Exchange& exchange, const quic::Message& request);
  /// Whether the exchange is there and waits for the answer to this question, which it gets now.
  bool is_still_asked(Exchange* exchange, std::uint64_t question);
  /// A request without the token, which was answered.
  struct Stranger {
    SocketAddress client;
    std::optional<wire::HandshakeResult> result;  ///< why it is no session, if it asked for one
  };
  static constexpr std::size_t kMaxNotedStrangers = 256;
  static constexpr Duration kTellDelay = 500ms;

  Timestamp next_wake() const { return std::min(waiting_.next(), tell_at_); }

  void note_stranger(tunnel::Tunnel& tunnel, const SocketAddress& client,
                     std::optional<wire::HandshakeResult> result);
  void tell_strangers(Timestamp now);

  Options options_;
  Tables tables_;
  access::UserTable::Snapshot users_;
  tunnel::HandshakeCounters& handshakes_;
  Random& random_;
  Logger& logger_;
  WaitingAnswers waiting_;
  // The numbers of the questions to the proxy that are not answered yet.
  std::unordered_map<const Exchange*, std::uint64_t> questions_;
  std::uint64_t last_question_ = 0;
  std::vector<Stranger> strangers_;  // yet to be logged
  Timestamp tell_at_ = kNever;
};

}  // namespace qdt::server
