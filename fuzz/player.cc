#include "player.h"

#include <algorithm>

#include "frames.h"

namespace qdt::fuzz {
namespace {

constexpr std::size_t kMaxContacts = 12;
constexpr Duration kHandshakeTime = 300ms;
constexpr Duration kLongestWait = 72h;
constexpr std::size_t kMaxParameters = 16;

RawPeer::Parameters read_parameters(ByteReader& arguments) {
  RawPeer::Parameters parameters;
  while (!arguments.empty() && parameters.size() < kMaxParameters) {
    const std::uint8_t id = arguments.byte();
    const std::uint8_t kind = arguments.byte();
    const std::uint64_t number = id < 0x40 ? id : read_number(arguments);
    switch (kind % 4) {
      case 0: parameters.push_back({RawPeer::kLeftOut + number, {}}); break;
      case 1: {
        const Bytes value = arguments.take(arguments.byte());
        parameters.push_back({number, {value.begin(), value.end()}});
        break;
      }
      default:
        parameters.push_back({number, ByteWriter().varint(read_number(arguments)).bytes});
        break;
    }
  }
  return parameters;
}

}  // namespace

Player::Player(const Options& options, Stage& stage, TunnelNode& target)
    : options_(options), stage_(stage), target_(target), target_address_(options.target) {
  stage_.on_hostile = [this](const UdpPath& path, Ecn, Bytes payload) { receive(path, payload); };
}

SocketAddress Player::address(std::uint8_t index) {
  if (index % 16 >= 12) {
    const auto base = IpAddress::parse("2001:db8:1::1");
    return {*base, static_cast<std::uint16_t>(4000 + index)};
  }
  return {IpAddress::v4(0xc6336410u + index % 16 / 2),
          static_cast<std::uint16_t>(4433 + index % 2)};
}

Contact* Player::current() {
  return contacts_.empty() ? nullptr : contacts_[current_ % contacts_.size()].get();
}

void Player::play(Program program) {
  while (const auto step_read = program.next()) {
    step(step_read->kind, step_read->arguments, true);
    played_.push_back({step_read->kind, step_read->arguments});
    if (steps_left_ == 0) break;
  }
}

void Player::receive(const UdpPath& path, Bytes payload) {
  target_address_ = path.remote;
  bool is_known = false;
  for (const auto& contact : contacts_) {
    if (contact->here != path.local) continue;
    is_known = true;
    contact->there = path.remote;
    contact->receive(payload, stage_.now());
    answer(*contact);
  }
  // A client target's first packet: version 1, Initial.
  const bool is_first =
      options_.role == Role::kServer && payload.size() >= 1200 && (payload[0] & 0xf0) == 0xc0;
  if (!is_first || contacts_.size() >= kMaxContacts) return;
  ByteReader reader(payload.subspan(5));
  const Bytes destination = reader.take(reader.byte());
  const Bytes source = reader.take(reader.byte());
  const bool is_of_another = std::ranges::any_of(contacts_, [&](const auto& contact) {
    return std::ranges::equal(contact->raw.destination(), source);
  });
  if (is_of_another && is_known) return;
  if (greeting_.is_silent) return;
  if (std::exchange(greeting_.is_retry, false)) {
    const ByteVector id(8, 0x77);
    stage_.give({.local = path.remote, .remote = path.local}, Ecn::kNotEct,
                testing::retry_packet(source, id, as_bytes("a token"), destination));
    return;
  }
  contacts_.push_back(std::make_unique<Contact>(
      RawPeer::Options{.role = Role::kServer,
                       .parameters = std::exchange(greeting_.parameters, {}),
                       .seed = seed_++,
                       .tls = &testing::test_server_tls()},
      path.local, path.remote));
  current_ = contacts_.size() - 1;
  ++opened_;
  contacts_.back()->receive(payload, stage_.now());
  answer(*contacts_.back());
}

void Player::answer(Contact& contact) {
  for (const ByteVector& payload : contact.take_payloads(stage_.now())) send(contact, payload);
}

void Player::send(const Contact& contact, Bytes payload, Ecn ecn) {
  if (payload.empty()) return;
  stage_.give({.local = contact.there, .remote = contact.here}, ecn, payload);
}

void Player::send_frames(Contact& contact, Bytes frames) {
  send(contact, contact.raw.seal(PacketSpace::kApplication, frames));
}

// As many packets as it takes.
void Player::send_stream(Contact& contact, std::uint64_t stream, Bytes bytes, bool ends) {
  do {
    const Bytes piece = bytes.first(std::min<std::size_t>(bytes.size(), 1100));
    bytes = bytes.subspan(piece.size());
    send_frames(contact, contact.stream_frame(stream, piece, ends && bytes.empty()));
  } while (!bytes.empty());
}

void Player::try_session(Contact& contact) {
  const bool is_new = contact.open_session(options_.keys) && contact.has_version2();
  version2_sessions_ += is_new ? 1 : 0;
}

void Player::step(std::uint8_t kind_byte, Bytes bytes, bool may_repeat) {
  if (steps_left_ == 0) return;
  --steps_left_;
  ByteReader arguments(bytes);
  const auto kind = static_cast<StepKind>(kind_byte % static_cast<std::uint8_t>(StepKind::kCount));
  Contact* contact = current();
  switch (kind) {
    case StepKind::kWait: {
      Duration time(static_cast<std::int64_t>(arguments.byte()) + 1);
      for (int i = arguments.byte() % 13; i > 0; --i) time *= 10;
      stage_.advance(std::min(time, Duration(kLongestWait)));
      break;
    }
    case StepKind::kOpen: open(arguments); break;
    case StepKind::kSelect: current_ = arguments.byte(); break;
    case StepKind::kSession: open_session(arguments); break;
    case StepKind::kHello: {
      if (contact == nullptr) break;
      ByteVector settings = contact->usual_settings();
      if (!arguments.empty()) {
        ByteWriter changed;
        while (!arguments.empty()) changed.varint(read_number(arguments));
        settings = changed.bytes;
      }
      send_frames(*contact, contact->hello(settings));
      break;
    }
    case StepKind::kRequest: request(arguments); break;
    case StepKind::kAsk: ask(arguments); break;
    case StepKind::kCapsules: send_capsules(arguments); break;
    case StepKind::kFrames:
      if (contact != nullptr) send_frames(*contact, write_frames(arguments, *contact));
      break;
    case StepKind::kStream: {
      if (contact == nullptr) break;
      const std::uint64_t id = read_number(arguments);
      const bool ends = arguments.byte() % 8 == 7;
      send_frames(*contact, contact->stream_frame(id, arguments.rest(), ends));
      break;
    }
    case StepKind::kHttp: {
      if (contact == nullptr) break;
      const std::uint64_t id = read_number(arguments);
      const std::uint64_t type = read_number(arguments);
      ByteVector frame = Contact::http_frame(type, arguments.take(arguments.byte()));
      change(frame, arguments);
      send_frames(*contact, contact->stream_frame(id, frame, false));
      break;
    }
    case StepKind::kDatagram: send_datagram(arguments); break;
    case StepKind::kDirect: send_direct(arguments); break;
    case StepKind::kPayload: send_payload(arguments); break;
    case StepKind::kReplay: replay(arguments); break;
    case StepKind::kInitial: send_initial(arguments); break;
    case StepKind::kHandshake: send_handshake(arguments); break;
    case StepKind::kRetry: send_retry(arguments); break;
    case StepKind::kForward: forward(arguments); break;
    case StepKind::kKeys: {
      if (contact == nullptr) break;
      const std::uint8_t choice = arguments.byte();
      if (choice % 2 == 0) contact->raw.update_keys();
      if (choice >= 0x40) {
        contact->raw.skip_numbers(PacketSpace::kApplication, read_number(arguments) >> 8);
      }
      break;
    }
    case StepKind::kMode: {
      const std::uint8_t choice = arguments.byte();
      if (contact != nullptr) {
        contact->raw.set_answering(choice % 2 == 0);
        contact->set_path_queue(arguments.byte() * 1ms);
      }
      stage_.loses_everything = choice % 8 == 6;
      break;
    }
    case StepKind::kMove: {
      if (contact == nullptr) break;
      contact->here = address(arguments.byte());
      if (const std::uint8_t id = arguments.byte(); id != 0) contact->raw.use_id(id);
      break;
    }
    case StepKind::kTarget: on_target(arguments); break;
    case StepKind::kHonest: on_honest(arguments); break;
    case StepKind::kRepeat:
      if (may_repeat) repeat(arguments);
      break;
    case StepKind::kTerms:
    case StepKind::kCount: break;
  }
  stage_.settle();
  if (check) check();
}

void Player::repeat(ByteReader& arguments) {
  const std::size_t count = std::min<std::size_t>(1 + arguments.byte() % 4u, played_.size());
  const std::size_t times = arguments.byte() % 64u;
  const std::size_t first = played_.size() - count;
  for (std::size_t time = 0; time < times; ++time) {
    for (std::size_t i = first; i < first + count; ++i) {
      step(played_[i].first, played_[i].second, false);
    }
  }
}

// A client's connection: settings, address, transport parameters.
void Player::open(ByteReader& arguments) {
  const std::uint8_t flags = arguments.byte();
  const std::uint8_t from = arguments.byte();
  RawPeer::Parameters parameters = read_parameters(arguments);
  if (options_.role == Role::kServer) {
    greeting_ = {.parameters = std::move(parameters),
                 .is_retry = (flags & 1) != 0,
                 .is_silent = (flags & 2) != 0};
    return;
  }
  if (contacts_.size() >= kMaxContacts) contacts_.erase(contacts_.begin());
  contacts_.push_back(std::make_unique<Contact>(
      RawPeer::Options{
          .role = Role::kClient, .parameters = std::move(parameters), .token = {}, .seed = seed_++},
      address(from), options_.target));
  current_ = contacts_.size() - 1;
  ++opened_;
  Contact& contact = *contacts_.back();
  contact.raw.start();
  answer(contact);
  if ((flags & 1) == 0) {
    stage_.advance_until([&] { return contact.raw.is_handshake_complete(); }, kHandshakeTime);
  }
}

void Player::open_session(ByteReader& arguments) {
  Contact* contact = current();
  const bool is_client = options_.role == Role::kClient;
  if (is_client && (contact == nullptr || contact->has_session() || contact->raw.is_closed())) {
    ByteReader plain(arguments.rest());
    const std::uint8_t from = plain.byte();
    const ByteVector how = {0, from};
    ByteReader options(how);
    open(options);
    contact = current();
  }
  if (contact == nullptr) return;
  if (contact->next_offset(is_client ? 2 : 3) == 0) {
    send_frames(*contact, contact->hello(contact->usual_settings()));
  }
  arguments.byte();
  if (is_client) {
    ask_for_session(*contact, arguments.byte());
  } else {
    grant_session(*contact);
  }
}

// An odd `how`: to resume; behind that, whose session.
void Player::ask_for_session(Contact& contact, std::uint8_t how) {
  const std::string resume_token = how % 2 == 1 ? resume_token_ : "";
  const auto who = static_cast<Who>(how / 2 % static_cast<unsigned>(Who::kCount));
  ByteWriter request;
  if (who == Who::kVersion1) {
    const std::string body = wire::to_json(contact.new_request(resume_token));
    request
        .append(Contact::headers_frame({{":method", "POST"},
                                        {":scheme", "https"},
                                        {":authority", "localhost"},
                                        {":path", "/connect"},
                                        {"x-qdt-token", options_.keys.token},
                                        {"content-length", std::to_string(body.size())}}))
        .append(Contact::http_frame(0, as_bytes(body)));
  } else {
    const wire::SessionRequest asked = contact.new_session_request(who, resume_token);
    authorization_ = contact.authorization(options_.keys, who, Flaw::kNone);
    request.append(Contact::headers_frame(Contact::request_fields(asked, authorization_)));
  }
  send_stream(contact, 0, request.bytes, false);
  stage_.advance_until([&] { return contact.open_session(options_.keys); }, kHandshakeTime);
  if (!contact.has_session()) return;
  resume_token_ = contact.resume_token();
  version2_sessions_ += contact.has_version2() ? 1 : 0;
}

// By the version by which the client asks.
void Player::grant_session(Contact& contact) {
  stage_.advance(20ms);
  ByteWriter answer;
  const std::uint64_t stream = contact.request_stream();
  if (const auto granted = contact.new_session_answer(options_.keys, options_.who, Flaw::kNone)) {
    answer
        .append(Contact::headers_frame(
            {{":status", "200"},
             {"capsule-protocol", "?1"},
             {std::string(wire::kSessionFieldName), wire::write_session_field(*granted)}}))
        .append(Contact::http_frame(0, contact.first_capsules()));
  } else if (const auto response = contact.new_response()) {
    answer.append(Contact::headers_frame({{":status", "200"}}))
        .append(Contact::http_frame(0, as_bytes(wire::to_json(*response))));
  } else {
    return;
  }
  send_stream(contact, stream, answer.bytes, false);
  try_session(contact);
  stage_.advance(20ms);
}

void Player::request(ByteReader& arguments) {
  Contact* contact = current();
  if (contact == nullptr) return;
  const std::uint8_t flags = arguments.byte();
  const std::uint8_t choice = arguments.byte();
  const std::uint64_t stream = (flags & 1) != 0 ? read_number(arguments) * 4 : 0;
  ByteReader head(arguments.take(arguments.byte()));
  Contact::Fields fields;
  std::string body;
  if (options_.role == Role::kClient) {
    constexpr std::string_view kMethods[] = {"POST", "POST", "GET", "HEAD", "CONNECT", "OPTIONS"};
    constexpr std::string_view kPaths[] = {"/connect", "/connect",    "/",
                                           "/large",   "/large/?a#b", "*"};
    constexpr std::string_view kTokens[] = {"", "x", "wrong-token-"};
    const std::string right = options_.keys.token;
    body = wire::to_json(contact->new_request((choice & 0x80) != 0 ? resume_token_ : ""));
    fields = {{":method", std::string(kMethods[choice % 6])},
              {":scheme", "https"},
              {":authority", "localhost"},
              {":path", std::string(kPaths[choice / 6 % 6])},
              {"x-qdt-token", (flags & 2) != 0 ? std::string(kTokens[choice % 3]) : right}};
  } else {
    constexpr std::string_view kStatuses[] = {"200", "200", "100", "103", "204", "301",
                                              "400", "401", "404", "429", "503", "999"};
    const auto response = contact->new_response();
    if (response) body = wire::to_json(*response);
    fields = {{":status", std::string(kStatuses[choice % 12])}};
    if ((flags & 2) != 0) fields.push_back({"retry-after", std::to_string(read_number(head))});
  }
  if ((flags & 4) != 0) {
    ByteVector changed(as_bytes(body).begin(), as_bytes(body).end());
    change(changed, arguments);
    body = as_text(changed);
  }
  if ((flags & 8) != 0) fields.push_back({"content-length", std::to_string(body.size())});
  if ((flags & 16) != 0) {
    const std::uint64_t count = read_number(head) % 300;
    const std::string name(as_text(head.take(head.byte())));
    const std::string value(read_number(head) % 3000, 'v');
    for (std::uint64_t i = 0; i < count; ++i) fields.push_back({name, value});
  }
  ByteVector headers = Contact::headers_frame(fields);
  if ((flags & 32) != 0) change(headers, head);
  ByteWriter all;
  all.append(headers);
  if ((flags & 64) == 0) all.append(Contact::http_frame(0, as_bytes(body)));
  send_stream(*contact, stream, all.bytes, (flags & 128) != 0);
  stage_.advance(20ms);
  try_session(*contact);
}

// By version 2: what an honest peer would say, and then what the program has otherwise.
void Player::ask(ByteReader& arguments) {
  Contact* contact = current();
  if (contact == nullptr) return;
  const std::uint8_t flags = arguments.byte();
  const std::uint8_t choice = arguments.byte();
  const std::uint64_t stream = (flags & 1) != 0 ? read_number(arguments) * 4 : 0;
  Contact::Fields fields = fields_to_ask(*contact, choice);
  const auto is_ours = [](const auto& field) { return field.first == wire::kSessionFieldName; };
  const auto rewrite = [&](std::string& text) {
    ByteReader changes(arguments.take(arguments.byte()));
    ByteVector changed(as_bytes(text).begin(), as_bytes(text).end());
    change(changed, changes);
    text = as_text(changed);
  };
  if ((flags & 2) != 0) std::erase_if(fields, is_ours);
  if ((flags & 4) != 0) {
    ByteReader pieces(arguments.take(arguments.byte()));
    fields.emplace_back(wire::kSessionFieldName, write_session_pieces(pieces));
  }
  if ((flags & 8) != 0) {
    const auto field = std::ranges::find_if(fields, is_ours);
    if (field != fields.end()) rewrite(field->second);
  }
  // One of them otherwise, or again, or not at all.
  if ((flags & 16) != 0) {
    const std::uint8_t which = arguments.byte();
    const std::size_t index = which / 4 % fields.size();
    if (which % 4 == 0) rewrite(fields[index].second);
    if (which % 4 == 1) rewrite(fields[index].first);
    if (which % 4 == 2) fields.insert(fields.begin() + 1, fields[index]);
    if (which % 4 == 3) fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(index));
  }
  ByteWriter all;
  ByteVector head = Contact::headers_frame(fields);
  if ((flags & 32) != 0) {
    ByteReader changes(arguments.take(arguments.byte()));
    change(head, changes);
  }
  all.append(head);
  if ((flags & 64) != 0) {
    all.append(Contact::http_frame(0, write_capsules(arguments, *contact)));
  } else if (options_.role == Role::kServer) {
    all.append(Contact::http_frame(0, contact->first_capsules()));
  }
  send_stream(*contact, stream, all.bytes, (flags & 128) != 0);
  stage_.advance(20ms);
  try_session(*contact);
}

