#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "base/role.h"
#include "base/time.h"
#include "base/udp_burst.h"
#include "plane/direct_path.h"
#include "plane/peer_paths.h"
#include "plane/plane.h"
#include "quic/connection.h"
#include "wire/direct_frame.h"
#include "wire/direct_packet.h"

namespace qdt::plane {

/// A session's packets in a form of their own, beside its QUIC connection and on the same path
/// (docs/protocol-v1.md section 7): each sealed once, none acknowledged one by one. Knows whether its
/// packets arrive, where the peer is, and what the path is like; what they carry is the session's
/// affair. One thread.
class DirectPlane {
 public:
  struct Options {
    Role role = Role::kServer;
    wire::DirectSecrets secrets;
    std::vector<wire::DirectId> own_ids;   ///< by which the peer's packets find us; at least one
    std::vector<wire::DirectId> peer_ids;  ///< at least one
    bool has_shaper = true;
    bool shares_ids = false;  ///< the QUIC connection's are used, not these
  };
  /// Derives the secrets for the two ends of `connection`, whose handshake had these.
  static wire::DirectSecrets secrets(const quic::Connection& connection, std::string_view token,
                                     const wire::HandshakeNonce& client_nonce,
                                     const wire::HandshakeNonce& server_nonce,
                                     wire::AeadAlgorithm algorithm);

  /// Referenced objects outlive the plane.
  DirectPlane(const Options& options, quic::Connection& connection, Random& random, Timestamp now);

  /// Empty where the packets have the QUIC connection's IDs.
  const std::vector<wire::DirectId>& own_ids() const { return own_ids_; }
  /// The packets have the QUIC connection's IDs: what does not open may be a packet of QUIC.
  bool shares_ids() const { return shares_ids_; }
  /// The packet that failed last was one of QUIC.
  void forgive() { opener_.forgive(); }

  // --- towards the peer ---

  // plane::Plane; packets in payloads of their own or, small ones, together.
  /// The peer has shown lately that our packets arrive.
  bool is_usable() const { return is_usable_; }
  PacketLimits limits() const {
    const std::size_t bytes = max_packet_bytes();
    return {.whole = bytes, .expected = bytes};
  }
  PathView view() const;
  /// Gives back the memory of busier times. Now and then.
  void shrink(Timestamp now) { path_.shrink(now); }
  Step send(Bytes packet, Cut& cut, UdpSendQueue& out, Timestamp now);
  /// Sends what waits to be joined, and feedback, pings and pongs where they are due.
  Step flush(UdpSendQueue& out, Timestamp now);
  /// Whether flush() has something to send.
  bool has_something(Timestamp now) const;
  /// When flush() will have something, or the shaper lets go.
  Timestamp next_timeout() const;

  // --- from the peer ---

  struct Opened {
    MutableBytes rest;       ///< the frames that next() has not taken yet
    Ecn mark;                ///< that the packet came with, as Connection::judge_mark() has it
    std::size_t frames = 0;  ///< taken
  };
  /// Opens a packet into `slot`, which has room for it. Only an authentic packet changes anything.
  std::expected<Opened, Drop> open(const UdpPath& path, Ecn ecn, Bytes packet, MutableBytes slot,
                                   Timestamp now);
  /// Takes the next frame off `opened`, of which something is left; what is in order behind a frame
  /// that is not is gone with it. `path` as in open().
  std::expected<Piece, Drop> next(Opened& opened, const UdpPath& path, Timestamp now);

  // --- the path ---

  /// A client has gone on to another address or port of its own.
  void migrate(const UdpPath& path, Timestamp now);
  /// The QUIC connection is on `path` now, which it has validated.
  void on_connection_path(const UdpPath& path, Timestamp now);
  const UdpPath& path() const { return path_.address(); }
  /// Notes that something is to be sent on the QUIC connection, so that it tells how it is.
  void ask_quic(Timestamp now);
  /// Whether so; once.
  bool take_quic_question() { return std::exchange(asks_quic_, false); }
  Duration rtt() const;
  const Shaper& shaper() const { return path_.shaper(); }
  /// The least that feedback has told of a queue on the path since the last call: what stands
  /// there.
  Duration take_standing_queue() { return path_.take_standing_queue(); }

 private:
  enum class Content {
    kPackets,  // or a fragment: held back by the shaper, answered with feedback
    kControl,  // feedback, ping, pong
  };
  /// The largest packet that fits a payload.
  std::size_t max_packet_bytes() const;
  Step send_whole(Bytes packet, UdpSendQueue& out, Timestamp now);
  /// `header` and `piece` are together at most max_packet_bytes() - 1 long.
  Step send_fragment(Bytes header, Bytes piece, UdpSendQueue& out, Timestamp now);
  std::expected<void, Drop> take_control(const wire::DirectFrame& frame, const UdpPath& path,
                                         Timestamp now);
  bool may_send(std::size_t bytes, Content content, Timestamp now);
  Step seal(Bytes payload, Ecn ecn, Content content, UdpSendQueue& out, Timestamp now);
  Step seal_joined(UdpSendQueue& out, Timestamp now, std::size_t more_bytes = 0);
  Step join(Bytes packet, UdpSendQueue& out, Timestamp now);
  std::size_t write_control(MutableBytes out, bool tells, Timestamp now);
  void expect_answer(Timestamp now);
  bool choose_id();
  void take_pong(Bytes body, const UdpPath& path, Timestamp now);
  bool may_have_moved(const UdpPath& path) const;
  void take_copy(const UdpPath& path, Bytes packet, Timestamp now);
  void note_arrival(const UdpPath& path, Bytes packet, PeerPaths::Kind kind, Timestamp now);
  void follow_peer();
  void send_second(Bytes payload, Ecn ecn, UdpSendQueue& out);
  void send_pings_elsewhere(UdpSendQueue& out, Timestamp now);
  PeerPaths::Times times(Timestamp now) const;
  void begin_pings(Timestamp now);
  void on_peer_reached(Timestamp now);
  void move_to(const UdpPath& address);

  Role role_;
  std::vector<wire::DirectId> own_ids_;
  std::vector<wire::DirectId> peer_ids_;
  std::size_t peer_id_ = 0;  // in use
  bool shares_ids_;
  // The ID of our packets, and on which path it is known to be the peer's.
  wire::DirectId id_{};
  UdpPath id_path_;
  std::uint32_t id_changes_ = 0;  // of the connection's, as of which
  bool is_id_stale_ = true;
  bool has_id_ = true;                 // false: none that the peer's new address may see
  bool has_moved_on_purpose_ = false;  // to path_
  quic::Connection& connection_;
  Random& random_;
  wire::DirectSealer sealer_;
  wire::DirectOpener opener_;
  DirectPath path_;  // to where the peer is

  // Packets that wait to leave together, as they will be in the payload.
  std::array<std::uint8_t, UdpSendQueue::kMaxPayloadBytes> joined_;
  std::size_t joined_bytes_ = 0;
  std::size_t joined_packets_ = 0;

  Timestamp heard_at_;      // when a packet of the peer's came last
  bool is_usable_ = false;  // our packets arrive
  Timestamp next_ping_;
  Duration ping_interval_;
  wire::PingCookie cookie_{};
  wire::PingCookie pong_cookie_{};
  bool has_pong_to_send_ = false;
  bool asks_quic_ = false;
  Timestamp asked_quic_;

  std::optional<wire::DirectId> used_id_;  // of ours, by the peer
  PeerPaths paths_;                        // a server's: a client's server stays where it is
};

}  // namespace qdt::plane
