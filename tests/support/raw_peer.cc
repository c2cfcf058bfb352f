#include "support/raw_peer.h"

#include <gnutls/gnutls.h>

#include <algorithm>
#include <cstdlib>

namespace qdt::testing {
namespace {

// The same suite always, which PacketKeys has.
constexpr const char* kPriority =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:-GROUP-ALL:+GROUP-X25519:"
    "%DISABLE_TLS13_COMPAT_MODE";
constexpr unsigned kTransportParameters = 0x39;
constexpr std::size_t kIdBytes = 8;
constexpr std::size_t kFirstPayloadBytes = 1200;
constexpr std::size_t kCryptoPieceBytes = 1000;
// A long header with two IDs and all lengths, and the tag, take at least so many.
constexpr std::size_t kHeaderBytes = 46;
constexpr std::size_t kMaxKept = 64 * 1024;
constexpr std::size_t kMaxNotes = 64;

// Transport parameters (RFC 9000 section 18.2, RFC 9221).
enum : std::uint64_t {
  kOriginalDestinationId = 0x00,
  kMaxIdleTimeout = 0x01,
  kStatelessResetToken = 0x02,
  kInitialMaxData = 0x04,
  kInitialMaxStreamDataBidiLocal = 0x05,
  kInitialMaxStreamDataBidiRemote = 0x06,
  kInitialMaxStreamDataUni = 0x07,
  kInitialMaxStreamsBidi = 0x08,
  kInitialMaxStreamsUni = 0x09,
  kActiveConnectionIdLimit = 0x0e,
  kInitialSourceId = 0x0f,
  kMaxDatagramFrameSize = 0x20,
};

void require(int status) {
  if (status < 0) std::abort();
}

PacketSpace space_of(gnutls_record_encryption_level_t level) {
  switch (level) {
    case GNUTLS_ENCRYPTION_LEVEL_INITIAL: return PacketSpace::kInitial;
    case GNUTLS_ENCRYPTION_LEVEL_HANDSHAKE: return PacketSpace::kHandshake;
    default: return PacketSpace::kApplication;
  }
}

gnutls_record_encryption_level_t level_of(PacketSpace space) {
  switch (space) {
    case PacketSpace::kInitial: return GNUTLS_ENCRYPTION_LEVEL_INITIAL;
    case PacketSpace::kHandshake: return GNUTLS_ENCRYPTION_LEVEL_HANDSHAKE;
    default: return GNUTLS_ENCRYPTION_LEVEL_APPLICATION;
  }
}

// A client's, which asks for no certificate's trust.
gnutls_certificate_credentials_t client_credentials() {
  static const quic::TlsClientContext context =
      std::move(*quic::TlsClientContext::without_verification());
  return context.credentials();
}

ByteVector to_vector(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

}  // namespace

struct RawPeer::Callbacks {
  static RawPeer& self(gnutls_session_t session) {
    return *static_cast<RawPeer*>(gnutls_session_get_ptr(session));
  }

  static int take_secrets(gnutls_session_t session, gnutls_record_encryption_level_t tls_level,
                          const void* receive_secret, const void* send_secret, std::size_t bytes) {
    if (tls_level == GNUTLS_ENCRYPTION_LEVEL_EARLY) return 0;
    Level& level = self(session).level(space_of(tls_level));
    const auto keys = [bytes](const void* from) {
      wire::HkdfSecret secret{};
      append(secret, {static_cast<const std::uint8_t*>(from), std::min(bytes, secret.size())});
      return PacketKeys(secret);
    };
    if (receive_secret != nullptr) level.receive.emplace(keys(receive_secret));
    if (send_secret != nullptr) level.send.emplace(keys(send_secret));
    return 0;
  }

  static int take_message(gnutls_session_t session, gnutls_record_encryption_level_t tls_level,
                          gnutls_handshake_description_t type, const void* data, std::size_t size) {
    if (type == GNUTLS_HANDSHAKE_CHANGE_CIPHER_SPEC) return 0;
    ByteVector& out = self(session).level(space_of(tls_level)).crypto_out;
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    out.insert(out.end(), bytes, bytes + size);
    return 0;
  }

