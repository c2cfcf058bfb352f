#include "quic/endpoint.h"

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include <algorithm>

#include "quic/engine.h"
#include "quic/path.h"
#include "quic/small_initial.h"

namespace qdt::quic {
namespace {

constexpr std::uint8_t kLongHeader = 0x80;
constexpr std::uint8_t kFixedBit = 0x40;
constexpr std::uint8_t kShortHeaderBits = 0x3f;
// Where a long header's destination ID begins: flags, version, length (RFC 9000 section 17.2).
constexpr std::size_t kLongHeaderIdOffset = 6;
// The shortest reset has 21 bytes, and an answer is shorter than its cause (RFC 9000 section 10.3).
constexpr std::size_t kMinResetTrigger = 22;
// Among the packets of a connection with our IDs no reset stands out from this length on. To
// anything shorter the answer has one byte less.
constexpr std::size_t kMinVariedReset = 43;
// Every path carries so much.
constexpr std::size_t kMaxResetBytes = 1200;

}  // namespace

Endpoint::Endpoint(const Options& options, const TlsServerContext* server, ConnectionEvents& events,
                   Random& random, DropCounters& drops)
    : options_(options),
      server_(server),
      events_(events),
      random_(random),
      drops_(drops),
      strangers_(options.strangers.share(options.shard_count)),
      proven_(kProven, random.number()),
      resets_(kAnswers, random.number()),
      small_answers_(kAnswers, random.number()),
      false_proofs_(kAnswers, random.number()),
      versions_(kVersions, random.number()),
      retries_(kRetries, random.number()),
      later_retries_(kLaterRetries, random.number()),
      first_packets_(random.number()),
      proofs_(options.secret),
      noise_(random) {}

Endpoint::~Endpoint() = default;

ConnectionContext Endpoint::context() {
  return {options_.connection, *this, attention_, events_, random_, drops_, &strangers_.bytes()};
}

Connection& Endpoint::connect(const TlsClientContext& tls, const std::string& server_name,
                              const UdpPath& path, Timestamp now) {
  auto connection = Connection::connect(context(), tls, server_name, path, now);
  Connection& added = *connection;
  add(std::move(connection));
  return added;
}

void Endpoint::add(std::unique_ptr<Connection> connection) {
  connection->registration.index = connections_.size();
  connections_.push_back(std::move(connection));
  attention_.note(connections_.back()->registration);
}

bool Endpoint::receive(const UdpPath& path, Ecn ecn, Bytes payload, UdpSendQueue& out,
                       Timestamp now) {
  now_ = now;
  ngtcp2_version_cid header{};
  const int status = payload.empty()
                         ? NGTCP2_ERR_INVALID_ARGUMENT
                         : ngtcp2_pkt_decode_version_cid(&header, payload.data(), payload.size(),
                                                         kOurConnectionIdBytes);
  // The engine could speak version 2 as well, which version negotiation does not offer.
  const bool is_other_version = status == 0 && (payload[0] & kLongHeader) != 0 &&
                                header.version != 0 && header.version != NGTCP2_PROTO_VER_V1;
  if (status == NGTCP2_ERR_VERSION_NEGOTIATION || is_other_version) {
    answer_version(path, payload, out, now);
    return true;
  }
  if (status != 0 || header.dcidlen > ConnectionId::kMaxBytes) {
    drops_.count(Drop::kNotQuic);
    return true;
  }

  Accepted accepted;
  Connection* connection = find({header.dcid, header.dcidlen});
  const bool is_long = (payload[0] & kLongHeader) != 0;
  const bool is_known = connection != nullptr;
  const bool is_strange = !is_known && !is_long && server_ == nullptr;
  if (!is_known && is_late({header.dcid, header.dcidlen}, out)) return true;
  if (!is_known && !is_long && server_ != nullptr) {
    answer_unknown(path, payload, out, now);
    return true;
  }
  if (!is_known) {
    if (is_long) {
      accepted = accept(path, payload, out, now);
    } else {
      accepted.connection = find_by_path(path);
    }
    connection = accepted.connection;
    if (connection == nullptr) return !is_strange;
  }
  if (is_long && server_ == nullptr && !connection->is_handshake_answered() &&
      is_small_answer(payload, connection->first_peer_id())) {
    connection->note_answer(/*is_of_handshake=*/false);
    return true;
  }
  if (is_long || !is_known) connection->note_answer(/*is_of_handshake=*/is_long);
  connection->receive(path, ecn, payload, now);
  Strangers::Note& stranger = connection->registration.stranger;
  if (!stranger.is_listed) return !is_strange;
  // Nobody goes for what turns out to be no connection: a late packet of one that is gone, say.
  if (connection->is_closed()) {
    end_now(*connection, out, now);
    return true;
  }
  if (accepted.gives_way != nullptr) give_up(*accepted.gives_way->connection, out, now);
  note_greeting(*connection, now);
  if (const auto* large = strangers_.too_large(stranger, connection->memory_bytes())) {
    give_up(*large->connection, out, now);
  }
  return !is_strange;
}

Connection* Endpoint::find(Bytes id) {
  if (last_connection_ != nullptr && std::ranges::equal(id, last_id_.bytes())) {
    return last_connection_;
  }
  const auto found = by_id_.find(ConnectionId(id));
  if (found == by_id_.end()) return nullptr;
  last_id_ = found->first;
  last_connection_ = found->second;
  return last_connection_;
}

Connection* Endpoint::find_by_path(const UdpPath& path) {
  for (const auto& connection : connections_) {
    if (connection->path() == path) return connection.get();
  }
  drops_.count(Drop::kUnknownConnection);
  return nullptr;
}

Endpoint::Accepted Endpoint::accept(const UdpPath& path, Bytes payload, UdpSendQueue& out,
                                    Timestamp now) {
  if (server_ != nullptr && payload.size() < kLeastInitialBytes) {
    answer_small(path, payload, out, now);
    return {};
  }
  ngtcp2_pkt_hd header;
  if (server_ == nullptr || ngtcp2_accept(&header, payload.data(), payload.size()) != 0) {
    drops_.count(server_ == nullptr ? Drop::kUnknownConnection : Drop::kNotQuic);
    return {};
  }

  std::optional<AddressProof::Proof> proof;
  if (AddressProof::is_token({header.token, header.tokenlen})) {
    proof = proofs_.judge({header.token, header.tokenlen}, path.remote,
                          ConnectionId({header.dcid.data, header.dcid.datalen}), now);
    if (proof->verdict != AddressProof::Verdict::kGood) {
      drops_.count(Drop::kUnproven);
      answer_false_proof(path, header, out, now);
      return {};
    }
  } else if (must_prove(path, now)) {
    drops_.count(Drop::kUnproven);
    answer_retry(path, header, out, now);
    return {};
  }

  const Strangers::Verdict verdict = strangers_.judge(path.remote.address, now);
  if (!verdict.may_begin || (proof && !proven_.take(path.remote.address, now))) {
    drops_.count(Drop::kCrowded);
    return {};
  }
  // Only now: who has to wait keeps the token, and its engine sends the packet again by itself.
  std::optional<ConnectionId> original_id;
  if (proof) {
    proofs_.spend(*proof);
    original_id = proof->original;
  } else {
    begun_.take(now);
  }

  add(Connection::accept(context(), *server_, header, original_id, path, now));
  Connection& connection = *connections_.back();
  connection.registration.stranger.connection = &connection;
  strangers_.add(connection.registration.stranger, path.remote.address, now);
  connection.registration.is_half_open = true;
  ++half_open_;
  // Until it has learnt ours, the client goes on using the ID that it made up.
  const ConnectionId first_id(Bytes(header.dcid.data, header.dcid.datalen));
  by_id_[first_id] = &connection;
  connection.registration.ids.push_back(first_id);
  return {&connection, verdict.gives_way};
}

bool Endpoint::must_prove(const UdpPath& path, Timestamp now) {
  return half_open_ >= options_.half_open_before_retry || begun_.is_empty(now) ||
         strangers_.count_of(path.remote.address) >= options_.strangers_before_retry;
}

void Endpoint::give_up(Connection& connection, UdpSendQueue& out, Timestamp now) {
  ++stranger_counts_.gave_way;
  connection.turn_away(now);
  end_now(connection, out, now);
}

// It hears so, if there is room to say it: nothing is kept of it to say it later.
void Endpoint::end_now(Connection& connection, UdpSendQueue& out, Timestamp now) {
  [[maybe_unused]] const bool is_told = connection.write(out, now);
  forget(connection);
}

Endpoint::StrangerCounts Endpoint::strangers() const {
  StrangerCounts counts = stranger_counts_;
  counts.connections = strangers_.count();
  counts.bytes = strangers_.bytes();
  return counts;
}

void Endpoint::answer_version(const UdpPath& path, Bytes payload, UdpSendQueue& out,
                              Timestamp now) {
  drops_.count(Drop::kNotQuic);
  // An answer to a short packet could be larger than it (RFC 9000 section 6.1).
  if (server_ == nullptr || payload.size() < NGTCP2_MAX_UDP_PAYLOAD_SIZE) return;
  if (!out.has_room() || !versions_.take(path.remote.address, now)) return;
  ngtcp2_version_cid header;
  ngtcp2_pkt_decode_version_cid(&header, payload.data(), payload.size(), kOurConnectionIdBytes);
  const std::uint32_t versions[] = {NGTCP2_PROTO_VER_V1};
  const MutableBytes answer = out.next_payload();
  const ngtcp2_ssize bytes = ngtcp2_pkt_write_version_negotiation(
      answer.data(), answer.size(), noise_.bytes<1>()[0], header.scid, header.scidlen, header.dcid,
      header.dcidlen, versions, std::size(versions));
  if (bytes > 0) out.push(path, Ecn::kNotEct, static_cast<std::size_t>(bytes));
}

void Endpoint::answer_unknown(const UdpPath& path, Bytes payload, UdpSendQueue& out,
                              Timestamp now) {
  drops_.count(Drop::kUnknownConnection);
  if (payload.size() < kMinResetTrigger || !out.has_room() ||
      !resets_.take(path.remote.address, now))
    return;

  const std::size_t longest = std::min(payload.size() - 1, kMaxResetBytes);
  const std::size_t shortest = std::min(longest, kMinVariedReset);
  const std::size_t bytes = shortest + noise_.number() % (longest - shortest + 1);
  const auto token = reset_token(ConnectionId(payload.subspan(1, kOurConnectionIdBytes)));
  const MutableBytes answer = out.next_payload().first(bytes);
  const MutableBytes noise = answer.first(bytes - token.size());
  noise_.fill(noise);
  noise[0] = static_cast<std::uint8_t>(kFixedBit | (noise[0] & kShortHeaderBits));
  append(answer.last(token.size()), token);
  out.push(path, Ecn::kNotEct, bytes);
}

void Endpoint::answer_small(const UdpPath& path, Bytes payload, UdpSendQueue& out, Timestamp now) {
  drops_.count(Drop::kNotQuic);
  if (!out.has_room() || !small_answers_.take(path.remote.address, now)) return;
  const std::size_t bytes = write_small_answer(payload, out.next_payload());
  if (bytes > 0) out.push(path, Ecn::kNotEct, bytes);
}

void Endpoint::ask_small(Connection& connection, UdpSendQueue& out) {
  if (!out.has_room()) return;
  const MutableBytes payload = out.next_payload().first(kSmallInitialBytes);
  write_small_initial(connection.first_peer_id(), connection.registration.ids.front(),
                      connection.next_question(), payload.first<kSmallInitialBytes>());
  out.push(connection.path(), Ecn::kNotEct, payload.size());
}

void Endpoint::answer_retry(const UdpPath& path, const ngtcp2_pkt_hd& header, UdpSendQueue& out,
                            Timestamp now) {
  const ConnectionId original = from_engine(header.dcid);
  if (!out.has_room() || !take_retry(path.remote, original, now)) return;
  const ConnectionId id = new_connection_id(noise_, options_.shard, options_.shard_count);
  const AddressProof::Ids ids{
      .client = from_engine(header.scid), .original = original, .retry = id};
  const std::size_t bytes = proofs_.write(path.remote, ids, noise_, now, out.next_payload());
  if (bytes > 0) out.push(path, Ecn::kNotEct, bytes);
}

bool Endpoint::take_retry(const SocketAddress& from, const ConnectionId& id, Timestamp now) {
  if (retries_.take(from.address, now)) return true;
  return first_packets_.came_before(from, id, now) && later_retries_.take(from.address, now);
}

// Its client is to begin anew (RFC 9000 section 8.1.3): this token will not count any more.
void Endpoint::answer_false_proof(const UdpPath& path, const ngtcp2_pkt_hd& header,
                                  UdpSendQueue& out, Timestamp now) {
  if (!out.has_room() || !false_proofs_.take(path.remote.address, now)) return;
  const MutableBytes answer = out.next_payload();
  const ngtcp2_ssize bytes = ngtcp2_crypto_write_connection_close(
      answer.data(), answer.size(), header.version, &header.scid, &header.dcid,
      NGTCP2_INVALID_TOKEN, nullptr, 0);
  if (bytes > 0) out.push(path, Ecn::kNotEct, static_cast<std::size_t>(bytes));
}

std::size_t Endpoint::shard_of_payload(Bytes payload) const {
  if (payload.empty()) return options_.shard;
  const std::size_t at = (payload[0] & kLongHeader) != 0 ? kLongHeaderIdOffset : 1;
  if (payload.size() <= at) return options_.shard;
  return shard_of(payload[at], options_.shard_count);
}

bool Endpoint::write(UdpSendQueue& out, Timestamp now) {
  while (Registration* noted = attention_.take()) {
    Connection& connection = *noted->connection;
    if (!connection.write(out, now)) {
      attention_.note(*noted);
      return false;
    }
    if (connection.is_closed()) {
      say_farewell(connection, now);
      continue;
    }
    connection.end_burst(now);
    note_progress(connection, now);
    attention_.set_timer(*noted, connection.next_timeout());
  }
  return true;
}

// Each step once: what comes again is no advance.
void Endpoint::note_greeting(Connection& connection, Timestamp now) {
  Registration& registration = connection.registration;
  if (registration.has_greeted || !connection.has_greeted()) return;
  registration.has_greeted = true;
  strangers_.advance(registration.stranger, now);
}

void Endpoint::note_progress(Connection& connection, Timestamp now) {
  Registration& registration = connection.registration;
  if (!connection.is_stranger()) strangers_.admit(registration.stranger, now);
  if (!registration.is_half_open || !connection.is_handshake_complete()) return;
  registration.is_half_open = false;
  --half_open_;
  strangers_.advance(registration.stranger, now);
}

void Endpoint::handle_timeouts(Timestamp now) {
  now_ = now;
  forget_retired();
  farewells_.forget(now);
  while (Registration* due = attention_.take_due(now)) {
    Connection& connection = *due->connection;
    connection.handle_timeout(now);
  }
}

// The engine goes at once, with all the memory that it has, and what RFC 9000 section 10.2 needs
// stays: somebody who opens sessions and closes them makes a server hold no more.
void Endpoint::say_farewell(Connection& connection, Timestamp now) {
  Farewells::Farewell farewell = connection.take_farewell();
  for (const ConnectionId& id : farewell.ids) by_id_.erase(id);
  forget(connection);
  if (farewell.until > now) farewells_.add(std::move(farewell));
}

bool Endpoint::is_late(Bytes id, UdpSendQueue& out) {
  const Farewells::Late late = farewells_.hear(id);
  if (late.answer != nullptr && out.has_room()) {
    append(out.next_payload(), late.answer->payload);
    out.push(late.answer->path, Ecn::kNotEct, late.answer->payload.size());
  }
  return late.is_late;
}

void Endpoint::forget(Connection& connection) {
  for (const ConnectionId& id : connection.registration.ids) by_id_.erase(id);
  if (connection.registration.is_half_open) --half_open_;
  strangers_.remove(connection.registration.stranger);
  switch (connection.excess()) {
    case Connection::Excess::kNone: break;
    case Connection::Excess::kTime: ++stranger_counts_.out_of_time; break;
    case Connection::Excess::kMemory: ++stranger_counts_.too_large; break;
  }
  attention_.forget(connection.registration);
  last_connection_ = nullptr;

  const std::size_t index = connection.registration.index;
  std::swap(connections_[index], connections_.back());
  connections_[index]->registration.index = index;
  connections_.pop_back();
}

void Endpoint::close_all(std::string_view text, Timestamp now) {
  for (const auto& connection : connections_) {
    connection->close(connection->is_stranger() ? "" : text, now);  // in a web server's words
  }
}

ConnectionId Endpoint::issue(Connection& connection) {
  const ConnectionId id = new_connection_id(random_, options_.shard, options_.shard_count);
  connection.registration.ids.push_back(id);
  by_id_[id] = &connection;
  return id;
}

void Endpoint::retire(const ConnectionId& id) {
  retired_.push_back({id, now_ + kRetiredTime});
  forget_retired();
}

void Endpoint::forget_retired() {
  while (!retired_.empty() && (retired_.front().until <= now_ || retired_.size() > kMaxRetired)) {
    const auto found = by_id_.find(retired_.front().id);
    retired_.pop_front();
    if (found == by_id_.end()) continue;
    std::erase(found->second->registration.ids, found->first);
    by_id_.erase(found);
    last_connection_ = nullptr;
  }
}

std::array<std::uint8_t, 16> Endpoint::reset_token(const ConnectionId& id) const {
  ngtcp2_cid cid;
  ngtcp2_cid_init(&cid, id.bytes().data(), id.bytes().size());
  std::array<std::uint8_t, 16> token{};
  ngtcp2_crypto_generate_stateless_reset_token(token.data(), options_.secret.data(),
                                               options_.secret.size(), &cid);
  return token;
}

}  // namespace qdt::quic
