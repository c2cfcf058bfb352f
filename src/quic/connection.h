#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/attention.h"
#include "base/bytes.h"
#include "base/congestion_control.h"
#include "base/drop.h"
#include "base/random.h"
#include "base/time.h"
#include "base/udp_burst.h"
#include "quic/connection_id.h"
#include "quic/farewells.h"
#include "quic/http3.h"
#include "quic/mark_watch.h"
#include "quic/path_guard.h"
#include "quic/path_mtu.h"
#include "quic/strangers.h"
#include "quic/tls.h"
#include "quic/tried_paths.h"
#include "wire/exporter.h"

struct ngtcp2_conn;
struct ngtcp2_path;
struct ngtcp2_pkt_hd;

namespace qdt::quic {

class Connection;
class EnginePath;

struct ConnectionOptions {
  Duration idle_timeout = 30s;
  /// A path of three seconds takes up to four round trips, and loses some packet.
  Duration handshake_timeout = 20s;
  /// A server's: how long a client may go without a session once its handshake is complete.
  Duration admission_timeout = 10s;
  /// How often an idle connection is kept alive; 0: never. One side is enough.
  Duration keep_alive{};
  CongestionControl congestion = CongestionControl::kBbr;
  /// The largest datagram that we accept; 0 declares that we take no datagrams.
  std::size_t max_datagram_frame_bytes = 65535;
  /// A server's: says in its SETTINGS that it takes extended CONNECT requests (RFC 9220).
  bool takes_extended_connect = false;
};

/// Why a connection ended.
struct CloseReason {
  enum class Kind {
    kLocal,          ///< we closed it
    kPeer,           ///< the peer closed it; `text` has its words
    kIdle,           ///< nothing was heard for the idle timeout
    kNoAnswer,       ///< the handshake was not complete in time
    kUntrusted,      ///< we do not trust the peer's certificate
    kReset,          ///< the peer does not know the connection (stateless reset)
    kOtherVersion,   ///< a packet without protection said that the server speaks no QUIC version 1
    kTurnedAway,     ///< a server did not go on with the handshake, as one that is busy does
    kProtocolError,  ///< the peer broke QUIC's, TLS's or HTTP/3's rules
  };
  Kind kind = Kind::kLocal;
  std::string text;
  /// kPeer: without an error, as a server ends what it has no use for.
  bool is_orderly = false;
  /// kUntrusted: the dates of the certificate, where nothing else is wrong with it.
  CertificateDates dates = CertificateDates::kRight;
};

/// The path as congestion control sees it (RFC 9002), and what left by it.
struct PathState {
  Duration smoothed_rtt{};
  Duration min_rtt{};
  std::uint64_t window_bytes = 0;     ///< may be under way at one time
  std::uint64_t in_flight_bytes = 0;  ///< are: sent, and neither acknowledged nor given up
  /// Acknowledged since the connection began, with what was given up as lost: the engine tells the
  /// two apart only at the price of an allocation per packet.
  std::uint64_t delivered_bytes = 0;
  bool is_window_full() const { return in_flight_bytes >= window_bytes; }
};

/// The events of a connection. Called from within receive(), write() and handle_timeout(),
/// on the connection's thread; never once per packet.
class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;
  /// The peer's SETTINGS have arrived: accepts_datagrams() and peer_takes_extended_connect() are
  /// now final.
  virtual void on_settings(Connection& connection) = 0;
  /// A message's headers are complete, or its body has grown or ended since.
  virtual void on_message(Connection& connection, StreamId stream, const Message& message) = 0;
  /// The next bytes, never none, of the stream of an extended CONNECT: at a client behind a 2xx
  /// answer's headers, at a server behind an answer that keeps the stream open. What came before
  /// that answer (up to Message::kMaxRequestBodyBytes, in Message::body until then) comes first,
  /// never from within respond(), but from the receive() or write() that is under way or follows.
  /// The peer's end comes behind all bytes by on_message() with `has_ended`; where it came before
  /// the answer, on_message() says so again then. A reset comes by on_stream_closed(), and so
  /// does a refusal of our bytes (STOP_SENDING), once there are some.
  virtual void on_stream_bytes(Connection& /*connection*/, StreamId /*stream*/, Bytes /*bytes*/) {}
  /// Neither direction carries anything any more, or a reset ended one. May come twice.
  virtual void on_stream_closed(Connection& connection, StreamId stream) = 0;
  /// `path`, new to the connection, was tried: the peer answers on it, or it does not. A client
  /// hears so of where it migrated to, a server of where its client is now.
  virtual void on_path_tried(Connection& /*connection*/, const UdpPath& /*path*/,
                             bool /*is_usable*/) {}
  /// The last event. The connection is destroyed soon after; nothing is sent any more.
  virtual void on_closed(Connection& connection, const CloseReason& reason) = 0;
};