  static int take_alert(gnutls_session_t, gnutls_record_encryption_level_t, gnutls_alert_level_t,
                        gnutls_alert_description_t) {
    return 0;
  }

  static int take_parameters(gnutls_session_t, const unsigned char*, std::size_t) { return 0; }

  static int give_parameters(gnutls_session_t session, gnutls_buffer_t out) {
    const ByteVector parameters = self(session).encode_parameters();
    require(gnutls_buffer_append_data(out, parameters.data(), parameters.size()));
    return static_cast<int>(parameters.size());
  }
};

void RawPeer::TlsDeleter::operator()(gnutls_session_int* session) const {
  gnutls_deinit(session);
}

bool RawPeer::Reassembly::add(std::uint64_t offset, Bytes piece) {
  const std::size_t before = bytes.size();
  if (offset > kMaxKept || early.size() > kMaxNotes) return false;
  early[offset] = to_vector(piece);
  for (auto next = early.begin(); next != early.end() && next->first <= bytes.size();) {
    const std::size_t known = bytes.size() - static_cast<std::size_t>(next->first);
    if (known < next->second.size() && bytes.size() < kMaxKept) {
      const Bytes more = Bytes(next->second).subspan(known);
      bytes.insert(bytes.end(), more.begin(), more.end());
    }
    next = early.erase(next);
  }
  return bytes.size() > before;
}

RawPeer::RawPeer(const Options& options) : options_(options), random_(options.seed) {
  own_id_ = to_vector(random_.bytes<kIdBytes>());
  token_ = options_.token;
  make_session();
}

RawPeer::~RawPeer() = default;

void RawPeer::make_session() {
  const bool is_client = options_.role == Role::kClient;
  gnutls_session_t session = nullptr;
  require(gnutls_init(&session,
                      is_client ? GNUTLS_CLIENT : GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET));
  session_.reset(session);
  require(gnutls_priority_set_direct(session, kPriority, nullptr));
  require(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
                                 is_client ? client_credentials() : options_.tls->credentials()));
  static unsigned char h3[] = {'h', '3'};
  const gnutls_datum_t alpn{h3, sizeof h3};
  require(gnutls_alpn_set_protocols(session, &alpn, 1, 0));
  gnutls_session_set_ptr(session, this);
  gnutls_handshake_set_secret_function(session, Callbacks::take_secrets);
  gnutls_handshake_set_read_function(session, Callbacks::take_message);
  gnutls_alert_set_read_function(session, Callbacks::take_alert);
  require(gnutls_session_ext_register(
      session, "QUIC Transport Parameters", kTransportParameters, GNUTLS_EXT_TLS,
      Callbacks::take_parameters, Callbacks::give_parameters, nullptr, nullptr, nullptr,
      GNUTLS_EXT_FLAG_TLS | GNUTLS_EXT_FLAG_CLIENT_HELLO | GNUTLS_EXT_FLAG_EE));
}

ByteVector RawPeer::encode_parameters() const {
  const auto number = [](std::uint64_t value) { return ByteWriter().varint(value).bytes; };
  constexpr std::uint64_t kWindow = 1 << 20;
  Parameters all = {{kMaxIdleTimeout, number(30000)},
                    {kInitialMaxData, number(kWindow)},
                    {kInitialMaxStreamDataBidiLocal, number(kWindow)},
                    {kInitialMaxStreamDataBidiRemote, number(kWindow)},
                    {kInitialMaxStreamDataUni, number(kWindow)},
                    {kInitialMaxStreamsBidi, number(16)},
                    {kInitialMaxStreamsUni, number(16)},
                    {kActiveConnectionIdLimit, number(8)},
                    {kInitialSourceId, own_id_},
                    {kMaxDatagramFrameSize, number(65535)}};
  if (options_.role == Role::kServer) {
    all.push_back({kOriginalDestinationId, first_id_});
    all.push_back({kStatelessResetToken, ByteVector(16, 0xab)});
  }
  for (const auto& [id, value] : options_.parameters) {
    if (id >= kLeftOut) {
      std::erase_if(all,
                    [left_out = id - kLeftOut](const auto& one) { return one.first == left_out; });
      continue;
    }
    const auto found = std::ranges::find(all, id, &Parameters::value_type::first);
    if (found == all.end()) {
      all.push_back({id, value});
    } else {
      found->second = value;
    }
  }
  ByteWriter encoded;
  for (const auto& [id, value] : all) encoded.varint(id).block(value);
  return encoded.bytes;
}

void RawPeer::use_initial_keys(Bytes first_id) {
  const bool is_client = options_.role == Role::kClient;
  const auto other = is_client ? Role::kServer : Role::kClient;
  level(PacketSpace::kInitial).send.emplace(PacketKeys::initial(first_id, options_.role));
  level(PacketSpace::kInitial).receive.emplace(PacketKeys::initial(first_id, other));
}

void RawPeer::start() {
  first_id_ = to_vector(random_.bytes<kIdBytes>());
  destination_ = first_id_;
  use_initial_keys(first_id_);
  drive();
}

void RawPeer::drive() {
  if (is_complete_ || has_failed_) return;
  const int status = gnutls_handshake(session_.get());
  if (status == GNUTLS_E_SUCCESS) {
    is_complete_ = true;
    owes_handshake_done_ = options_.role == Role::kServer;
  } else if (gnutls_error_is_fatal(status) != 0) {
    has_failed_ = true;
  }
}

void RawPeer::receive(Bytes payload) {
  while (!payload.empty()) {
    if ((payload[0] & 0x80) == 0) return receive_short(payload);
    const std::size_t bytes = receive_long(payload);
    if (bytes == 0) return;
    payload = payload.subspan(bytes);
  }
}

// Returns the packet's length; 0 where nothing can follow.
std::size_t RawPeer::receive_long(Bytes rest) {
  ByteReader reader(rest);
  const int type = reader.byte() >> 4 & 3;
  const Bytes version = reader.take(4);
  if (version.size() < 4 || load_be<std::uint32_t>(version.data()) != 1) return 0;
  const Bytes destination = reader.take(reader.byte());
  const Bytes source = reader.take(reader.byte());
  if (reader.is_short()) return 0;
  if (type == 3) {
    take_retry(source, reader.rest());
    return 0;
  }
  const PacketSpace space = type == 0 ? PacketSpace::kInitial : PacketSpace::kHandshake;
  if (type == 0) reader.take(reader.varint());
  const std::uint64_t length = reader.varint();
  if (reader.is_short() || type == 1 || length > reader.rest().size()) return 0;
  const std::size_t number_at = rest.size() - reader.rest().size();
  const Bytes packet = rest.first(number_at + static_cast<std::size_t>(length));

  const bool is_first = options_.role == Role::kServer && first_id_.empty();
  if (is_first && space == PacketSpace::kInitial) {
    first_id_ = to_vector(destination);
    destination_ = to_vector(source);
    use_initial_keys(first_id_);
  }
  Level& keys = level(space);
  if (!keys.receive) return packet.size();
  const auto opened = keys.receive->open(packet, number_at, keys.largest);
  if (!opened) return packet.size();
  if (ids_.empty()) {
    destination_ = to_vector(source);
    ids_.push_back(destination_);
  }
  take_frames(space, *opened);
  return packet.size();
}

void RawPeer::take_retry(Bytes source, Bytes rest) {
  const bool is_welcome = options_.role == Role::kClient && ids_.empty() && !has_retried_;
  if (!is_welcome || rest.size() < wire::kTagBytes) return;
  has_retried_ = true;
  token_ = to_vector(rest.first(rest.size() - wire::kTagBytes));
  destination_ = to_vector(source);
  use_initial_keys(destination_);
  level(PacketSpace::kInitial).crypto_sent = 0;
}

void RawPeer::receive_short(Bytes packet) {
  Level& keys = level(PacketSpace::kApplication);
  const std::size_t number_at = 1 + own_id_.size();
  if (!keys.receive || packet.size() <= number_at) return;
  auto opened = keys.receive->open(packet, number_at, keys.largest);
  if (!opened) {
    PacketKeys next = keys.receive->next();
    opened = next.open(packet, number_at, keys.largest);
    if (!opened) return;
    keys.receive.emplace(std::move(next));
    receive_phase_ = !receive_phase_;
    if (send_phase_ != receive_phase_) update_keys();
  }
  take_frames(PacketSpace::kApplication, *opened);
}

void RawPeer::take_frames(PacketSpace space, const PacketKeys::Opened& opened) {
  Level& keys = level(space);
  keys.largest = std::max(keys.largest, opened.number);
  keys.received.insert(opened.number);
  if (keys.received.size() > kMaxNotes) keys.received.erase(keys.received.begin());
  ByteReader reader(opened.frames);
  while (!reader.empty() && take_frame(space, reader)) {
  }
}

// False where the rest cannot be read.
bool RawPeer::take_frame(PacketSpace space, ByteReader& reader) {
  const std::uint64_t type = reader.varint();
  if (type == 0) return true;
  if (type != 2 && type != 3 && type != 0x1c && type != 0x1d) level(space).owes_ack = true;
  const auto skip = [&reader](int count) {
    for (int i = 0; i < count; ++i) reader.varint();
  };
  switch (type) {
    case 0x01:  // PING
    case 0x1e:  // HANDSHAKE_DONE
      break;
    case 0x02:  // ACK
    case 0x03: {
      skip(2);
      const std::uint64_t ranges = reader.varint();
      skip(1);
      for (std::uint64_t i = 0; i < ranges && !reader.is_short(); ++i) skip(2);
      if (type == 0x03) skip(3);
      break;
    }
    case 0x04: skip(3); break;  // RESET_STREAM
    case 0x05: skip(2); break;  // STOP_SENDING
    case 0x06: {                // CRYPTO
      const std::uint64_t offset = reader.varint();
      if (level(space).crypto_in.add(offset, reader.take(reader.varint()))) read_crypto(space);
      break;
    }
    case 0x07: reader.take(reader.varint()); break;  // NEW_TOKEN
    case 0x10: skip(1); break;                       // MAX_DATA
    case 0x11: skip(2); break;                       // MAX_STREAM_DATA
    case 0x12:                                       // MAX_STREAMS
    case 0x13:
    case 0x14:  // DATA_BLOCKED
      skip(1);
      break;
    case 0x15: skip(2); break;  // STREAM_DATA_BLOCKED
    case 0x16:                  // STREAMS_BLOCKED
    case 0x17: skip(1); break;
    case 0x18: {  // NEW_CONNECTION_ID
      skip(2);
      const Bytes id = reader.take(reader.byte());
      const Bytes token = reader.take(16);
      if (ids_.size() < kMaxNotes) ids_.push_back(to_vector(id));
      if (reset_tokens_.size() < kMaxNotes) reset_tokens_.push_back(to_vector(token));
      break;
    }
    case 0x19: skip(1); break;  // RETIRE_CONNECTION_ID
    case 0x1a: {                // PATH_CHALLENGE
      const Bytes cookie = reader.take(8);
      if (owed_.size() < kFirstPayloadBytes / 2) {
        owed_.push_back(0x1b);
        owed_.insert(owed_.end(), cookie.begin(), cookie.end());
      }
      break;
    }
    case 0x1b: reader.take(8); break;  // PATH_RESPONSE
    case 0x1c:                         // CONNECTION_CLOSE
    case 0x1d: is_closed_ = true; return false;
    case 0x30: reader.take(reader.rest().size()); break;  // DATAGRAM
    case 0x31: reader.take(reader.varint()); break;
    default: {
      if (type < 0x08 || type > 0x0f) return false;
      const auto id = static_cast<std::int64_t>(reader.varint());
      const std::uint64_t offset = (type & 4) != 0 ? reader.varint() : 0;
      const Bytes piece =
          (type & 2) != 0 ? reader.take(reader.varint()) : reader.take(reader.rest().size());
      streams_[id].add(offset, piece);
      break;
    }
  }
  return !reader.is_short();
}

void RawPeer::read_crypto(PacketSpace space) {
  Level& keys = level(space);
  const Bytes more = Bytes(keys.crypto_in.bytes).subspan(keys.crypto_read);
  keys.crypto_read = keys.crypto_in.bytes.size();
  if (has_failed_) return;
  if (gnutls_handshake_write(session_.get(), level_of(space), more.data(), more.size()) < 0) {
    has_failed_ = true;
    return;
  }
  drive();
}

ByteVector RawPeer::ack_frame(PacketSpace space) const {
  const Level& keys = level(space);
  if (keys.received.empty()) return {};
  const std::uint64_t largest = *keys.received.rbegin();
  std::uint64_t first = largest;
  for (auto next = keys.received.rbegin(); next != keys.received.rend() && *next + 1 >= first;
       ++next) {
    first = *next;
  }
  return ByteWriter().byte(0x02).varint(largest).varint(0).varint(0).varint(largest - first).bytes;
}

std::vector<ByteVector> RawPeer::take_payloads() {
  std::vector<ByteVector> payloads;
  for (const PacketSpace space :
       {PacketSpace::kInitial, PacketSpace::kHandshake, PacketSpace::kApplication}) {
    Level& keys = level(space);
    if (!keys.send) continue;
    bool is_first = true;
    while (is_first || keys.crypto_sent < keys.crypto_out.size()) {
      ByteWriter frames;
      if (answers_ && std::exchange(keys.owes_ack, false)) frames.append(ack_frame(space));
      const Bytes piece = Bytes(keys.crypto_out).subspan(keys.crypto_sent);
      if (!piece.empty()) {
        const Bytes now = piece.first(std::min(piece.size(), kCryptoPieceBytes));
        frames.byte(0x06).varint(keys.crypto_sent).block(now);
        keys.crypto_sent += now.size();
      }
      const bool is_application = space == PacketSpace::kApplication;
      if (is_application && is_complete_) {
        if (std::exchange(owes_handshake_done_, false)) frames.byte(0x1e);
        if (answers_ && !owed_.empty()) frames.append(std::exchange(owed_, {}));
      }
      is_first = false;
      if (frames.bytes.empty()) continue;
      // A client's Initial, and a server's that asks for an answer (RFC 9000 section 14.1).
      if (space == PacketSpace::kInitial) {
        const std::size_t header_bytes = kHeaderBytes + token_.size();
        const std::size_t room = kFirstPayloadBytes - std::min(header_bytes, kFirstPayloadBytes);
        frames.bytes.resize(std::max(frames.bytes.size(), room));
      }
      payloads.push_back(seal(space, frames.bytes));
    }
  }
  return payloads;
}

PacketHeader RawPeer::next_header(PacketSpace space) {
  return {.space = space,
          .destination = destination_,
          .source = own_id_,
          .token = options_.role == Role::kClient ? token_ : ByteVector(),
          .number = level(space).next_number++,
          .key_phase = send_phase_};
}

ByteVector RawPeer::seal(const PacketHeader& header, Bytes frames) {
  Level& keys = level(header.space);
  return keys.send ? keys.send->seal(header, frames) : ByteVector();
}

void RawPeer::update_keys() {
  Level& keys = level(PacketSpace::kApplication);
  if (!keys.send) return;
  keys.send.emplace(keys.send->next());
  send_phase_ = !send_phase_;
}

wire::HkdfSecret RawPeer::export_secret(std::string_view label) const {
  wire::HkdfSecret out{};
  export_secret(label, {}, out);
  return out;
}

void RawPeer::export_secret(std::string_view label, Bytes context, MutableBytes out) const {
  require(gnutls_prf_rfc5705(session_.get(), label.size(), label.data(), context.size(),
                             reinterpret_cast<const char*>(context.data()), out.size(),
                             reinterpret_cast<char*>(out.data())));
}

}  // namespace qdt::testing
