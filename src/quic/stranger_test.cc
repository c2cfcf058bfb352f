// A server and somebody without a session: how much he can make it do.

#include <gtest/gtest.h>

#include "quic/endpoint_fixture.h"

namespace qdt::quic {
namespace {

class StrangerTest : public EndpointTest {
 protected:
  StrangerTest() : EndpointTest({.strangers = {.max_connections = 4, .max_per_address = 3}}) {}

  std::optional<StreamId> ask(const std::string& body) {
    return client.connection->request({"POST", "localhost", "/", {}, body});
  }
  void answer_at_once() {
    server.answer = [this](Connection& connection, StreamId stream, const Message& message) {
      bodies.push_back(message.body.size());
      connection.respond(stream, {.status = 404, .body = "no"});
    };
  }
  std::vector<std::size_t> bodies;  // that the server was told of
};

TEST_F(StrangerTest, EndsTenSecondsAfterItsHandshake) {
  connect();
  ASSERT_TRUE(settle());
  EXPECT_EQ(server.endpoint.strangers().connections, 1u);
  EXPECT_GT(server.endpoint.strangers().bytes, 0u);
  world.run_for(9s);
  EXPECT_FALSE(client.closed);
  world.run_for(2s);
  ASSERT_TRUE(client.closed);
  EXPECT_EQ(client.closed->kind, CloseReason::Kind::kPeer);
  EXPECT_EQ(server.endpoint.connection_count(), 0u);
  EXPECT_EQ(server.endpoint.strangers().bytes, 0u);
  EXPECT_EQ(server.endpoint.strangers().out_of_time, 1u);
}

TEST_F(StrangerTest, EndsInTimeWhateverItAsks) {
  answer_at_once();
  connect();
  ASSERT_TRUE(settle());
  for (int i = 0; i < 20 && !client.closed; ++i) {
    ask("again");
    world.run_for(1s);
  }
  EXPECT_TRUE(client.closed);
  EXPECT_GT(bodies.size(), 5u);
}

TEST_F(StrangerTest, IsNoneWithASession) {
  open_session();
  EXPECT_EQ(server.endpoint.strangers().connections, 0u);
  EXPECT_EQ(server.endpoint.strangers().bytes, 0u);
  world.run_for(30s);
  EXPECT_FALSE(client.closed);
}

TEST_F(StrangerTest, HasOneRequestAtATime) {
  connect();
  ASSERT_TRUE(settle());
  StreamId waiting = -1;
  server.answer = [&](Connection&, StreamId stream, const Message&) { waiting = stream; };
  ASSERT_TRUE(ask("first"));
  EXPECT_FALSE(ask("second"));
  world.run_for(1s);
  EXPECT_FALSE(ask("second"));
  server.connection->respond(waiting, {.status = 404, .body = "no"});
  world.run_for(1s);
  EXPECT_TRUE(ask("second"));
}

TEST_F(StrangerTest, MayAskAgainAlthoughItNeverEndsARequest) {
  answer_at_once();
  connect();
  ASSERT_TRUE(settle());
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(ask("it has no end")) << i;
    world.run_for(100ms);
  }
  EXPECT_EQ(client.closed_streams, 5);
}

TEST_F(StrangerTest, SendsNoMoreThanARequest) {
  connect();
  ASSERT_TRUE(settle());
  ask(std::string(100'000, 'x'));
  world.run_for(5s);
  EXPECT_TRUE(server.last_message.is_too_long);
  EXPECT_EQ(server.last_message.body.size(), Message::kMaxRequestBodyBytes + 1);
  EXPECT_LT(server.connection->memory_bytes(), 48'000u);
}

TEST_F(StrangerTest, NothingIsCollectedBehindTheAnswer) {
  answer_at_once();
  connect();
  ASSERT_TRUE(settle());
  ask(std::string(100'000, 'x'));
  world.run_for(1s);
  EXPECT_EQ(bodies, std::vector<std::size_t>{0});
  EXPECT_EQ(client.last_message.status, 404);
}

TEST_F(StrangerTest, HeadersAreBounded) {
  connect();
  ASSERT_TRUE(settle());
  HeaderFields many;
  for (int i = 0; i < 200; ++i) many.emplace_back("x", "");
  client.connection->request({"GET", "localhost", "/", many, ""});
  world.run_for(1s);
  EXPECT_TRUE(server.last_message.is_too_long);
  EXPECT_LE(server.last_message.headers.size(), Message::kMaxRequestHeaderBytes / 32);
}

TEST_F(StrangerTest, TheOldestOfAnAddressGivesWayToTheNewest) {
  for (int i = 0; i < 6; ++i) {
    connect();
    ASSERT_TRUE(settle());
    world.run_for(1s);
    server.connection = nullptr;
  }
  EXPECT_EQ(server.endpoint.connection_count(), 3u);
  EXPECT_EQ(server.endpoint.strangers().gave_way, 3u);
  EXPECT_EQ(client.endpoint.connection_count(), 3u);  // the others were told
}

class OnePlaceTest : public EndpointTest {
 protected:
  OnePlaceTest()
      : EndpointTest(
            {.strangers = {
                 .max_connections = 1, .max_per_address = 1, .least_turn = {}, .most_turn = {}}}) {
    world.attach(kOther, other, {.delay = 10ms});
  }
  void connect_other() {
    other.endpoint.connect(testing::test_client_tls(), "localhost", {kOther, kServer}, world.now());
  }

  static constexpr SocketAddress kOther{IpAddress::v4(0x0a000003), 50000};
  Node other{{}, nullptr, 4};
};

TEST_F(OnePlaceTest, GoesToASiteWithNoneInTheMiddleOfAHandshake) {
  connect();
  world.run_for(15ms);
  ASSERT_EQ(server.endpoint.connection_count(), 1u);
  connect_other();
  world.run_for(1s);
  EXPECT_TRUE(other.connection);
  ASSERT_TRUE(client.closed);
  EXPECT_EQ(client.closed->kind, CloseReason::Kind::kTurnedAway);
}

TEST_F(OnePlaceTest, IsGivenUpInOrderBehindTheHandshake) {
  connect();
  ASSERT_TRUE(settle());
  connect_other();
  world.run_for(1s);
  ASSERT_TRUE(client.closed);
  EXPECT_EQ(client.closed->kind, CloseReason::Kind::kPeer);
  EXPECT_TRUE(client.closed->is_orderly);
}

TEST_F(StrangerTest, ASessionGivesWayToNobody) {
  open_session();
  Connection* session = client.connection;
  for (int i = 0; i < 6; ++i) {
    connect();
    world.run_for(1s);
  }
  EXPECT_EQ(server.endpoint.connection_count(), 4u);
  EXPECT_FALSE(session->is_closed());
}

}  // namespace
}  // namespace qdt::quic