/// Gives out and takes back the IDs by which payloads find their connection.
class ConnectionIds {
 public:
  virtual ~ConnectionIds() = default;
  virtual ConnectionId issue(Connection& connection) = 0;
  virtual void retire(const ConnectionId& id) = 0;
  virtual std::array<std::uint8_t, 16> reset_token(const ConnectionId& id) const = 0;
};

/// Where the datagrams of one stream go: a function and what it is to work on. A plain pointer,
/// because it is called for every packet.
struct DatagramSink {
  void (*receive)(void* context, Bytes datagram) = nullptr;
  void* context = nullptr;
};

/// An Endpoint's notes about a connection.
struct Registration {
  Connection* connection = nullptr;
  std::size_t index = 0;  ///< among the endpoint's connections
  std::vector<ConnectionId> ids;
  std::size_t noted_index = kNotNoted;
  Timestamp timer = kNever;
  std::size_t timer_index = kNoTimer;
  bool is_half_open = false;
  bool has_greeted = false;
  Strangers::Note stranger;
};

/// The surroundings of a connection. All of them outlive it.
struct ConnectionContext {
  ConnectionOptions options;
  ConnectionIds& ids;
  /// Where the connection notes that it has something to write, or another timer.
  Attention<Registration>& attention;
  ConnectionEvents& events;
  Random& random;
  DropCounters& drops;
  /// A server's: what its connections without a session hold together (MemoryAccount).
  std::size_t* strangers_bytes = nullptr;
};

/// One QUIC connection with HTTP/3 on it: an engine without sockets, clock or threads. Payloads and
/// time go in, payloads come out. One thread.
class Connection final : private Http3Events {
 public:
  /// A client's connection to the server at `path.remote`.
  static std::unique_ptr<Connection> connect(const ConnectionContext& context,
                                             const TlsClientContext& tls,
                                             const std::string& server_name, const UdpPath& path,
                                             Timestamp now);
  /// A server's side of the connection that a client's first packet `header` asks for.
  /// `original_id` is the ID of the packet that a Retry answered.
  static std::unique_ptr<Connection> accept(const ConnectionContext& context,
                                            const TlsServerContext& tls,
                                            const ngtcp2_pkt_hd& header,
                                            const std::optional<ConnectionId>& original_id,
                                            const UdpPath& path, Timestamp now);
  ~Connection() override;

  /// Takes a payload that arrived on `path`. Datagrams in it reach the sink, events the owner.
  void receive(const UdpPath& path, Ecn ecn, Bytes payload, Timestamp now);

  enum class SendStatus {
    kSent,
    kBlocked,  ///< by congestion control or pacing, or called from within an event: keep the
               ///< datagram, try after receive() or handle_timeout()
    kFull,     ///< `out` takes no packets: keep the datagram, try when it does
    kTooBig,   ///< larger than max_datagram_bytes() now is
    kClosed,
  };
  struct Sent {
    SendStatus status = SendStatus::kSent;  ///< of all, or of the first that was not sent
    std::size_t count = 0;                  ///< of those before it
  };
  /// Writes datagrams (1 to max_datagram_bytes() long each) into payloads in `out`, as many as fit
  /// into one. Mark the end of a run of calls with end_burst().
  Sent send_datagrams(std::span<const Bytes> datagrams, UdpSendQueue& out, Timestamp now);

  /// Writes all there is to send besides datagrams: handshake, acknowledgements, streams, probes.
  /// False when `out` was full before all was written.
  [[nodiscard]] bool write(UdpSendQueue& out, Timestamp now);

