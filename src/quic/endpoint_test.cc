#include "quic/endpoint.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "base/mix.h"
#include "quic/endpoint_fixture.h"
#include "quic/small_initial.h"
#include "wire/varint.h"

namespace qdt::quic {
namespace {

TEST_F(EndpointTest, CompletesAHandshake) {
  connect();
  EXPECT_TRUE(settle());
  EXPECT_TRUE(client.connection->accepts_datagrams());
  EXPECT_TRUE(server.connection->accepts_datagrams());
}

TEST_F(EndpointTest, CarriesARequestAndAnAnswer) {
  connect();
  ASSERT_TRUE(settle());
  server.answer = [](Connection& connection, StreamId stream, const Message& message) {
    if (message.body != "question") return;
    connection.respond(stream, {.status = 404, .headers = {{"x-test", "1"}}, .body = "answer"});
  };
  client.connection->request({"POST", "localhost", "/there", {{"x-qdt-token", "t"}}, "question"});
  ASSERT_TRUE(world.run_until([&] { return client.last_message.has_ended; }, 1s));
  EXPECT_EQ(server.last_message.method, "POST");
  EXPECT_EQ(server.last_message.path, "/there");
  EXPECT_EQ(server.last_message.header("x-qdt-token"), "t");
  EXPECT_EQ(client.last_message.status, 404);
  EXPECT_EQ(client.last_message.body, "answer");
  EXPECT_EQ(client.last_message.header("x-test"), "1");
}

TEST_F(EndpointTest, KeepsASessionsStreamOpen) {
  open_session();
  world.run_for(5s);
  EXPECT_FALSE(client.last_message.has_ended);
  EXPECT_FALSE(server.last_message.has_ended);
  EXPECT_EQ(client.closed_streams, 0);
}

TEST_F(EndpointTest, CarriesDatagramsOfTheSessionsStream) {
  open_session();
  client.datagrams.push_back(std::string("\0up", 3));
  server.datagrams.push_back(std::string("\0down", 5));
  world.run_for(1s);
  EXPECT_EQ(server.received, std::vector<std::string>{"up"});
  EXPECT_EQ(client.received, std::vector<std::string>{"down"});
}

TEST_F(EndpointTest, CarriesDatagramsOnUnderNewKeys) {
  open_session();
  int updates = 0;
  for (std::size_t round = 1; round <= 9; ++round) {
    world.run_for(1s);
    client.datagrams.assign(10, std::string("\0up", 3));
    server.datagrams.assign(10, std::string("\0down", 5));
    ASSERT_TRUE(world.run_until(
        [&] { return server.received.size() + client.received.size() == 20 * round; }, 1s));
    // The next update has to wait until the last one is confirmed.
    Node& node = round < 5 ? client : server;
    if (node.connection->update_keys(world.now())) ++updates;
  }
  EXPECT_GE(updates, 4);
  EXPECT_FALSE(client.closed);
}

TEST_F(EndpointTest, DropsDatagramsOfOtherStreams) {
  open_session();
  client.datagrams.push_back("\x01stray");
  client.datagrams.push_back("\xff");  // a varint cut short
  world.run_for(1s);
  EXPECT_TRUE(server.received.empty());
  EXPECT_EQ(server.drops.value(Drop::kNoSession), 2u);
}

TEST_F(EndpointTest, GrowsItsDatagramsToThePath) {
  connect();
  ASSERT_TRUE(settle());
  EXPECT_LT(client.connection->max_datagram_bytes(), 1200u);
  world.run_for(3s);
  EXPECT_GE(client.connection->max_datagram_bytes(), 1430u);
  EXPECT_GE(server.connection->max_datagram_bytes(), 1430u);
}

TEST_F(EndpointTest, FindsASmallerPath) {
  world.set_link(kClient, {.delay = 10ms, .max_payload_bytes = 1400});
  world.set_link(kServer, {.delay = 10ms, .max_payload_bytes = 1400});
  open_session();
  world.run_for(10s);
  EXPECT_GE(client.connection->max_datagram_bytes(), 1340u);
  EXPECT_LE(client.connection->max_datagram_bytes(), 1392u);
}

TEST_F(EndpointTest, SaysSoWhenADatagramIsTooBig) {
  open_session();
  UdpSendQueue out(4);
  const std::string big(2000, 'x');
  EXPECT_EQ(send_datagram(*client.connection, as_bytes(big), out, world.now()),
            Connection::SendStatus::kTooBig);
}

TEST_F(EndpointTest, KeepsADatagramThatHasNoRoom) {
  open_session();
  UdpSendQueue out(1);
  EXPECT_EQ(send_datagram(*client.connection, as_bytes("0"), out, world.now()),
            Connection::SendStatus::kSent);
  EXPECT_EQ(send_datagram(*client.connection, as_bytes("0"), out, world.now()),
            Connection::SendStatus::kFull);
}

TEST_F(EndpointTest, TellsThePeerWhyItCloses) {
  open_session();
  server.endpoint.close_all("maintenance", world.now());
  world.run_for(1s);
  ASSERT_TRUE(client.closed);
  EXPECT_EQ(client.closed->kind, CloseReason::Kind::kPeer);
  EXPECT_EQ(client.closed->text, "maintenance");
  EXPECT_EQ(server.closed->kind, CloseReason::Kind::kLocal);
}

TEST_F(EndpointTest, ForgetsAClosedConnection) {
  open_session();
  client.endpoint.close_all("bye", world.now());
  world.run_for(5s);
  EXPECT_EQ(client.endpoint.connection_count(), 0u);
  EXPECT_EQ(server.endpoint.connection_count(), 0u);
}

TEST_F(EndpointTest, EndsASilentConnectionAfterItsIdleTimeout) {
  open_session();
  world.set_link(kClient, {.loss = 1});
  world.set_link(kServer, {.loss = 1});
  world.run_for(29s);
  EXPECT_FALSE(client.closed);
  world.run_for(3s);
  ASSERT_TRUE(client.closed);
  EXPECT_EQ(client.closed->kind, CloseReason::Kind::kIdle);
  EXPECT_EQ(server.endpoint.connection_count(), 0u);
}

TEST_F(EndpointTest, GivesUpAHandshakeThatIsNotAnswered) {
  world.set_link(kClient, {.loss = 1});
  connect();
  world.run_for(19s);
  EXPECT_FALSE(client.closed);
  world.run_for(2s);
  ASSERT_TRUE(client.closed);
  EXPECT_EQ(client.closed->kind, CloseReason::Kind::kNoAnswer);
}

// To a client's first packet, as anybody on the path can write it (RFC 9000 section 17.2.1).
std::vector<std::uint8_t> forged_version_negotiation(Bytes initial) {
  const std::size_t to = 6, to_bytes = initial[5], from = to + to_bytes + 1;
  const Bytes ids = initial.subspan(5, 1 + to_bytes + 1 + initial[from - 1]);
  std::vector<std::uint8_t> packet{0xc0, 0, 0, 0, 0};
  packet.insert(packet.end(), ids.begin() + 1 + to_bytes, ids.end());
  packet.insert(packet.end(), ids.begin(), ids.begin() + 1 + to_bytes);
  packet.insert(packet.end(), {0x1a, 0x2a, 0x3a, 0x4a});
  return packet;
}

TEST_F(EndpointTest, TellsAnotherVersionFromABrokenRule) {
  UdpSendQueue out(4);
  connect();
  (void)client.endpoint.write(out, world.now());
  const auto forged = forged_version_negotiation(out.bursts()[0].bytes);
  client.endpoint.receive({kClient, kServer}, Ecn::kNotEct, forged, out, world.now());
  ASSERT_TRUE(client.closed);
  EXPECT_EQ(client.closed->kind, CloseReason::Kind::kOtherVersion);
}

TEST_F(EndpointTest, DisregardsAnotherVersionOnceTheServerWasHeard) {
  UdpSendQueue out(4);
  connect();
  (void)client.endpoint.write(out, world.now());
  const auto forged = forged_version_negotiation(out.bursts()[0].bytes);
  ASSERT_TRUE(settle());
  client.endpoint.receive({kClient, kServer}, Ecn::kNotEct, forged, out, world.now());
  EXPECT_FALSE(client.closed);
}

TEST_F(EndpointTest, RefusesACertificateItWasNotPointedTo) {
  Fingerprint other{};
  connect(*TlsClientContext::with_fingerprint(other));
  world.run_for(2s);
  ASSERT_TRUE(client.closed);
  EXPECT_EQ(client.closed->kind, CloseReason::Kind::kUntrusted);
  EXPECT_NE(client.closed->text.find("tls_fingerprint"), std::string::npos);
}

TEST_F(EndpointTest, RefusesACertificateThatNoAuthorityVouchesFor) {
  const auto tls = TlsClientContext::with_system_trust();
  ASSERT_TRUE(tls) << tls.error().message;
  connect(*tls);
  world.run_for(2s);
  ASSERT_TRUE(client.closed);
  EXPECT_EQ(client.closed->kind, CloseReason::Kind::kUntrusted);
}

TEST_F(EndpointTest, CompletesOverALossyLink) {
  const LinkOptions lossy{
      .delay = 20ms, .loss = 0.2, .duplicates = 0.1, .reordered = 0.2, .reorder_delay = 30ms};
  world.set_link(kClient, lossy);
  world.set_link(kServer, lossy);
  connect();
  EXPECT_TRUE(settle(10s));
}

TEST_F(EndpointTest, AnswersAStrayPacketWithAReset) {
  open_session();
  // A server that was restarted: the same secret, none of the connections.
  Node restarted({}, &testing::test_server_tls(), 9);
  world.attach(kServer, restarted, {.delay = 10ms});
  client.datagrams.push_back(std::string(101, '\0'));
  world.run_for(2s);
  ASSERT_TRUE(client.closed);
  EXPECT_EQ(client.closed->kind, CloseReason::Kind::kReset);
  EXPECT_GE(restarted.drops.value(Drop::kUnknownConnection), 1u);
}

// The lengths of what a server answers to payloads of `bytes` that nobody knows.
std::set<std::size_t> reset_lengths(Node& server, std::size_t bytes, int count) {
  std::set<std::size_t> lengths;
  std::vector<std::uint8_t> payload(bytes, 0x43);
  for (int i = 0; i < count; ++i) {
    UdpSendQueue out(4);
    const Timestamp now = Timestamp(1s) + i * 1s;
    server.endpoint.receive({kServer, kClient}, Ecn::kNotEct, payload, out, now);
    if (!out.empty()) lengths.insert(out.bursts()[0].bytes.size());
  }
  return lengths;
}

TEST_F(EndpointTest, VariesTheLengthOfItsResets) {
  const auto lengths = reset_lengths(server, 300, 200);
  EXPECT_GT(lengths.size(), 50u);
  EXPECT_GE(*lengths.begin(), 43u);
  EXPECT_LT(*lengths.rbegin(), 300u);
}

TEST_F(EndpointTest, AnswersNothingWithAsMuch) {
  EXPECT_TRUE(reset_lengths(server, 21, 10).empty());
  EXPECT_EQ(reset_lengths(server, 22, 10), std::set<std::size_t>{21});
  EXPECT_EQ(reset_lengths(server, 43, 10), std::set<std::size_t>{42});
}

TEST_F(EndpointTest, ResetsWhatIsLongerThanItsOwnPayloads) {
  for (const std::size_t bytes : {1472u, 1473u, 1474u, 9000u, 65507u}) {
    const auto lengths = reset_lengths(server, bytes, 20);
    EXPECT_GT(lengths.size(), 10u);
    EXPECT_LE(*lengths.rbegin(), 1200u);
  }
}

TEST_F(EndpointTest, AnswersAHundredStrangersASecond) {
  UdpSendQueue out(256);
  const std::vector<std::uint8_t> payload(60, 0x43);
  std::array<std::uint8_t, kSmallInitialBytes> initial;
  write_small_initial(new_connection_id(world.random(), 0, 1), ConnectionId(), 1, initial);
  for (int i = 0; i < 100; ++i) {
    server.endpoint.receive({kServer, kClient}, Ecn::kNotEct, payload, out, world.now());
    server.endpoint.receive({kServer, kClient}, Ecn::kNotEct, initial, out, world.now());
  }
  std::size_t bytes = 0;
  for (const UdpBurst& burst : out.bursts()) bytes += burst.bytes.size();
  EXPECT_LT(bytes, 100 * kSmallInitialBytes);
  EXPECT_EQ(server.endpoint.connection_count(), 0u);
}

TEST_F(EndpointTest, FindsThatThePathCarriesSmallPayloadsOnly) {
  const LinkOptions narrow{.delay = 10ms, .max_payload_bytes = 1000};
  world.set_link(kClient, narrow);
  world.set_link(kServer, narrow);
  connect();
  world.run_for(1s);
  UdpSendQueue out(4);
  client.endpoint.ask_small(*client.connection, out);
  const Bytes question = out.bursts()[0].bytes;
  UdpSendQueue answers(4);
  server.endpoint.receive({kServer, kClient}, Ecn::kNotEct, question, answers, world.now());
  ASSERT_FALSE(answers.empty());
  client.endpoint.receive({kClient, kServer}, Ecn::kNotEct, answers.bursts()[0].bytes, out,
                          world.now());
  EXPECT_TRUE(client.connection->is_path_too_narrow());
  world.set_link(kClient, {.delay = 10ms});
  world.set_link(kServer, {.delay = 10ms});
  EXPECT_TRUE(settle()) << "the answer ends nothing";
}

TEST_F(EndpointTest, CountsWhatIsNotQuic) {
  UdpSendQueue out(4);
  const std::array<std::uint8_t, 4> garbage = {0xc0, 1, 2, 3};
  server.endpoint.receive({kServer, kClient}, Ecn::kNotEct, garbage, out, world.now());
  server.endpoint.receive({kServer, kClient}, Ecn::kNotEct, {}, out, world.now());
  EXPECT_EQ(server.drops.value(Drop::kNotQuic), 2u);
  EXPECT_TRUE(out.empty());
}

TEST_F(EndpointTest, OffersItsVersionToAClientOfAnother) {
  for (const std::uint32_t version : {0x1a2a3a4au, 0x6b3343cfu}) {  // nobody's, and version 2
    UdpSendQueue out(4);
    std::vector<std::uint8_t> initial(1200);
    initial[0] = 0xc0;
    store_be<std::uint32_t>(&initial[1], version);
    initial[5] = 8;
    server.endpoint.receive({kServer, kClient}, Ecn::kNotEct, initial, out, world.now());
    ASSERT_FALSE(out.empty()) << version;
    const Bytes answer = out.bursts()[0].bytes;
    EXPECT_EQ(load_be<std::uint32_t>(&answer[1]), 0u);
    EXPECT_EQ(load_be<std::uint32_t>(&answer[answer.size() - 4]), 1u);
  }
}

TEST_F(EndpointTest, IgnoresAShortPacketOfAnotherVersion) {
  UdpSendQueue out(4);
  std::vector<std::uint8_t> initial(1199);
  initial[0] = 0xc0;
  store_be<std::uint32_t>(&initial[1], 0x1a2a3a4a);
  initial[5] = 8;
  server.endpoint.receive({kServer, kClient}, Ecn::kNotEct, initial, out, world.now());
  EXPECT_TRUE(out.empty());
}

class RetryTest : public EndpointTest {
 protected:
  RetryTest() : EndpointTest({.half_open_before_retry = 0}) {}
};

TEST_F(RetryTest, LetsAClientProveItsAddress) {
  connect();
  EXPECT_TRUE(settle());
}

// A payload that a client sent, again.
class RetryReplayTest : public RetryTest {
 protected:
  // The client's packets.
  void keep_payloads() {
    world.set_link(kClient, {.delay = 10ms, .passes = [this](Bytes payload) {
                               sent.emplace_back(payload.begin(), payload.end());
                               return true;
                             }});
  }
  // The answers to a payload from there.
  std::size_t answers_to(const std::vector<std::uint8_t>& payload) {
    UdpSendQueue out(4);
    server.endpoint.receive({kServer, kClient}, Ecn::kNotEct, payload, out, world.now());
    return out.bursts().size();
  }
  // The first Initial with a token: version, two IDs of 8 to 18 bytes, its length.
  const std::vector<std::uint8_t>& with_token() const {
    return *std::ranges::find_if(sent, [](const std::vector<std::uint8_t>& payload) {
      const std::size_t source = 6 + payload[5];
      return (payload[0] & 0xf0) == 0xc0 && payload[source + 1 + payload[source]] != 0;
    });
  }
  std::vector<std::vector<std::uint8_t>> sent;
};

TEST_F(RetryReplayTest, ATokenCountsOnce) {
  keep_payloads();
  connect();
  ASSERT_TRUE(settle());
  client.endpoint.close_all("done", world.now());
  world.run_for(5s);
  ASSERT_EQ(server.endpoint.connection_count(), 0u);
  EXPECT_EQ(answers_to(with_token()), 1u) << "it is no good any more";
  EXPECT_EQ(server.endpoint.connection_count(), 0u);
}

TEST_F(RetryReplayTest, AFewAreToldSo) {
  keep_payloads();
  connect();
  ASSERT_TRUE(settle());
  client.endpoint.close_all("done", world.now());
  world.run_for(5s);
  std::size_t answers = 0;
  for (int i = 0; i < 1000; ++i) answers += answers_to(with_token());
  EXPECT_GT(answers, 0u);
  EXPECT_LE(answers, 20u);
}

TEST_F(RetryTest, KeepsNothingForAForgedAddress) {
  connect();
  world.set_link(kServer, {.loss = 1});
  world.run_for(5s);
  EXPECT_EQ(server.endpoint.connection_count(), 0u);
}

// First packets from everywhere, each from another address and port with another ID.
class RetryFloodTest : public RetryTest {
 protected:
  static constexpr std::uint32_t kPackets = 50'000;

