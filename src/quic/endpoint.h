#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/attention.h"
#include "base/bytes.h"
#include "base/drop.h"
#include "base/random.h"
#include "base/time.h"
#include "base/token_bucket.h"
#include "base/udp_burst.h"
#include "quic/address_proof.h"
#include "quic/connection.h"
#include "quic/farewells.h"
#include "quic/pooled_random.h"
#include "quic/repeats.h"
#include "quic/source_limit.h"
#include "quic/strangers.h"

namespace qdt::quic {

/// The connections of one shard: finds the one that an arriving payload belongs to, accepts new
/// ones, and keeps their timers. One thread; neither sockets nor clock.
class Endpoint final : private ConnectionIds {
 public:
  struct Options {
    ConnectionOptions connection;
    std::size_t shard = 0;
    std::size_t shard_count = 1;
    /// From which stateless reset tokens and Retry tokens are made; the same in all shards.
    ServerSecret secret{};
    /// Handshakes under way, or begun in a second, above which a client has to prove its address
    /// first (Retry): a flood of forged first packets then costs no memory, and little time.
    std::size_t half_open_before_retry = 64;
    /// The same for connections without a session from one address: somebody who forges it does
    /// not take the room of those who have it.
    std::size_t strangers_before_retry = 16;
    /// A server's, of all its shards together.
    Strangers::Options strangers;
  };

  /// The connections without a session: how they ended, and how much they take now.
  struct StrangerCounts {
    std::uint64_t gave_way = 0;     ///< to newer ones, or because all together held too much memory
    std::uint64_t out_of_time = 0;  ///< without a session for too long
    std::uint64_t too_large = 0;    ///< with more memory than one may have
    std::size_t connections = 0;
    std::size_t bytes = 0;
  };

  /// `server` may be null: then nothing is accepted. All the references outlive the endpoint.
  Endpoint(const Options& options, const TlsServerContext* server, ConnectionEvents& events,
           Random& random, DropCounters& drops);
  ~Endpoint() override;

  /// A server's: connections from now on get this certificate, those that are there keep theirs.
  void use_certificate(std::shared_ptr<const TlsServerContext> server) {
    replacement_ = std::move(server);
    server_ = replacement_.get();
  }

  Connection& connect(const TlsClientContext& tls, const std::string& server_name,
                      const UdpPath& path, Timestamp now);

  /// Takes a payload from the network. What it calls for goes out with the next write(), answers
  /// without a connection (Retry, stateless reset, version negotiation) at once into `out`. False:
  /// a client's, with an ID that no connection has.
  bool receive(const UdpPath& path, Ecn ecn, Bytes payload, UdpSendQueue& out, Timestamp now);

  /// Asks the server of a connection whose handshake gets no answer for a sign of life, with a
  /// small Initial packet of this connection: a server may say that it takes none (RFC 9000
  /// section 14.1), and ours do. Connection::is_path_too_narrow() tells what came of it.
  void ask_small(Connection& connection, UdpSendQueue& out);

  /// The connection that has given out `id`; null if none has. It may have been retired lately.
  Connection* find(Bytes id);

  /// Which shard a payload belongs to, by the first byte of its connection ID.
  std::size_t shard_of_payload(Bytes payload) const;

  /// An ID that nobody has, which payloads of other kinds may be steered to this shard by.
  ConnectionId new_id() { return new_connection_id(random_, options_.shard, options_.shard_count); }

  /// The connections that were heard from or written to since the last write(), or whose timer
  /// came.
  template <typename Visit>
  void for_each_noted(Visit&& visit) const {
    attention_.for_each([&](const Registration& one) { visit(*one.connection); });
  }

  /// Lets each of those write what is not a datagram, and sets its timer. False when
  /// `out` was full: send it and call again.
  [[nodiscard]] bool write(UdpSendQueue& out, Timestamp now);

  Timestamp next_timeout() const {
    return std::min(attention_.next_timeout(), farewells_.next_timeout());
  }
  /// Handles the timers that have come; what they call for goes out with the next write().
  void handle_timeouts(Timestamp now);

  /// Ends every connection.
  void close_all(std::string_view text, Timestamp now);

  std::size_t connection_count() const { return connections_.size(); }
  StrangerCounts strangers() const;
  /// Connections that have ended, whose late packets are recognised.
  std::size_t farewell_count() const { return farewells_.count(); }