  /// Where pacing may set in: what was written up to here leaves in one burst, and when it was more
  /// than a millisecond's worth (two packets at least, 64 KiB at most: the engine's send quantum),
  /// the connection is blocked until it is time for the next.
  void end_burst(Timestamp now);

  /// A client's: goes on at once from another local address or port, `path.local`, with a spare
  /// connection ID, so that nobody on the way sees that it is the same connection (RFC 9000 section
  /// 9). What is under way on the old path may be lost; congestion control and path MTU begin anew.
  /// on_path_tried() follows: after a round trip, or after some seconds without an answer; then the
  /// connection is still on the new path. False, and nothing has changed, when the handshake is not
  /// confirmed, the peer forbids it, or no spare ID is left, because the peer has not heard of the
  /// last moves yet: connect anew. Take a port that the connection has not had: a server may ignore
  /// for some seconds that the client is back at an old one.
  bool migrate(const UdpPath& path, Timestamp now);

  /// When the oldest packet was sent of those that call for an answer and have had none: neither an
  /// acknowledgement nor anything else authentic came since. Nothing while no answer is owed. Where
  /// something else comes all the time, acknowledgements are waited for, for an answer's time
  /// longer: a peer goes on sending while the way to it is dead.
  /// Counts from the latest migrate(), and from the latest note_answer(). Path MTU probes, which
  /// may well be lost, do not count.
  std::optional<Timestamp> silent_since() const {
    Timestamp since = unanswered_since_;
    if (unacknowledged_since_ != kNever) {
      since = std::min(since, unacknowledged_since_ + std::max(kMinAckDelay, answer_time()));
    }
    if (since == kNever) return std::nullopt;
    return std::max(since, answered_elsewhere_);
  }
  /// The peer has told, but not in this connection, that our packets arrive.
  void note_answer(Timestamp now) { answered_elsewhere_ = now; }
  /// How long an answer may take, by what was measured of this path and by how long answers took of
  /// late, on the path before as well.
  Duration answer_time() const;

  /// When something authentic came last from the peer; acknowledgements that nobody waited for do
  /// not count.
  Timestamp heard_at() const { return heard_at_; }

  /// Goes on with new keys (RFC 9001 section 6), as the engine does by itself long before a key has
  /// been used too often. False while it may not: the peer has not followed the last update yet.
  bool update_keys(Timestamp now);

  Timestamp next_timeout() const;
  void handle_timeout(Timestamp now);

  /// Sends the datagrams of `stream` to `sink`; an empty sink drops them.
  void set_datagram_sink(StreamId stream, DatagramSink sink);
  /// The largest datagram that fits the path as it is known now, and that the peer takes; 0 while
  /// the handshake lasts, or when it takes none.
  std::size_t max_datagram_bytes() const { return max_datagram_bytes_; }
  /// The same as far as others may be told: while more is about to be found out about the path,
  /// what was believed of it before; at first, all that a path can carry.
  std::size_t expected_datagram_bytes() const { return expected_datagram_bytes_; }
  /// The largest of all: in a payload of Ethernet's size over IPv4, to a peer of our own make.
  static constexpr std::size_t largest_datagram_bytes() {
    return UdpSendQueue::kMaxPayloadBytes - kPacketOverhead - kOurConnectionIdBytes;
  }
  /// Packets of the session that are not this connection's were lost where they were large: looks
  /// into it as if they were its own.
  void doubt_large_payloads(Timestamp now);
  /// The largest payload that the path carries, as far as it is known.
  std::size_t path_mtu() const { return payload_limit_; }
  /// Nothing more is about to be found out about that.
  bool is_path_known() const { return path_mtu_.is_settled(); }