  // The answers to one of them.
  std::size_t throw_packet(std::uint32_t number) {
    // A first packet with an ID of 8 bytes, none of its own and no token; what is sealed is noise.
    std::vector<std::uint8_t> payload(1200, 0x55);
    constexpr std::array<std::uint8_t, 6> kHead = {0xc0, 0, 0, 0, 1, 8};
    constexpr std::array<std::uint8_t, 4> kRest = {0, 0, 0x44, 0x9e};  // 1182 bytes follow
    append(payload, kHead);
    store_be<std::uint64_t>(&payload[6], mix(number));
    append(std::span(payload).subspan(14), kRest);
    const SocketAddress from{IpAddress::v4(0x2d000000 + number * 7), 443};
    UdpSendQueue out(4);
    server.endpoint.receive({kServer, from}, Ecn::kNotEct, payload, out, world.now());
    return out.bursts().size();
  }
  // The answers to all, at the same moment. `first`: the number of the first.
  std::size_t flood(std::uint32_t first = 0) {
    std::size_t answers = 0;
    for (std::uint32_t i = 0; i < kPackets; ++i) answers += throw_packet(first + i);
    return answers;
  }
};

TEST_F(RetryFloodTest, IsAnsweredInPart) {
  const std::size_t answers = flood();
  EXPECT_GE(answers, 8000u);
  EXPECT_LE(answers, 8000u + SourceLimit::kGroups + kPackets / 20);
}

TEST_F(RetryFloodTest, IsAnsweredStillMoreRarelyWhenItGoesOn) {
  flood();
  world.run_for(1s);
  EXPECT_LE(flood(kPackets), 1000u + SourceLimit::kGroups + kPackets / 20);
}

TEST_F(RetryFloodTest, WhoComesAgainIsAnswered) {
  flood();
  EXPECT_EQ(throw_packet(kPackets - 1), 1u);
}

TEST_F(RetryFloodTest, AClientComesInWithItsSecondPacket) {
  std::size_t sent = 0;
  world.set_link(kClient, {.passes = [&](Bytes) {
                   ++sent;
                   flood();  // right before it arrives
                   return true;
                 }});
  connect();
  EXPECT_TRUE(world.run_until([&] { return server.endpoint.connection_count() == 1; }, 500ms));
  EXPECT_EQ(sent, 3u) << "twice without a token, once with";
}

class ShardTest : public EndpointTest {
 protected:
  explicit ShardTest(std::size_t half_open_before_retry = 64)
      : EndpointTest(
            {.shard = 2, .shard_count = 5, .half_open_before_retry = half_open_before_retry}) {}