// `choice`: who asks, or with which status a server answers, and what is wrong with the proof.
Contact::Fields Player::fields_to_ask(Contact& contact, std::uint8_t choice) {
  const auto flaw = static_cast<Flaw>(choice / 8 % static_cast<unsigned>(Flaw::kCount));
  if (options_.role == Role::kClient) {
    const auto who = static_cast<Who>(choice % 8 % static_cast<unsigned>(Who::kCount));
    const wire::SessionRequest asked = contact.new_session_request(who, resume_token_);
    // That of another connection, where there is one.
    const bool is_another = choice >= 0x80;
    if (!is_another) authorization_ = contact.authorization(options_.keys, who, flaw);
    return Contact::request_fields(asked, authorization_);
  }
  constexpr std::string_view kStatuses[] = {"200", "200", "200", "204", "103", "401", "503", "999"};
  Contact::Fields fields = {{":status", std::string(kStatuses[choice % 8])},
                            {"capsule-protocol", "?1"}};
  if (const auto answer = contact.new_session_answer(options_.keys, options_.who, flaw)) {
    fields.emplace_back(wire::kSessionFieldName, wire::write_session_field(*answer));
  }
  return fields;
}

void Player::send_capsules(ByteReader& arguments) {
  Contact* contact = current();
  if (contact == nullptr) return;
  const std::uint8_t flags = arguments.byte();
  const std::uint64_t stream =
      (flags & 1) != 0 ? read_number(arguments) * 4 : contact->request_stream();
  ByteReader changes((flags & 2) != 0 ? arguments.take(arguments.byte()) : Bytes());
  ByteVector capsules = write_capsules(arguments, *contact);
  change(capsules, changes);
  // Each in a DATA frame, one frame around all, or none.
  const std::size_t step =
      (flags & 8) != 0 ? 1 + flags / 16 : std::max<std::size_t>(1, capsules.size());
  ByteWriter all;
  for (Bytes rest = capsules; !rest.empty();) {
    const Bytes piece = rest.first(std::min(step, rest.size()));
    rest = rest.subspan(piece.size());
    all.append(Contact::http_frame(0, piece));
  }
  send_stream(*contact, stream, all.bytes, (flags & 4) != 0);
}