  /// How long a datagram has to be whose way through tells something about the path, for
  /// send_path_probe(): a large one whether it carries more than path_mtu(), a small one, while
  /// nothing is heard of large ones, whether it carries anything. 0: nobody wants to know.
  std::size_t next_path_probe() const;
  /// Sends one of that length, of which the peer makes nothing, alone.
  SendStatus send_path_probe(Bytes datagram, UdpSendQueue& out, Timestamp now);
  /// Has a secret once the handshake is complete.
  const wire::Exporter& exporter() const { return exporter_; }
  /// The peer said in both QUIC and HTTP/3 that it takes datagrams.
  bool accepts_datagrams() const;
  bool has_settings() const { return has_settings_; }
  /// A client's: the server takes extended CONNECT requests.
  bool peer_takes_extended_connect() const {
    return http_ != nullptr && http_->peer_takes_extended_connect();
  }
  /// HTTP Datagrams begin with this number, a quarter of their stream's ID (RFC 9297).
  static std::uint64_t quarter_id(StreamId stream) {
    return static_cast<std::uint64_t>(stream) / 4;
  }

  std::optional<StreamId> request(const Request& request);
  /// An answer that keeps its stream open makes this a session: it is no stranger any more. False
  /// when the stream is gone, or when an extended CONNECT that `is_too_long` is to be kept open:
  /// some of its bytes are lost, so give it another answer.
  bool respond(StreamId stream, const Response& response);

  // The stream of an extended CONNECT; each may be called from within an event.

  /// Sends bytes behind what was sent before: a server's behind its answer, a client's behind its
  /// request, before the answer too. False, and nothing is sent, when our side of the stream has
  /// ended, or when more than OutgoingBytes::kMaxBytes would wait to be acknowledged.
  [[nodiscard]] bool send(StreamId stream, std::vector<std::uint8_t> bytes);
  /// Ends our side of the stream behind what was sent.
  void finish(StreamId stream);
  /// Ends both directions of any request's stream at once, with an error code of HTTP/3. Nothing
  /// comes of it any more but on_stream_closed(), and nothing that waits is sent.
  void reset(StreamId stream, std::uint64_t error_code);

  /// Ends the connection: on_closed() is called, and CONNECTION_CLOSE goes out with the next
  /// write(). May be called from within an event. `text` is for the peer's log; `error_code` is one
  /// of HTTP/3's.
  void close(std::string_view text, Timestamp now, std::uint64_t error_code = kH3NoError);
  /// A server's: ends a connection that has to give way to others. Its client may come again, and
  /// learns nothing else.
  void turn_away(Timestamp now);
  bool is_closed() const { return state_ != State::kOpen; }
  /// A server's: it has no session yet, so its memory and its time are bounded.
  bool is_stranger() const { return is_stranger_; }
  /// The memory that the engine and HTTP/3 hold for it.
  std::size_t memory_bytes() const;
  /// A stranger's end, where it was its time or its memory that was up.
  enum class Excess { kNone, kTime, kMemory };
  Excess excess() const { return excess_; }
  /// A server's: all of the ClientHello was there, and has its answer.
  bool has_greeted() const { return has_greeted_; }
  bool is_handshake_complete() const;
  /// While the handshake gets no answer: something small was answered (Endpoint::ask_small()), so
  /// the path does not carry what QUIC needs.
  bool is_path_too_narrow() const { return small_is_answered_ && !handshake_is_answered_; }
  bool is_handshake_answered() const { return handshake_is_answered_; }
  /// The ID that a client made up for the server.
  ConnectionId first_peer_id() const;
  /// The number of the next packet that asks for a small answer: none of the handshake's.
  std::uint8_t next_question() { return static_cast<std::uint8_t>(kFirstQuestion + questions_++); }
  /// The endpoint's: a payload came, of the handshake or from nobody known.
  void note_answer(bool is_of_handshake) {
    (is_of_handshake ? handshake_is_answered_ : small_is_answered_) = true;
  }
  /// Its TLS session goes on from an earlier one: no certificate was shown.
  bool is_resumed() const { return is_resumed_; }
  /// The rest of a closed connection that is to be kept once it has written all it had to say.
  Farewells::Farewell take_farewell();

