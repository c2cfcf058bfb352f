// What somebody who terminates TLS before a server has seen opens nothing of the sessions that its
// clients have with it directly (docs/protocol.md section 12): with all of it he tries every key
// that there is a derivation for on every packet.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "quic/key_log.h"
#include "sim/direct_sim.h"
#include "sim/relay.h"
#include "support/field_section.h"
#include "support/raw_quic.h"
#include "support/scratch_folder.h"
#include "wire/hex_fixture.h"
#include "wire/psk_keys.h"

namespace qdt::testing {
namespace {

using wire::AeadAlgorithm;
using wire::HandshakeNonce;
using wire::HkdfSecret;
using wire::PresharedKey;
using Nonces = std::pair<HandshakeNonce, HandshakeNonce>;  // a client's, a server's

// The secrets of the TLS sessions of this process, both ends', while it is there.
class KeyLog {
 public:
  KeyLog() { quic::open_key_log(folder_.file("keys")); }
  ~KeyLog() { quic::open_key_log(std::string()); }  // no file has this name
  KeyLog(const KeyLog&) = delete;
  KeyLog& operator=(const KeyLog&) = delete;

  std::set<HkdfSecret> secrets() const {
    std::set<HkdfSecret> all;
    std::ifstream file(folder_.file("keys"));
    for (std::string label, random, secret; file >> label >> random >> secret;) {
      all.insert(wire::from_hex<HkdfSecret>(secret));
    }
    return all;
  }

 private:
  ScratchFolder folder_;
};

// The packets of a session, by plane.
struct Capture {
  std::vector<Packet> quic;  // short headers: Initial packets are for everybody to open
  std::vector<Packet> direct;
};

// What is in a payload behind the packets with long headers (RFC 9000 section 12.2).
Bytes behind_long_headers(Bytes payload) {
  while (!payload.empty() && (payload[0] & 0x80) != 0) {
    ByteReader reader(payload.subspan(5));
    reader.take(reader.byte());
    reader.take(reader.byte());
    const bool is_initial = (payload[0] & 0x30) == 0;
    if (is_initial) reader.take(reader.varint());  // the token
    reader.take(reader.varint());
    payload = reader.rest();
  }
  return payload;
}

// Whatever of his may go into keys.
struct Knowledge {
  std::set<HkdfSecret> secrets;  // TLS', what it exports, and anything else of 32 bytes
  Nonces nonces;                 // the client's, and his own

