#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "program.h"
#include "sim/nodes.h"
#include "support/raw_peer.h"
#include "wire/datagram.h"
#include "wire/direct_frame.h"
#include "wire/direct_packet.h"
#include "wire/handshake.h"

namespace qdt::fuzz {

using testing::PacketHeader;
using testing::PacketSpace;
using testing::RawPeer;

/// A hostile end of a connection with all its keys: QUIC's, the session's, the direct plane's.
/// Every function that writes something returns the bytes and leaves sending to its caller.
class Contact {
 public:
  Contact(const RawPeer::Options& options, const SocketAddress& here, const SocketAddress& there);

  Role role() const { return role_; }
  RawPeer raw;
  SocketAddress here;   ///< where it sends from
  SocketAddress there;  ///< where the target is

  void receive(Bytes payload, Timestamp now);
  /// The payloads that an ordinary peer would send now.
  std::vector<ByteVector> take_payloads(Timestamp now);

  // --- HTTP/3 ---

  /// A STREAM frame with what follows on stream `id`.
  ByteVector stream_frame(std::uint64_t id, Bytes bytes, bool ends);
  /// The control stream with `settings`, and both QPACK streams, as STREAM frames.
  ByteVector hello(Bytes settings);
  static ByteVector usual_settings();
  using Fields = std::vector<std::pair<std::string, std::string>>;
  static ByteVector headers_frame(const Fields& fields);
  static ByteVector http_frame(std::uint64_t type, Bytes content);
  /// The content of the DATA frames on stream 0 so far.
  std::string body() const;
  std::uint64_t next_offset(std::uint64_t id) { return offsets_[id]; }

  // --- the session ---

  /// A client's request, for which it has new nonces and IDs.
  wire::ConnectRequest new_request(const std::string& resume_token = "");
  /// What the answer gave; empty: nothing.
  std::string resume_token() const { return response_ ? response_->resume_token : ""; }
  /// A server's answer to the request that came; nothing while none came.
  std::optional<wire::ConnectResponse> new_response();
  /// Derives the keys from request and answer, where both are known.
  bool open_session(std::string_view token);
  bool has_session() const { return session_ != nullptr; }
  /// The inner addresses of the session: the client's, and one on the internet.
  IpAddress lease() const;
  IpAddress lease6() const;

  /// A DATAGRAM frame's content: quarter ID and a sealed datagram.
  ByteVector datagram(std::uint64_t quarter_id, std::uint8_t type, std::uint64_t skip, bool is_old,
                      Bytes plaintext);
  struct DirectChoice {
    std::size_t id = 0;
    std::uint64_t skip = 0;  ///< counters left out
    bool is_old = false;     ///< a counter again
    bool updates_key = false;
  };
  /// A direct packet; empty without a direct plane.
  ByteVector direct(const DirectChoice& choice, Bytes frames, Timestamp now);
  /// How long packets wait on their way here, as its feedback has it.
  void set_path_queue(Duration queue) { path_queue_ = queue; }
  /// The report of an honest receiver.
  wire::Feedback feedback(Timestamp now) const;

 private:
  struct Session {
    wire::SessionId id = 0;
    wire::SessionKeys keys;
    wire::Capabilities caps;
    IpAddress lease;
    std::uint64_t counter = 0;
    std::vector<wire::DirectId> own_ids;
    std::vector<wire::DirectId> peer_ids;
    wire::DirectSecrets secrets;
    std::uint64_t direct_counter = 0;
    std::optional<wire::DirectSealer> sealer;  // after a key update
    std::optional<wire::DirectOpener> opener;
    std::uint32_t packets = 0;
    std::uint64_t bytes = 0;
    std::uint64_t highest = 0;
    std::uint32_t told_packets = 0;
    Timestamp highest_at;
    std::vector<wire::PingCookie> pings;
  };

  bool receive_direct(Bytes payload, Timestamp now);

  Role role_;
  std::map<std::uint64_t, std::uint64_t> offsets_;
  std::optional<wire::ConnectRequest> request_;
  std::optional<wire::ConnectResponse> response_;
  std::unique_ptr<Session> session_;
  testing::SeededRandom random_;
  Duration path_queue_{};
};

}  // namespace qdt::fuzz