  /// The path in use.
  UdpPath path() const;
  /// The connection ID by which this side's packets go to the peer on path(), as of
  /// peer_id_changes(), which says whether either is another since.
  struct PeerId {
    ConnectionId id;
    UdpPath path;
  };
  const PeerId& peer_id() const { return peer_id_; }
  std::uint32_t peer_id_changes() const { return peer_id_changes_; }
  /// 1-RTT packets of the peer that were authentic, copies included; 0 where nobody counts.
  std::uint64_t opened_packets() const { return opened_packets_; }
  /// For the packet protection, which counts them.
  std::uint64_t& opened_counter() { return opened_packets_; }
  /// A server's: the latest path on which the client has answered, which is where it can be reached
  /// as far as is known. A client's: path().
  UdpPath home_path() const { return path_guard_ ? path_guard_->home() : path(); }
  /// The addresses of the peer that are not home; of both planes.
  TriedPaths& tried_paths() { return tried_paths_; }
  /// How long an address has to answer: three probe timeouts, of a path not yet measured where that
  /// is longer (RFC 9000 section 8.2.4).
  Duration path_patience() const;
  PathState path_state() const;
  /// With what mark the payload came whose datagrams the sink is being given, as judge_mark() has
  /// it.
  Ecn arrival_mark() const { return arrival_mark_; }
  /// The meaning of the mark of a payload from the peer; of the session's others, too, since they
  /// take the same path.
  Ecn judge_mark(Ecn ecn, Timestamp now) {
    const Ecn mark = marks_.judge(ecn);
    if (marks_.is_window_over(now)) marks_.end_window(path_state().smoothed_rtt, now);
    return mark;
  }
  /// Whether a packet may be dropped for a mark that it does not understand (MarkWatch).
  bool may_drop_marked(Timestamp now) { return marks_.may_drop(now); }

  /// Free for the owner of the connection, which is told of it by on_closed() at the latest.
  void* owner = nullptr;

  /// The Endpoint's notes about this connection; nobody else's business.
  Registration registration;

 private:
  // A short header with the longest packet number (RFC 9000 section 17.3), less the connection ID;
  // the tag; a DATAGRAM frame's type and length (RFC 9221 section 4): none of ours needs a longer
  // one.
  static constexpr std::size_t kDatagramFrameBytes = 1 + 2;
  static constexpr std::size_t kPacketOverhead = 1 + 4 + 16 + kDatagramFrameBytes;
  // For acknowledgements that come behind other packets.
  static constexpr Duration kMinAckDelay = 1s;
  static constexpr std::uint8_t kFirstQuestion = 64;

  enum class State { kOpen, kClosing, kDraining };
  struct Engine;  // ngtcp2's callbacks
  struct ConnectionReference;
  struct Memory;
  struct EngineDeleter {
    void operator()(ngtcp2_conn* engine) const;
  };

  /// The content of CONNECTION_CLOSE.
  struct CloseFrame {
    bool is_application = true;
    std::uint64_t code = 0;
    std::string text;
  };
  struct PathVerdict {
    UdpPath path;
    bool is_usable = false;
  };
  enum class Purpose { kData, kProbe };

  Connection(const ConnectionContext& context, Role role);
  void attach(ngtcp2_conn* engine, TlsSession tls);
  void complete_handshake(Timestamp now);
  void admit();
  bool write_open(UdpSendQueue& out, Timestamp now);
  void shut(StreamId stream);
  void push(UdpSendQueue& out, const ngtcp2_path& path, std::size_t bytes, std::uint32_t ecn,
            Timestamp now);
  Sent write_datagrams(std::span<const Bytes> datagrams, std::size_t payload_bytes, Purpose purpose,
                       UdpSendQueue& out, Timestamp now);
  /// How much of a payload the engine may fill: all, where its own probes are to go out too.
  std::size_t writable_bytes() const {
    return std::min(path_mtu_.limit(), UdpSendQueue::kMaxPayloadBytes);
  }
  void expect_answer(Timestamp now) {
    if (unanswered_since_ == kNever) unanswered_since_ = now;
    if (unacknowledged_since_ == kNever) unacknowledged_since_ = now;
  }
  void note_change() { context_.attention.note(registration); }

  // In connection_end.cc.
  void fail(int engine_error, Timestamp now);
  void end(State state, const CloseReason& reason, Timestamp now);
  bool write_close(UdpSendQueue& out, Timestamp now);
  CloseReason reason_from_peer() const;