  // From the moment on when it knows the server's own IDs.
  void expect_client_stays() {
    open_session();
    server.shards.clear();
    client.datagrams.push_back(std::string("\0up", 3));
    world.run_for(5s);
    EXPECT_EQ(server.received, std::vector<std::string>{"up"});
    EXPECT_EQ(server.shards, std::set<std::size_t>{2});
  }
};

TEST_F(ShardTest, KeepsAClientThatCame) {
  expect_client_stays();
}

class RetryShardTest : public ShardTest {
 protected:
  RetryShardTest() : ShardTest(0) {}
};

TEST_F(RetryShardTest, KeepsAClientThatWasAskedToComeAgain) {
  expect_client_stays();
}

TEST(ConnectionId, BelongsToTheShardThatMadeIt) {
  SeededRandom random(5);
  for (std::size_t shards : {1u, 2u, 3u, 4u, 7u, 64u}) {
    for (std::size_t shard = 0; shard < shards; ++shard) {
      for (int i = 0; i < 100; ++i) {
        const ConnectionId id = new_connection_id(random, shard, shards);
        ASSERT_EQ(shard_of(id.bytes()[0], shards), shard);
      }
    }
  }
}

TEST_F(EndpointTest, KnowsTheShardOfAPayload) {
  Node four({.shard = 1, .shard_count = 4}, nullptr, 1);
  const std::array<std::uint8_t, 3> short_header = {0x40, 6, 0};
  EXPECT_EQ(four.endpoint.shard_of_payload(short_header), 2u);
  const std::array<std::uint8_t, 8> long_header = {0xc0, 0, 0, 0, 1, 8, 7, 0};
  EXPECT_EQ(four.endpoint.shard_of_payload(long_header), 3u);
  EXPECT_EQ(four.endpoint.shard_of_payload({}), 1u);
}

TEST_F(EndpointTest, FreesAClosedConnectionAtOnce) {
  open_session();
  client.endpoint.close_all("done", world.now());
  world.run_for(11ms);
  EXPECT_EQ(server.endpoint.connection_count(), 0u);
  EXPECT_EQ(server.endpoint.farewell_count(), 1u) << "its late packets are known for a while";
  world.run_for(5s);
  EXPECT_EQ(server.endpoint.farewell_count(), 0u);
  EXPECT_EQ(server.endpoint.next_timeout(), kNever);
}

TEST_F(EndpointTest, KeepsNoMoreHoweverManyAreOpenedAndClosed) {
  for (int i = 0; i < 300; ++i) {
    open_session();
    server.endpoint.close_all("done", world.now());
    world.run_for(1ms);
    ASSERT_EQ(server.endpoint.connection_count(), 0u);
    ASSERT_LE(server.endpoint.farewell_count(), Farewells::kMaxFarewells);
    world.run_for(30ms);
    client.last_message = {};
  }
}

// Its peer has not heard of the end.
TEST_F(EndpointTest, SaysAgainThatAConnectionHasEnded) {
  open_session();
  world.set_link(kServer, {.loss = 1});
  server.endpoint.close_all("done", world.now());
  world.run_for(20ms);
  world.set_link(kServer, {.delay = 10ms});
  EXPECT_FALSE(client.closed);
  client.datagrams.push_back(std::string("\0up", 3));
  world.run_for(50ms);
  ASSERT_TRUE(client.closed);
  EXPECT_EQ(client.closed->text, "done");
}

TEST_F(EndpointTest, ForgetsAClosedConnectionSoonHoweverLateItsPeerAnswers) {
  open_session();
  // A round trip of 24 s: three probe timeouts would be more than three minutes.
  world.set_link(kServer, {.delay = 12s});
  world.set_link(kClient, {.delay = 12s});
  client.datagrams.assign(4, "late");
  world.run_for(28s);
  client.endpoint.close_all("done", world.now());
  world.run_for(1ms);
  EXPECT_EQ(client.endpoint.connection_count(), 0u);
  EXPECT_EQ(client.endpoint.farewell_count(), 1u);
  world.run_for(30s);
  EXPECT_EQ(client.endpoint.farewell_count(), 0u);
}

}  // namespace
}  // namespace qdt::quic