void Player::send_datagram(ByteReader& arguments) {
  Contact* contact = current();
  if (contact == nullptr) return;
  const std::uint8_t flags = arguments.byte();
  const std::uint8_t type = arguments.byte() % 8;
  const std::uint64_t quarter = (flags & 1) != 0 ? read_number(arguments) : 0;
  const std::uint64_t skip = (flags & 2) != 0 ? read_number(arguments) : 0;
  ByteVector plaintext;
  if ((flags & 4) != 0) {
    plaintext.assign(arguments.rest().begin(), arguments.rest().end());
  } else if (type == 1) {
    plaintext = ByteWriter()
                    .be32(static_cast<std::uint32_t>(read_number(arguments)))
                    .be32(static_cast<std::uint32_t>(read_number(arguments)))
                    .be32(static_cast<std::uint32_t>(read_number(arguments)))
                    .append(arguments.rest())
                    .bytes;
  } else {
    plaintext = write_packet(arguments, *contact, (flags & 32) != 0);
  }
  ByteVector datagram = contact->datagram(quarter, type, skip, (flags & 8) != 0, plaintext);
  if ((flags & 16) != 0) change(datagram, arguments);
  ByteWriter frames;
  frames.byte(0x30).append(datagram);
  send_frames(*contact, frames.bytes);
}