  // In connection_path.cc.
  const EnginePath& engine_path(const UdpPath& path);
  UdpPath seen_path(const UdpPath& path, Timestamp now) const;
  void note_path(const UdpPath& path, const UdpPath& seen, Bytes payload, Timestamp now);
  void note_peer_id();
  void tell_path(Timestamp now);
  PathGuard::Times path_times(Timestamp now) const;
  std::size_t datagram_bytes_in(std::size_t payload_bytes) const;
  /// News to the engine may have changed how large datagrams may be.
  void refresh_path_mtu(Timestamp now);
  void doubt_path(Timestamp now);
  void note_search(Timestamp now);
  Duration probe_timeout() const;
  Timestamp small_probe_at() const;
  std::uint64_t bytes_in_flight() const;

  // Http3Events
  void on_settings(bool accepts_datagrams) override;
  void on_message(StreamId stream, const Message& message) override;
  void on_stream_bytes(StreamId stream, Bytes bytes) override;
  void on_stream_closed(StreamId stream) override;

  ConnectionContext context_;
  Role role_;
  std::unique_ptr<Memory> memory_;  // the engine's and HTTP/3's
  std::optional<TlsSession> tls_;   // a server's: until its handshake is complete
  wire::Exporter exporter_;
  bool is_resumed_ = false;
  std::unique_ptr<ConnectionReference> reference_;
  std::unique_ptr<ngtcp2_conn, EngineDeleter> engine_;
  std::unique_ptr<Http3> http_;
  StreamId datagram_stream_ = -1;
  DatagramSink sink_;
  bool has_settings_ = false;
  bool http_takes_datagrams_ = false;

  PeerId peer_id_;
  std::uint32_t peer_id_changes_ = 0;
  std::unique_ptr<EnginePath> peer_id_path_;
  std::uint64_t opened_packets_ = 0;
  TriedPaths tried_paths_;
  std::optional<PathGuard> path_guard_;  // a server's
  // The path of the latest payload in both forms, since almost always the next one is on it too.
  UdpPath path_;
  std::unique_ptr<EnginePath> engine_path_;

  State state_ = State::kOpen;
  Timestamp late_until_ = kNever;            // packets may still come
  std::optional<CloseFrame> close_frame_;    // to be written
  std::vector<std::uint8_t> close_payload_;  // written, for a peer that has not heard it
  bool must_send_close_ = false;
  bool is_stranger_ = false;
  bool has_greeted_ = false;
  bool has_completed_ = false;  // the handshake, in the payload that the engine is reading
  Timestamp admit_by_ = kNever;
  bool is_leaving_ = false;  // ends with the next write()
  Excess excess_ = Excess::kNone;
  std::size_t handshake_bytes_ = 0;  // that TLS was given
  // An event of ours is on the stack: the engine must not be re-entered.
  bool is_in_engine_ = false;
  bool was_reset_ = false;
  int http_error_ = 0;
  Ecn arrival_mark_ = Ecn::kNotEct;
  MarkWatch marks_;
  bool has_heard_ = false;  // something came in the payload that the engine is reading
  Timestamp unanswered_since_ = kNever;
  // The same for acknowledgements alone: the peer may go on sending while nothing of ours arrives.
  Timestamp unacknowledged_since_ = kNever;
  Timestamp answered_elsewhere_;
  Duration slowest_answer_{};  // of late
  Timestamp heard_at_;
  std::optional<PathVerdict> path_verdict_;  // to be told when the engine is left
  PathMtu path_mtu_;
  bool has_new_path_ = true;  // since path_mtu_ last heard
  bool handshake_is_answered_ = false;
  bool small_is_answered_ = false;
  std::uint8_t questions_ = 0;
  bool wants_small_probe_ = false;
  int small_probes_ = 0;           // since the peer was heard of
  int unacknowledged_probes_ = 0;  // since it acknowledged something
  // Asked for each packet, so kept from one change of the engine's state to the next.
  std::size_t payload_limit_ = PathMtu::kBaseBytes;
  std::size_t max_datagram_bytes_ = 0;
  std::size_t expected_datagram_bytes_ = 0;
  std::size_t probe_bytes_ = 0;         // path MTU probes of the write() under way
  std::size_t unpaced_bytes_ = 0;       // written since the engine's pacing last heard of it
  std::uint64_t answerable_bytes_ = 0;  // sent in packets that are to be acknowledged
};

}  // namespace qdt::quic