 private:
  // Handshakes begun without a proof of address: 64 of them take 3 % of a processor.
  static constexpr RateLimit kBegun{.per_second = 64, .burst = 64};
  // Those begun with one, at half a millisecond each: a quarter of a processor together.
  static constexpr SourceLimit::Options kProven{.all = {.per_second = 512, .burst = 512},
                                                .each = {.per_second = 256, .burst = 512}};
  // Stateless resets, and ends of connections that there are none of.
  static constexpr SourceLimit::Options kAnswers{.all = {.per_second = 100, .burst = 100},
                                                 .each = {.per_second = 20, .burst = 20}};
  static constexpr SourceLimit::Options kVersions{.all = {.per_second = 500, .burst = 500},
                                                  .each = {.per_second = 50, .burst = 50}};
  // Retry packets: at once, more newcomers than come back together after a power cut; in the long
  // run twice as many as may begin with them. Sending one costs the kernel more than all else that
  // a forged first packet does: a flood from everywhere takes less of what sessions need.
  static constexpr SourceLimit::Options kRetries{.all = {.per_second = 1000, .burst = 8000},
                                                 .each = {.per_second = 500, .burst = 5000}};
  // Beyond that they are for who comes again, as every client does.
  static constexpr SourceLimit::Options kLaterRetries{
      .all = {.per_second = 100'000, .burst = 100'000},
      .each = {.per_second = 5000, .burst = 5000}};

  // ConnectionIds
  ConnectionId issue(Connection& connection) override;
  void retire(const ConnectionId& id) override;
  std::array<std::uint8_t, 16> reset_token(const ConnectionId& id) const override;

  ConnectionContext context();
  void forget_retired();
  /// Whether a payload belongs to a connection that has ended; its peer is told so once more.
  bool is_late(Bytes id, UdpSendQueue& out);
  /// A client's connection for a payload whose ID nobody knows: it may be a stateless reset, which
  /// looks like that on purpose.
  Connection* find_by_path(const UdpPath& path);
  struct Accepted {
    Connection* connection = nullptr;
    Strangers::Note* gives_way = nullptr;  ///< has to go for it
  };
  Accepted accept(const UdpPath& path, Bytes payload, UdpSendQueue& out, Timestamp now);
  void answer_version(const UdpPath& path, Bytes payload, UdpSendQueue& out, Timestamp now);
  void answer_unknown(const UdpPath& path, Bytes payload, UdpSendQueue& out, Timestamp now);
  void answer_small(const UdpPath& path, Bytes payload, UdpSendQueue& out, Timestamp now);
  void answer_retry(const UdpPath& path, const ngtcp2_pkt_hd& header, UdpSendQueue& out,
                    Timestamp now);
  void answer_false_proof(const UdpPath& path, const ngtcp2_pkt_hd& header, UdpSendQueue& out,
                          Timestamp now);
  void forget(Connection& connection);
  void say_farewell(Connection& connection, Timestamp now);
  void add(std::unique_ptr<Connection> connection);
  void note_greeting(Connection& connection, Timestamp now);
  void note_progress(Connection& connection, Timestamp now);
  /// Whether a client has to show that it is at this address.
  bool must_prove(const UdpPath& path, Timestamp now);
  /// Whether there is a Retry for a first packet that has `id`; if so, it is taken.
  bool take_retry(const SocketAddress& from, const ConnectionId& id, Timestamp now);
  void give_up(Connection& connection, UdpSendQueue& out, Timestamp now);
  void end_now(Connection& connection, UdpSendQueue& out, Timestamp now);

  Options options_;
  const TlsServerContext* server_;
  std::shared_ptr<const TlsServerContext> replacement_;  // of the first one
  ConnectionEvents& events_;
  Random& random_;
  DropCounters& drops_;

  Attention<Registration> attention_;
  Strangers strangers_;
  StrangerCounts stranger_counts_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::unordered_map<ConnectionId, Connection*> by_id_;
  Farewells farewells_;
  std::size_t half_open_ = 0;  // accepted, handshake under way
  // IDs that peers have retired, which late packets may still have, in the order of their ends.
  struct Retired {
    ConnectionId id;
    Timestamp until;
  };
  static constexpr std::size_t kMaxRetired = 4096;
  static constexpr Duration kRetiredTime = 3s;
  std::deque<Retired> retired_;
  Timestamp now_;  // of the latest call
  // The last look-up: a burst's payloads have one ID.
  ConnectionId last_id_;
  Connection* last_connection_ = nullptr;
  // One limit for each kind: a flood of one kind leaves the answers of the others as they are.
  TokenBucket begun_{kBegun};
  SourceLimit proven_;
  SourceLimit resets_;
  SourceLimit small_answers_;
  SourceLimit false_proofs_;
  SourceLimit versions_;
  SourceLimit retries_;
  SourceLimit later_retries_;
  Repeats first_packets_;  // those that found no Retry
  AddressProof proofs_;
  PooledRandom noise_;  // of answers to strangers
};

}  // namespace qdt::quic