void Player::send_direct(ByteReader& arguments) {
  Contact* contact = current();
  if (contact == nullptr) return;
  const std::uint8_t flags = arguments.byte();
  const Contact::DirectChoice choice{.id = (flags & 3u),
                                     .skip = (flags & 4) != 0 ? read_number(arguments) : 0,
                                     .is_old = (flags & 8) != 0,
                                     .updates_key = (flags & 0x30) == 0x30};
  const ByteVector frames = write_direct_frames(arguments, *contact, stage_.now());
  const ByteVector packet = contact->direct(choice, frames, stage_.now());
  send(*contact, packet, static_cast<Ecn>(flags >> 6));
}

void Player::send_payload(ByteReader& arguments) {
  const std::uint8_t flags = arguments.byte();
  const SocketAddress from = address(arguments.byte());
  ByteVector payload;
  const Contact* contact = current();
  if (contact != nullptr && (flags & 1) != 0) {
    payload.push_back(arguments.byte());
    const ByteVector& id = contact->raw.destination();
    payload.insert(payload.end(), id.begin(), id.end());
  }
  if ((flags & 2) != 0) {
    payload.resize(payload.size() + read_number(arguments) % 66000, arguments.byte());
  }
  const Bytes rest = arguments.rest();
  payload.insert(payload.end(), rest.begin(), rest.end());
  stage_.give({.local = target_address_, .remote = from}, static_cast<Ecn>(flags >> 6), payload);
}

