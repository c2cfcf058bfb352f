#include "contact.h"

#include <algorithm>

#include "support/field_section.h"

namespace qdt::fuzz {
namespace {

constexpr std::array<std::uint8_t, 16> kLease6 = {0xfd, 0, 0, 8, 0, 0, 0, 0,
                                                  0,    0, 0, 0, 0, 0, 0, 2};
// Packets of the direct plane that one feedback tells of.
constexpr std::uint32_t kToldAtOnce = 4;

void write_qpack_length(ByteWriter& out, unsigned prefix_bits, std::uint8_t pattern,
                        std::size_t length) {
  const std::size_t most = (std::size_t{1} << prefix_bits) - 1;
  if (length < most) {
    out.byte(pattern | length);
    return;
  }
  out.byte(pattern | most);
  for (length -= most; length >= 128; length /= 128) out.byte(length % 128 + 128);
  out.byte(length);
}

}  // namespace

Contact::Contact(const RawPeer::Options& options, const SocketAddress& own,
                 const SocketAddress& target)
    : raw(options), here(own), there(target), role_(options.role), random_(options.seed + 1000) {}

void Contact::receive(Bytes payload, Timestamp now) {
  if (!receive_direct(payload, now)) raw.receive(payload);
}

bool Contact::receive_direct(Bytes payload, Timestamp now) {
  if (!session_ || !session_->opener) return false;
  const auto id = wire::direct_id_of(payload);
  if (!id || std::ranges::count(session_->own_ids, *id) == 0) return false;
  if (payload.size() < wire::kDirectOverhead) return true;
  ByteVector frames(payload.size());
  const auto opened = session_->opener->open(payload, frames, now, 1s);
  if (!opened) return true;
  ++session_->packets;
  session_->bytes += payload.size();
  if (opened->is_newest) {
    session_->highest = opened->counter;
    session_->highest_at = now;
  }
  // Its pings come first or behind a feedback, in any case not behind a packet.
  Bytes rest = Bytes(frames).first(opened->bytes);
  if (!rest.empty() && rest[0] == 2)
    rest = rest.subspan(std::min(rest.size(), wire::kFeedbackFrameBytes));
  if (rest.size() >= wire::kPingFrameBytes && rest[0] == 3 && session_->pings.size() < 16) {
    append(session_->pings.emplace_back(), rest.subspan(1, 8));
  }
  return true;
}

std::vector<ByteVector> Contact::take_payloads(Timestamp now) {
  std::vector<ByteVector> payloads = raw.take_payloads();
  if (session_) {
    for (const wire::PingCookie& cookie : std::exchange(session_->pings, {})) {
      payloads.push_back(direct({}, wire::encode_ping(wire::DirectFrameType::kPong, cookie), now));
    }
    if (raw.is_answering() && session_->packets - session_->told_packets >= kToldAtOnce) {
      session_->told_packets = session_->packets;
      payloads.push_back(direct({}, wire::encode_feedback(feedback(now)), now));
    }
  }
  return payloads;
}

ByteVector Contact::stream_frame(std::uint64_t id, Bytes bytes, bool ends) {
  std::uint64_t& offset = offsets_[id];
  ByteWriter frame;
  frame.byte(0x0eu | (ends ? 1u : 0u)).varint(id).varint(offset).block(bytes);
  offset += bytes.size();
  return frame.bytes;
}

ByteVector Contact::usual_settings() const {
  ByteWriter settings;
  settings.varint(0x33).varint(1);
  if (role_ == Role::kServer) settings.varint(0x08).varint(1);
  return settings.bytes;
}

ByteVector Contact::hello(Bytes settings) {
  const std::uint64_t first = role_ == Role::kClient ? 2 : 3;
  ByteWriter frames;
  ByteWriter control;
  control.byte(0).append(http_frame(4, settings));
  frames.append(stream_frame(first, control.bytes, false));
  frames.append(stream_frame(first + 4, ByteVector{2}, false));
  frames.append(stream_frame(first + 8, ByteVector{3}, false));
  return frames.bytes;
}

ByteVector Contact::http_frame(std::uint64_t type, Bytes content) {
  return ByteWriter().varint(type).block(content).bytes;
}

ByteVector Contact::headers_frame(const Fields& fields) {
  ByteWriter block;
  block.byte(0).byte(0);
  for (const auto& [name, value] : fields) {
    write_qpack_length(block, 3, 0x20, name.size());
    block.append(as_bytes(name));
    write_qpack_length(block, 7, 0, value.size());
    block.append(as_bytes(value));
  }
  return http_frame(1, block.bytes);
}

std::uint64_t Contact::request_stream() const {
  // A client that was refused by version 2 asks again by version 1.
  auto& peer = const_cast<RawPeer&>(raw);
  return role_ == Role::kServer && !peer.stream(4).empty() ? 4 : 0;
}

std::string Contact::body() const {
  std::string body;
  ByteReader reader(const_cast<RawPeer&>(raw).stream(request_stream()));
  while (!reader.empty()) {
    const std::uint64_t type = reader.varint();
    const Bytes content = reader.take(reader.varint());
    if (type == 0) body += as_text(content);
  }
  return body;
}

std::optional<Contact::Fields> Contact::head() const {
  ByteReader reader(const_cast<RawPeer&>(raw).stream(request_stream()));
  const std::uint64_t type = reader.varint();
  const Bytes section = reader.take(reader.varint());
  if (type != 1 || reader.is_short()) return std::nullopt;
  return testing::read_field_section(section);
}

wire::ConnectRequest Contact::new_request(const std::string& resume_token) {
  wire::ConnectRequest request{.client_nonce = random_.bytes<wire::kHandshakeNonceBytes>(),
                               .mtu = 1350,
                               .caps = wire::Capabilities::supported(),
                               .client_id = "somebody",
                               .platform = "linux",
                               .resume_token = resume_token};
  request.caps.direct = true;
  for (int i = 0; i < 4; ++i) request.direct_ids.push_back(random_.bytes<wire::kDirectIdBytes>());
  request_ = request;
  asked_.reset();
  return request;
}

std::optional<wire::ConnectResponse> Contact::new_response() {
  if (!request_) {
    const auto request = wire::parse_connect_request(body());
    if (!request) return std::nullopt;
    request_ = *request;
  }
  wire::ConnectResponse response{.session_id = random_.number(),
                                 .server_nonce = random_.bytes<wire::kHandshakeNonceBytes>(),
                                 .mtu = 1350,
                                 .client_ip = IpAddress::v4(0x0a080002),
                                 .gateway_ip = IpAddress::v4(0x0a080001),
                                 .cidr = *Prefix::parse("10.8.0.0/24"),
                                 .dns = {IpAddress::v4(0x01010101)},
                                 .caps = request_->caps,
                                 .resume_token = "token"};
  response.caps.ipv6 = false;
  for (int i = 0; i < 4; ++i) response.direct_ids.push_back(random_.bytes<wire::kDirectIdBytes>());
  response_ = response;
  return response;
}

bool Contact::open_session(const Keys& keys) {
  if (!raw.is_handshake_complete()) return false;
  return asked_ ? open_version2(keys) : open_version1(keys.token);
}

bool Contact::open_version1(std::string_view token) {
  if (!request_) return false;
  if (role_ == Role::kClient) {
    const auto response = wire::parse_connect_response(body(), request_->caps);
    if (!response) return false;
    response_ = *response;
  }
  if (!response_) return false;
  const wire::AeadAlgorithm aead = response_->caps.aead();
  session_ = std::make_unique<Session>();
  session_->id = response_->session_id;
  session_->keys =
      wire::derive_session_keys(token, request_->client_nonce, response_->server_nonce, aead);
  session_->lease = response_->client_ip;
  if (response_->ipv6) session_->lease6 = response_->ipv6->client_ip;
  if (!response_->caps.direct) return true;
  open_direct(wire::derive_direct_secrets(raw.export_secret(wire::kDirectExporterLabel), token,
                                          request_->client_nonce, response_->server_nonce, aead),
              request_->direct_ids, response_->direct_ids);
  return true;
}

void Contact::open_direct(const wire::DirectSecrets& secrets,
                          const std::vector<wire::DirectId>& clients,
                          const std::vector<wire::DirectId>& servers) {
  const bool is_client = role_ == Role::kClient;
  session_->own_ids = is_client ? clients : servers;
  session_->peer_ids = is_client ? servers : clients;
  session_->secrets = secrets;
  session_->opener.emplace(secrets.algorithm, is_client ? secrets.server : secrets.client);
}

std::string Contact::resume_token() const {
  if (asked_) return answered_ ? answered_->resume_token : "";
  return response_ ? response_->resume_token : "";
}

IpAddress Contact::lease() const {
  return session_ ? session_->lease : IpAddress::v4(0x0a080002);
}

IpAddress Contact::lease6() const {
  return session_ && session_->lease6 ? *session_->lease6 : IpAddress::v6(kLease6);
}

ByteVector Contact::datagram(std::uint64_t quarter_id, std::uint8_t type, std::uint64_t skip,
                             bool is_old, Bytes plaintext) {
  ByteWriter out;
  out.varint(quarter_id);
  if (!session_) return out.append(plaintext).bytes;
  session_->counter += skip;
  const std::uint64_t counter =
      is_old ? session_->counter - std::min<std::uint64_t>(session_->counter, 1 + skip)
             : session_->counter++;
  if (session_->contexts) return out.append(context_datagram(type, counter, plaintext)).bytes;
  const wire::DirectionKey& key =
      role_ == Role::kClient ? session_->keys.client : session_->keys.server;
  wire::DatagramSealer sealer(session_->id, key, counter);
  ByteVector sealed(plaintext.size() + wire::kDatagramOverhead);
  sealer.seal(static_cast<wire::DatagramType>(type), {}, plaintext, sealed);
  return out.append(sealed).bytes;
}

ByteVector Contact::direct(const DirectChoice& choice, Bytes frames, Timestamp now) {
  if (!session_ || session_->peer_ids.empty()) return {};
  Session& session = *session_;
  const wire::HkdfSecret& secret =
      role_ == Role::kClient ? session.secrets.client : session.secrets.server;
  const wire::DirectId& id = session.peer_ids[choice.id % session.peer_ids.size()];
  ByteVector packet(frames.size() + wire::kDirectOverhead);
  constexpr std::uint64_t kMost = (std::uint64_t{1} << 62) - 2;
  if (choice.updates_key && !session.sealer) {
    session.sealer.emplace(session.secrets.algorithm, secret, now, session.direct_counter);
  }
  if (session.sealer) {
    if (session.sealer->is_exhausted()) return {};
    session.sealer->seal(id, frames, packet, now);
    if (choice.updates_key) {
      session.sealer->acknowledge(session.sealer->next_counter() - 1);
      session.sealer->update_key(now);
    }
    return packet;
  }
  session.direct_counter = std::min(session.direct_counter + std::min(choice.skip, kMost), kMost);
  const std::uint64_t counter = choice.is_old && session.direct_counter > 0
                                    ? session.direct_counter - 1
                                    : session.direct_counter++;
  wire::DirectSealer sealer(session.secrets.algorithm, secret, now, counter);
  sealer.seal(id, frames, packet, now);
  return packet;
}

wire::Feedback Contact::feedback(Timestamp now) const {
  if (!session_) return {};
  const auto micros = [](Duration time) { return static_cast<std::uint32_t>(time / 1us); };
  return {.highest = session_->highest,
          .arrived_us = micros(session_->highest_at.time_since_epoch() + path_queue_),
          .held_us = micros(now - session_->highest_at),
          .packets = session_->packets,
          .bytes = session_->bytes,
          .marked = 0};
}

}  // namespace qdt::fuzz
