#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/drop.h"
#include "base/time.h"
#include "base/udp_burst.h"
#include "wire/fragment.h"

/// A *plane* is one way for a session's packets to the peer and from there: it seals and opens
/// them, cuts those that its path does not carry whole, and knows what that path is like. A session
/// rests on one plane (`BasePlane`), as a rule QuicPlane, and perhaps has DirectPlane beside it.
///
/// Towards the peer a plane is asked for each packet, so it is called by its own type, never by a
/// virtual function. From the peer each plane has an input of its own form, a datagram or a UDP
/// payload, and gives the `Piece`s in it.
namespace qdt::plane {

/// How far a plane got with what it was to send.
enum class Step {
  kDone,
  kBlocked,  ///< by its path: until next_timeout(), or until the peer is heard of
  kFull,     ///< `out` is full
};

/// The packet that is being sent: how much of it has gone, in fragments. All planes of a session
/// share it, since a packet that one plane has begun may go on by another.
struct Cut {
  std::size_t offset = 0;         ///< so much has gone
  std::uint32_t fragment_id = 0;  ///< of the latest packet that was cut
  std::uint64_t sealed_bytes =
      0;  ///< of all packets, with what sealing adds; the session's to clear

  /// The header of the fragment at `offset` of a packet of `total` bytes.
  std::array<std::uint8_t, wire::kFragmentHeaderBytes> header(std::size_t total) {
    if (offset == 0) ++fragment_id;
    return wire::encode_fragment_header({.id = fragment_id,
                                         .offset = static_cast<std::uint32_t>(offset),
                                         .total = static_cast<std::uint32_t>(total)});
  }
};

/// The largest packets that go in one piece.
struct PacketLimits {
  std::size_t whole = 0;     ///< now, however small
  std::size_t expected = 0;  ///< the same as far as others may be told: while more is about to be
                             ///< found out about the path, what was believed of it before
  bool cuts_packets = true;  ///< larger ones go in fragments; else not at all
};

/// A plane's knowledge of its path, for decisions and counters that are no packet's.
struct PathView {
  Duration rtt{};                     ///< smoothed; zero while it is not known
  std::uint64_t window_bytes = 0;     ///< may be under way at one time; 0: nothing bounds it
  bool is_window_full = false;        ///< as much is under way
  std::uint64_t delivered_bytes = 0;  ///< that the peer has got, or that were lost
  Timestamp heard_at;                 ///< when something authentic came last
  /// Packets that have arrived, and such as have not although later ones have; both stay 0 where
  /// the plane does not count them.
  std::uint64_t packets_arrived = 0;
  std::uint64_t packets_lost = 0;
};

/// Something that came from the peer.
struct Piece {
  enum class Kind {
    kNothing,  ///< it was the plane's own affair
    kPacket,
    kFragment,
    kClose,  ///< the peer ends the session; `bytes` is empty or begins with its reason
  };
  Kind kind = Kind::kNothing;
  MutableBytes bytes;
  Ecn mark = Ecn::kNotEct;  ///< that its payload came with, as far as it means anything
};

/// All planes.
template <typename T>
concept Plane =
    requires(T& plane, const T& seen, Bytes packet, Cut& cut, UdpSendQueue& out, Timestamp now) {
      // Sends `packet` from cut.offset on, whole or in fragments, and advances that past what was
      // taken: sent, or waiting for others to join it until flush(), which has to follow.
      { plane.send(packet, cut, out, now) } -> std::same_as<Step>;
      // Sends what waits to be joined, and what the plane has to say itself.
      { plane.flush(out, now) } -> std::same_as<Step>;
      { seen.has_something(now) } -> std::same_as<bool>;
      // When flush() will have something by itself, or send() will take more. Planes on a
      // connection that has a timer of its own need none.
      { seen.next_timeout() } -> std::same_as<Timestamp>;
      // The peer gets what is sent.
      { seen.is_usable() } -> std::same_as<bool>;
      { seen.limits() } -> std::same_as<PacketLimits>;
      { seen.view() } -> std::same_as<PathView>;
    };

/// The planes that a session may rest on.
template <typename T>
concept Base =
    Plane<T> && requires(T& plane, const T& seen, std::uint8_t reason, std::string_view text,
                         UdpSendQueue& out, Bytes payload, MutableBytes slot, Timestamp now) {
      // Opens a payload of the peer's into `slot`, which has room for it.
      { plane.open(payload, slot, now) } -> std::same_as<std::expected<Piece, Drop>>;
      // When a plane that holds back what came too early wants to go on, and the next piece of it,
      // written to `slot`, which has room for any packet.
      { seen.next_delivery() } -> std::same_as<Timestamp>;
      { plane.deliver_due(slot, now) } -> std::same_as<std::optional<Piece>>;
      // Has the peer answer, so that it shows whether it is there.
      plane.ping(out, now);
      // Tells a peer that understands it why the session ends; what still waits is lost.
      plane.send_close(reason, out, now);
      // Ends what carries the plane, a connection for instance.
      plane.close(text, now);
      // The session is over: nothing that comes is its affair any more.
      plane.detach();
    };

}  // namespace qdt::plane
