#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "keys.h"
#include "program.h"
#include "sim/nodes.h"
#include "support/raw_peer.h"
#include "wire/context_datagram.h"
#include "wire/datagram.h"
#include "wire/direct_frame.h"
#include "wire/direct_packet.h"
#include "wire/handshake.h"
#include "wire/session_field.h"

namespace qdt::fuzz {

using testing::PacketHeader;
using testing::PacketSpace;
using testing::RawPeer;

/// What is wrong with a proof.
enum class Flaw : std::uint8_t {
  kNone,
  kSignature,
  kVerification,  ///< a client's: the exported bytes beside it
  kKeyId,         ///< a client's
  kKey,           ///< of another key than the one that is named
  kContent,       ///< over another host, or another nonce
  kMissing,
  kCount,
};

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
  ByteVector usual_settings() const;
  using Fields = std::vector<std::pair<std::string, std::string>>;
  static ByteVector headers_frame(const Fields& fields);
  static ByteVector http_frame(std::uint64_t type, Bytes content);
  /// The content of the DATA frames on the stream of the request so far.
  std::string body() const;
  /// The fields that the message on it begins with; nothing while they are not there.
  std::optional<Fields> head() const;
  /// The stream of the latest request that came; a client's: the first.
  std::uint64_t request_stream() const;
  std::uint64_t next_offset(std::uint64_t id) { return offsets_[id]; }

  // --- version 1's handshake ---

  /// A client's request, for which it has new nonces and IDs.
  wire::ConnectRequest new_request(const std::string& resume_token = "");
  /// A server's answer to the request that came; nothing while none came.
  std::optional<wire::ConnectResponse> new_response();

  // --- version 2's ---

  /// A client's request, likewise. `who` counts for the session's keys.
  wire::SessionRequest new_session_request(Who who, const std::string& resume_token = "");
  /// What it shows with it, in `authorization`; empty: nothing.
  std::string authorization(const Keys& keys, Who who, Flaw flaw) const;
  /// All fields of the request.
  static Fields request_fields(const wire::SessionRequest& request,
                               const std::string& authorization);
  /// A server's answer to the request of `who` that came; nothing while none of version 2 came.
  std::optional<wire::SessionAnswer> new_session_answer(const Keys& keys, Who who, Flaw flaw);
  /// What comes behind it: addresses and routes.
  ByteVector first_capsules() const;

  // --- the session ---

  /// Derives the keys from request and answer, where both are known.
  bool open_session(const Keys& keys);
  bool has_session() const { return session_ != nullptr; }
  bool has_version2() const { return session_ != nullptr && session_->contexts; }
  /// What the answer gave; empty: nothing.
  std::string resume_token() const;
  /// The inner addresses of the session: the client's, and one on the internet.
  IpAddress lease() const;
  IpAddress lease6() const;

  /// A DATAGRAM frame's content: quarter ID and the session's datagram. Version 2's types 5 to 7
  /// are contexts that it does not have.
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
    wire::SessionKeys keys;                      // version 1's
    std::optional<wire::ContextTerms> contexts;  // version 2's
    IpAddress lease;
    std::optional<IpAddress> lease6;
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
  bool open_version1(std::string_view token);
  bool open_version2(const Keys& keys);
  bool take_session_answer();
  std::vector<wire::CapsuleAddress> assigned() const;
  void open_direct(const wire::DirectSecrets& secrets, const std::vector<wire::DirectId>& clients,
                   const std::vector<wire::DirectId>& servers);
  ByteVector context_datagram(std::uint8_t type, std::uint64_t counter, Bytes content) const;

  Role role_;
  std::map<std::uint64_t, std::uint64_t> offsets_;
  std::optional<wire::ConnectRequest> request_;
  std::optional<wire::ConnectResponse> response_;
  std::optional<wire::SessionRequest> asked_;  // in place of request_
  std::optional<wire::SessionAnswer> answered_;
  Who who_ = Who::kVersion1;
  std::unique_ptr<Session> session_;
  testing::SeededRandom random_;
  Duration path_queue_{};
};

}  // namespace qdt::fuzz