void Player::replay(ByteReader& arguments) {
  if (stage_.recent().empty()) return;
  const std::uint8_t flags = arguments.byte();
  const auto pick = [&] {
    return stage_.recent()[stage_.recent().size() - 1 - arguments.byte() % stage_.recent().size()];
  };
  ByteVector payload = pick();
  if ((flags & 1) != 0) {
    const ByteVector more = pick();
    payload.insert(payload.end(), more.begin(), more.end());
  }
  const Contact* contact = current();
  const bool is_elsewhere = (flags & 2) != 0 || contact == nullptr;
  const SocketAddress from = is_elsewhere ? address(arguments.byte()) : contact->here;
  change(payload, arguments);
  stage_.give({.local = target_address_, .remote = from}, static_cast<Ecn>(flags >> 6), payload);
}

void Player::send_initial(ByteReader& arguments) {
  const std::uint8_t flags = arguments.byte();
  const SocketAddress from = address(arguments.byte());
  PacketHeader header{.space = PacketSpace::kInitial, .version = 1};
  const std::uint8_t id_bytes = arguments.byte() % 24;
  header.destination.assign(id_bytes, arguments.byte());
  header.source.assign(arguments.byte() % 24, 0x51);
  header.number = (flags & 1) != 0 ? read_number(arguments) : 0;
  header.number_bytes = 1 + flags / 2 % 4;
  if ((flags & 8) != 0) header.token.assign(arguments.byte(), arguments.byte());
  if ((flags & 16) != 0) header.version = static_cast<std::uint32_t>(read_number(arguments));
  if ((flags & 32) != 0) header.first_byte_flip = arguments.byte() & 0xf0;
  ByteWriter frames;
  frames.byte(0x06).varint(0).block(arguments.take(arguments.byte()));
  frames.append(arguments.rest());
  if ((flags & 64) == 0) frames.bytes.resize(std::max<std::size_t>(frames.bytes.size(), 1180));
  testing::PacketKeys keys = testing::PacketKeys::initial(header.destination, Role::kClient);
  stage_.give({.local = target_address_, .remote = from}, Ecn::kNotEct,
              keys.seal(header, frames.bytes));
}

