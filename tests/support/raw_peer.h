#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "quic/tls.h"
#include "support/raw_quic.h"
#include "support/seeded_random.h"

namespace qdt::testing {

/// One end of a QUIC connection without an engine: its TLS and its keys are real, and what it puts
/// into packets is whatever its owner says. By itself it does no more than a handshake needs:
/// CRYPTO frames, acknowledgements, answers to PATH_CHALLENGE. It keeps what the other end sent,
/// and sends nothing again. One thread.
class RawPeer {
 public:
  using Parameters = std::vector<std::pair<std::uint64_t, ByteVector>>;
  struct Options {
    Role role = Role::kClient;
    /// Each replaces the parameter of that ID, or comes beside the usual ones. An ID of
    /// kLeftOut + N leaves N out.
    Parameters parameters;
    ByteVector token;
    std::uint64_t seed = 1;
    /// A server's.
    const quic::TlsServerContext* tls = nullptr;
  };
  static constexpr std::uint64_t kLeftOut = std::uint64_t{1} << 40;

  explicit RawPeer(const Options& options);
  ~RawPeer();
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  /// A client's: begins the handshake.
  void start();
  /// Takes a payload from the other end.
  void receive(Bytes payload);
  /// The payloads that an ordinary peer would send now.
  std::vector<ByteVector> take_payloads();

  bool is_handshake_complete() const { return is_complete_; }
  bool is_closed() const { return is_closed_; }
  /// A header for the next packet of `space`, as an ordinary peer has it.
  PacketHeader next_header(PacketSpace space);
  /// A packet; `header` may be changed before. Empty while there are no keys.
  ByteVector seal(const PacketHeader& header, Bytes frames);
  ByteVector seal(PacketSpace space, Bytes frames) { return seal(next_header(space), frames); }
  /// Leaves out `count` packet numbers.
  void skip_numbers(PacketSpace space, std::uint64_t count) { level(space).next_number += count; }
  /// Goes on with the next keys.
  void update_keys();
  /// Whether it acknowledges and answers by itself.
  void set_answering(bool answers) { answers_ = answers; }
  bool is_answering() const { return answers_; }

  /// The bytes of a stream that came, in order.
  const ByteVector& stream(std::int64_t id) { return streams_[id].bytes; }
  /// RFC 8446 section 7.5. Once the handshake is complete.
  wire::HkdfSecret export_secret(std::string_view label) const;
  void export_secret(std::string_view label, Bytes context, MutableBytes out) const;

  const ByteVector& own_id() const { return own_id_; }
  /// IDs by which the other end is reached; the first is from the handshake.
  const std::vector<ByteVector>& ids() const { return ids_; }
  void use_id(std::size_t index) {
    destination_ = ids_.empty() ? destination_ : ids_[index % ids_.size()];
  }
  const ByteVector& destination() const { return destination_; }
  /// With which the other end's connection IDs are reset, as it said.
  const std::vector<ByteVector>& reset_tokens() const { return reset_tokens_; }
  /// The number of the newest packet that came.
  std::uint64_t largest(PacketSpace space) const { return level(space).largest; }

 private:
  struct Callbacks;
  struct TlsDeleter {
    void operator()(gnutls_session_int* session) const;
  };
  struct Reassembly {
    ByteVector bytes;
    std::map<std::uint64_t, ByteVector> early;
    /// Whether something was added to `bytes`.
    bool add(std::uint64_t offset, Bytes piece);
  };
  struct Level {
    std::optional<PacketKeys> send;
    std::optional<PacketKeys> receive;
    std::uint64_t next_number = 0;
    std::uint64_t largest = 0;
    std::set<std::uint64_t> received;
    bool owes_ack = false;
    ByteVector crypto_out;
    std::size_t crypto_sent = 0;
    Reassembly crypto_in;
    std::size_t crypto_read = 0;
  };

  Level& level(PacketSpace space) { return levels_[static_cast<std::size_t>(space)]; }
  const Level& level(PacketSpace space) const { return levels_[static_cast<std::size_t>(space)]; }
  void make_session();
  ByteVector encode_parameters() const;
  void use_initial_keys(Bytes first_id);
  std::size_t receive_long(Bytes rest);
  void receive_short(Bytes packet);
  void take_retry(Bytes source, Bytes rest);
  void take_frames(PacketSpace space, const PacketKeys::Opened& opened);
  bool take_frame(PacketSpace space, ByteReader& reader);
  void read_crypto(PacketSpace space);
  void drive();
  ByteVector ack_frame(PacketSpace space) const;

  Options options_;
  SeededRandom random_;
  std::unique_ptr<gnutls_session_int, TlsDeleter> session_;
  std::array<Level, kPacketSpaces> levels_;
  ByteVector own_id_;
  ByteVector first_id_;  // the destination of a client's first packet
  ByteVector destination_;
  std::vector<ByteVector> ids_;
  std::vector<ByteVector> reset_tokens_;
  ByteVector token_;  // of Initial packets
  ByteVector owed_;   // frames that answer others
  std::map<std::int64_t, Reassembly> streams_;
  bool is_complete_ = false;
  bool is_closed_ = false;
  bool has_failed_ = false;
  bool has_retried_ = false;
  bool answers_ = true;
  bool owes_handshake_done_ = false;
  bool send_phase_ = false;
  bool receive_phase_ = false;
};

}  // namespace qdt::testing