  // Each 32 bytes of it; what is shorter has zeros behind it.
  void add(Bytes bytes) {
    do {
      HkdfSecret secret{};
      const std::size_t count = std::min(bytes.size(), secret.size());
      append(secret, bytes.first(count));
      secrets.insert(secret);
      bytes = bytes.subspan(count);
    } while (!bytes.empty());
  }
  // Under each label that the project has; `context` is that of the proof.
  void add(const wire::Exporter& exporter, Bytes context) {
    for (const std::string_view label : {wire::kServerProofLabel, wire::kSealedExporterLabel,
                                         wire::kDirectExporterLabel, wire::kDirectExporterLabel2}) {
      secrets.insert(exporter.derive(label));
    }
    wire::ConcealedExport shown;
    exporter.derive(wire::kConcealedLabel, context, shown);
    add(shown);
  }
};

// What is in those packets that some secret opens as QUIC's.
std::vector<ByteVector> open_quic(const std::vector<Packet>& packets,
                                  const std::set<HkdfSecret>& secrets) {
  constexpr std::size_t kNumberAt = 1 + 8;
  std::vector<ByteVector> opened;
  std::set<const Packet*> left;
  for (const Packet& packet : packets) left.insert(&packet);
  for (const HkdfSecret& secret : secrets) {
    PacketKeys keys(secret);
    std::uint64_t largest = 0;
    for (const Packet& packet : packets) {
      auto one = keys.open(packet, kNumberAt, largest);
      if (!one || left.erase(&packet) == 0) continue;
      largest = std::max(largest, one->number);
      opened.push_back(std::move(one->frames));
    }
  }
  return opened;
}

// How many of the packets are opened by keys that are made of some exported secret, PSK or none,
// and two nonces, of either AEAD and direction.
std::size_t open_direct(const std::vector<Packet>& packets, const std::set<HkdfSecret>& exported,
                        const std::set<std::optional<PresharedKey>>& psks,
                        const std::set<Nonces>& nonces) {
  std::set<std::size_t> opened;
  const auto try_key = [&](AeadAlgorithm algorithm, const HkdfSecret& secret) {
    wire::DirectOpener opener(algorithm, secret);
    for (std::size_t i = 0; i < packets.size(); ++i) {
      Packet out(packets[i].size());
      if (opener.open(packets[i], out, Timestamp(), 1s)) opened.insert(i);
    }
  };
  for (const HkdfSecret& secret : exported) {
    for (const auto& psk : psks) {
      for (const auto& [client_nonce, server_nonce] : nonces) {
        for (const auto algorithm : {AeadAlgorithm::kChaCha20Poly1305, AeadAlgorithm::kAes256Gcm}) {
          const auto keys =
              wire::derive_direct_secrets(secret, psk, client_nonce, server_nonce, algorithm);
          try_key(algorithm, keys.client);
          try_key(algorithm, keys.server);
        }
      }
    }
  }
  return opened.size();
}

// The nonce of the request that is somewhere in these frames.
std::optional<HandshakeNonce> find_nonce(const std::vector<ByteVector>& packets) {
  for (const ByteVector& frames : packets) {
    for (std::size_t at = 0; at < frames.size(); ++at) {
      ByteReader reader(Bytes(frames).subspan(at));
      if (reader.byte() != 1) continue;  // HEADERS
      const Bytes section = reader.take(reader.varint());
      const auto fields = reader.is_short() ? std::nullopt : read_field_section(section);
      if (!fields) continue;
      quic::Message message;
      message.headers = *fields;
      if (message.header("authorization").empty()) continue;  // the answer
      const auto asked = wire::parse_session_request(message.header(wire::kSessionFieldName));
      if (asked) return asked->nonce;
    }
  }
  return std::nullopt;
}

struct Victim {
  const char* name;
  bool has_key;  // else a token
  bool has_psk;
};

void PrintTo(const Victim& victim, std::ostream* out) {
  *out << victim.name;
}

std::string name_of(const ::testing::TestParamInfo<Victim>& victim) {
  return victim.param.name;
}

class RelayWithAMemory : public Relay, public ::testing::WithParamInterface<Victim> {
 protected:
  RelayWithAMemory() : Relay(client_options()) {}

  static client::Identity identity() {
    if (!GetParam().has_key) return client::identity_of(kToken);
    client::Identity identity = device_identity();
    if (GetParam().has_psk) {
      identity.seed = kSealedDevice;
      identity.psk = kPsk;
      identity.needs_sealed = true;
    }
    return identity;
  }
  static client::Connector::Options client_options() {
    client::Connector::Options options{
        .token = std::string(kToken), .auth = Auth::kProof, .identity = identity()};
    options.caps.direct = options.caps.resume = true;
    options.client_id = "somebody's phone";
    options.platform = "linux";
    return options;
  }

  // What he sees of an attempt of the client's that goes to him, and of his own with that.
  Knowledge watch(const std::string& resume_token) {
    Knowledge known;
    const KeyLog log;
    client.connector.connect(client.tunnel(), {kClientAddress, kFace}, 100, world.now(),
                             resume_token);
    EXPECT_TRUE(world.run_until([&] { return face.last_stream != -1; }, 5s));
    seen = face.last_message;
    const auto auth = wire::parse_concealed_auth(seen.header("authorization"));
    const auto asked = wire::parse_session_request(seen.header(wire::kSessionFieldName));
    EXPECT_EQ(asked->resume_token, resume_token);
    EXPECT_EQ(pass_on(seen).status, 401);

    const auto context = wire::concealed_context(auth->key_id, auth->public_key, "localhost", 443);
    known.add(face.connection->exporter(), context);
    known.add(back.connection->exporter(), context);
    const client::Identity victim = identity();
    for (const Bytes bytes :
         {Bytes(auth->public_key), Bytes(auth->key_id), Bytes(auth->proof),
          Bytes(auth->verification), Bytes(asked->nonce), Bytes(victim.server_keys[0]),
          as_bytes(asked->resume_token), as_bytes(asked->name), as_bytes(asked->platform)}) {
      known.add(bytes);
    }
    for (const wire::DirectId& id : asked->direct_ids) known.add(id);
    known.nonces = {asked->nonce, {1}};
    EXPECT_NE(answer(forged(seen, {66}, identity().server_keys[0])), "a session");
    known.secrets.merge(log.secrets());
    client.ending.reset();
    world.run_for(1min);  // until his own connections are over
    return known;
  }