void Player::send_handshake(ByteReader& arguments) {
  Contact* contact = current();
  if (contact == nullptr) return;
  const std::uint8_t flags = arguments.byte();
  const PacketSpace space = (flags & 1) != 0 ? PacketSpace::kHandshake : PacketSpace::kInitial;
  PacketHeader header = contact->raw.next_header(space);
  if ((flags & 2) != 0) header.version = static_cast<std::uint32_t>(read_number(arguments));
  if ((flags & 4) != 0) header.first_byte_flip = arguments.byte() & 0xf0;
  if ((flags & 8) != 0) header.number = read_number(arguments);
  if ((flags & 16) != 0) header.source.assign(arguments.byte() % 21, 0x52);
  ByteVector frames = write_frames(arguments, *contact);
  if ((flags & 32) != 0) frames.resize(std::max<std::size_t>(frames.size(), 1150));
  send(*contact, contact->raw.seal(header, frames));
}

void Player::send_retry(ByteReader& arguments) {
  Contact* contact = current();
  if (contact == nullptr) return;
  const std::uint8_t flags = arguments.byte();
  ByteWriter payload;
  switch (flags % 3) {
    case 0:
      payload.append(testing::retry_packet(contact->raw.destination(), contact->raw.own_id(),
                                           arguments.take(arguments.byte()),
                                           contact->raw.destination()));
      break;
    case 1:
      payload.byte(0x80u | flags).be32(0);
      payload.byte(contact->raw.destination().size()).append(contact->raw.destination());
      payload.byte(contact->raw.own_id().size()).append(contact->raw.own_id());
      while (!arguments.empty()) payload.be32(static_cast<std::uint32_t>(read_number(arguments)));
      break;
    default:
      // A stateless reset, perhaps with a right token.
      payload.byte(0x40u | arguments.byte());
      payload.bytes.resize(5 + read_number(arguments) % 1200, 0x66);
      if (!contact->raw.reset_tokens().empty() && (flags & 0x80) == 0) {
        const auto& tokens = contact->raw.reset_tokens();
        payload.append(tokens[flags % tokens.size()]);
      } else {
        payload.append(ByteVector(16, 0xab));
      }
      break;
  }
  send(*contact, payload.bytes);
}

void Player::forward(ByteReader& arguments) {
  const Contact* contact = current();
  if (contact == nullptr) return;
  const unsigned count = 1 + arguments.byte() % 32u;
  const ByteVector packet = write_packet(arguments, *contact, true);
  for (unsigned i = 0; i < count; ++i) target_.inject(packet, stage_.now());
}

}  // namespace qdt::fuzz