  tunnel::Session& server_session() { return **server.tunnel().sessions().begin(); }
  // A session without him, and what goes by.
  Capture capture() {
    std::vector<Packet> all;
    const LinkOptions tapped{.delay = 10ms, .passes = [&](Bytes payload) {
                               const Bytes packet = behind_long_headers(payload);
                               if (!packet.empty()) all.emplace_back(packet.begin(), packet.end());
                               return true;
                             }};
    set_links(tapped);
    EXPECT_TRUE(connect());
    for (int i = 0; i < 10; ++i) {
      client.inject(up(300), world.now());
      server.inject(down(300), world.now());
      world.run_for(50ms);
    }
    set_links({.delay = 10ms});
    EXPECT_TRUE(client.session().direct()->is_usable());
    EXPECT_EQ(server.delivered.size(), 10u);
    Capture captured;
    for (const Packet& packet : all) {
      const bool is_direct =
          is_direct_to(server_session(), packet) || is_direct_to(client.session(), packet);
      (is_direct ? captured.direct : captured.quic).push_back(packet);
    }
    return captured;
  }
  void end_session() {
    client.connector.abandon(client.tunnel(), world.now());
    world.run_for(1s);
    client.response.reset();
    client.delivered.clear();
    server.delivered.clear();
  }

  quic::Message seen;  // the request
};

TEST_P(RelayWithAMemory, OpensNoPacketOfASessionWithoutHim) {
  ASSERT_TRUE(connect());
  const std::string resume_token = client.response->resume_token;
  ASSERT_FALSE(resume_token.empty());
  end_session();
  const Knowledge known = watch(resume_token);
  ASSERT_GT(known.secrets.size(), 30u);
  const KeyLog log;
  const Capture captured = capture();
  ASSERT_GT(captured.quic.size(), 5u);
  ASSERT_GT(captured.direct.size(), 10u);

  // That the same functions open it all for whoever has the session's own secrets.
  const std::vector<ByteVector> content = open_quic(captured.quic, log.secrets());
  ASSERT_EQ(content.size(), captured.quic.size());
  const auto nonce = find_nonce(content);
  ASSERT_TRUE(nonce);
  const Nonces own = {*nonce, client.response->server_nonce};
  const wire::Exporter& exporter = connection_of(client.session()).exporter();
  ASSERT_EQ(open_direct(captured.direct, {exporter.derive(wire::kDirectExporterLabel2)},
                        {identity().psk}, {own}),
            captured.direct.size());

  // He knows other nonces; let him have the right ones as well.
  EXPECT_TRUE(open_quic(captured.quic, known.secrets).empty());
  std::set<std::optional<PresharedKey>> psks(known.secrets.begin(), known.secrets.end());
  psks.insert(std::nullopt);
  EXPECT_EQ(open_direct(captured.direct, known.secrets, psks, {own, known.nonces}), 0u);
}

TEST_P(RelayWithAMemory, GetsNoSessionByWhatHeHasSeen) {
  ASSERT_TRUE(connect());
  const std::string resume_token = client.response->resume_token;
  end_session();
  watch(resume_token);
  ASSERT_TRUE(connect());

  EXPECT_EQ(pass_on(seen).status, 401);
  // With a key of his own, on a connection of his own, and the client's resume token.
  connect_back();
  const wire::Ed25519Key own({66});
  const auto key_id = wire::key_id_of(own.public_key());
  wire::ConcealedExport exported;
  back.connection->exporter().derive(
      wire::kConcealedLabel, wire::concealed_context(key_id, own.public_key(), "localhost", 443),
      exported);
  for (auto& [name, value] : seen.headers) {
    if (name != "authorization") continue;
    value = wire::write_concealed_auth(wire::prove(own, key_id, exported));
  }
  EXPECT_EQ(ask(seen).status, 401);
  EXPECT_EQ(server.admission.sessions(), 1u);
  client.inject(up(300), world.now());
  world.run_for(200ms);
  EXPECT_EQ(server.delivered.size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Victims, RelayWithAMemory,
                         ::testing::Values(Victim{"Token", false, true},
                                           Victim{"Device", true, false},
                                           Victim{"SealedDevice", true, true}),
                         name_of);

}  // namespace
}  // namespace qdt::testing
