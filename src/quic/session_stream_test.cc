// The stream of an extended CONNECT, which carries bytes both ways as long as a session lives.

#include <gtest/gtest.h>

#include "quic/endpoint_fixture.h"

namespace qdt::quic {
namespace {

constexpr std::uint64_t kMessageError = 0x10e;  // H3_MESSAGE_ERROR, RFC 9114 section 8.1

std::vector<std::uint8_t> bytes(std::string_view text) {
  return {text.begin(), text.end()};
}

// So that a byte in the wrong place shows.
std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& letter : text) {
    state = state * 1664525 + 1013904223;
    letter = static_cast<char>('a' + (state >> 16) % 26);
  }
  return text;
}

class SessionStreamTest : public EndpointTest {
 protected:
  SessionStreamTest() : EndpointTest({.connection = {.takes_extended_connect = true}}) {}

  void ask() {
    connect();
    ASSERT_TRUE(settle());
    const auto asked = client.connection->request(
        {.method = "CONNECT", .authority = "localhost", .path = "/ip", .protocol = "connect-ip"});
    ASSERT_TRUE(asked);
    stream = *asked;
  }
  static bool accept(Connection& connection, StreamId stream) {
    return connection.respond(stream, {.status = 200, .keeps_stream_open = true});
  }
  void open() {
    server.answer = [](Connection& connection, StreamId id, const Message& message) {
      if (!message.has_ended) accept(connection, id);
    };
    ask();
    ASSERT_TRUE(world.run_until([&] { return client.last_message.status == 200; }, 1s));
    server.answer = nullptr;
  }
  // From `from` to the other side, as fast as send() allows.
  void stream_to(Node& from, const Node& to, const std::string& text) {
    std::size_t sent = 0;
    const auto feed = [&] {
      if (from.connection == nullptr) return true;  // it has failed
      const std::string piece = text.substr(sent, 5000);
      if (!piece.empty() && from.connection->send(stream, bytes(piece))) sent += piece.size();
      return to.stream_bytes.size() >= text.size();
    };
    EXPECT_TRUE(world.run_until(feed, 60s));
    EXPECT_TRUE(to.stream_bytes == text);
  }

  StreamId stream = -1;
};

TEST_F(SessionStreamTest, BeginsWithARequestThatNamesTheProtocol) {
  ask();
  EXPECT_EQ(client.took_extended_connect, true);
  world.run_for(1s);
  EXPECT_TRUE(server.last_message.is_extended_connect());
  EXPECT_EQ(server.last_message.protocol, "connect-ip");
  EXPECT_EQ(server.last_message.scheme, "https");
  EXPECT_EQ(server.last_message.authority, "localhost");
  EXPECT_EQ(server.last_message.path, "/ip");
  EXPECT_FALSE(server.last_message.has_ended);
}

TEST_F(SessionStreamTest, CarriesBytesBothWaysForAsLongAsItIsOpen) {
  open();
  EXPECT_FALSE(server.connection->is_stranger());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.connection->send(stream, bytes("ping ")));
    ASSERT_TRUE(server.connection->send(stream, bytes("pong ")));
    world.run_for(20s);
  }
  EXPECT_EQ(server.stream_bytes, "ping ping ping ");
  EXPECT_EQ(client.stream_bytes, "pong pong pong ");
  EXPECT_EQ(server.last_message.body + client.last_message.body, "");
}

// The server's window for a request is 8 KiB, the client's 128.
TEST_F(SessionStreamTest, CarriesAMegabyteEachWay) {
  open();
  const std::string text = pattern(1 << 20);
  stream_to(client, server, text);
  stream_to(server, client, text);
}

TEST_F(SessionStreamTest, HoldsNoMoreAfterAMonthOfBytes) {
  open();
  const auto talk = [&] {
    for (int i = 0; i < 2000; ++i) {
      EXPECT_TRUE(client.connection->send(stream, bytes("a capsule")));
      EXPECT_TRUE(server.connection->send(stream, bytes("another")));
      world.run_for(50ms);
    }
  };
  talk();
  const std::size_t server_bytes = server.connection->memory_bytes();
  const std::size_t client_bytes = client.connection->memory_bytes();
  talk();
  EXPECT_LE(server.connection->memory_bytes(), server_bytes + 1024);
  EXPECT_LE(client.connection->memory_bytes(), client_bytes + 1024);
  EXPECT_EQ(server.stream_bytes.size(), 4000 * std::string("a capsule").size());
}

// In the payload of the request, whose answer is given from within the event.
TEST_F(SessionStreamTest, BytesRightBehindTheRequestComeBehindTheAnswer) {
  server.answer = [&](Connection& connection, StreamId id, const Message&) {
    EXPECT_TRUE(accept(connection, id));
    EXPECT_EQ(server.stream_bytes, "");
  };
  ask();
  ASSERT_TRUE(client.connection->send(stream, bytes("early")));
  world.run_for(1s);
  EXPECT_EQ(server.stream_bytes, "early");
  EXPECT_EQ(server.last_message.body, "");
}

TEST_F(SessionStreamTest, BytesBeforeALateAnswerComeBehindIt) {
  ask();
  ASSERT_TRUE(client.connection->send(stream, bytes("early ")));
  world.run_for(1s);
  EXPECT_EQ(server.last_message.body, "early ");
  ASSERT_TRUE(accept(*server.connection, stream));
  EXPECT_EQ(server.stream_bytes, "") << "not from within respond()";
  ASSERT_TRUE(client.connection->send(stream, bytes("late")));
  world.run_for(1s);
  EXPECT_EQ(server.stream_bytes, "early late");
}

TEST_F(SessionStreamTest, StaysClosedWhereEarlyBytesAreLost) {
  ask();
  ASSERT_TRUE(client.connection->send(stream, bytes(pattern(6000))));
  world.run_for(1s);
  EXPECT_TRUE(server.last_message.is_too_long);
  EXPECT_FALSE(accept(*server.connection, stream));
  EXPECT_TRUE(server.connection->is_stranger());
  EXPECT_TRUE(server.connection->respond(stream, {.status = 400, .body = "too much"}));
  world.run_for(1s);
  EXPECT_EQ(client.last_message.status, 400);
  EXPECT_EQ(client.last_message.body, "too much");
}

TEST_F(SessionStreamTest, AStrangersWindowIsOneRequest) {
  ask();
  ASSERT_TRUE(client.connection->send(stream, bytes(pattern(60'000))));
  world.run_for(5s);
  EXPECT_EQ(server.last_message.body.size(), Message::kMaxRequestBodyBytes + 1);
  EXPECT_LT(server.connection->memory_bytes(), 48'000u);
  // The rest waits for a window that never comes.
  EXPECT_FALSE(client.connection->send(stream, bytes(pattern(20'000))));
}

TEST_F(SessionStreamTest, TheEndComesBehindAllBytes) {
  open();
  bool has_ended = false;
  server.answer = [&](Connection&, StreamId, const Message& message) {
    has_ended = message.has_ended;
    EXPECT_EQ(server.stream_bytes.size(), 50'000u);
  };
  ASSERT_TRUE(client.connection->send(stream, bytes(pattern(50'000))));
  client.connection->finish(stream);
  EXPECT_FALSE(client.connection->send(stream, bytes("more")));
  world.run_for(2s);
  EXPECT_TRUE(has_ended);
  EXPECT_EQ(client.closed_streams, 0);
  server.connection->finish(stream);
  world.run_for(1s);
  EXPECT_TRUE(client.last_message.has_ended);
  EXPECT_EQ(client.closed_streams, 1);
  EXPECT_EQ(server.closed_streams, 1);
}

TEST_F(SessionStreamTest, AnEndBeforeTheAnswerIsToldAgain) {
  ask();
  ASSERT_TRUE(client.connection->send(stream, bytes("all")));
  client.connection->finish(stream);
  world.run_for(1s);
  ASSERT_TRUE(server.last_message.has_ended);
  std::string seen;
  server.answer = [&](Connection&, StreamId, const Message& message) {
    EXPECT_TRUE(message.has_ended);
    seen += "end of " + server.stream_bytes;
  };
  ASSERT_TRUE(accept(*server.connection, stream));
  world.run_for(1s);
  EXPECT_EQ(seen, "end of all");
}

TEST_F(SessionStreamTest, ARefusalHasABodyAsEver) {
  server.answer = [](Connection& connection, StreamId id, const Message&) {
    connection.respond(id, {.status = 503, .body = "server busy"});
  };
  ask();
  ASSERT_TRUE(client.connection->send(stream, bytes("early")));
  world.run_for(1s);
  EXPECT_EQ(client.last_message.status, 503);
  EXPECT_EQ(client.last_message.body, "server busy");
  EXPECT_TRUE(client.last_message.has_ended);
  EXPECT_EQ(client.stream_bytes + server.stream_bytes, "");
  EXPECT_EQ(client.closed_streams, 1);
  EXPECT_TRUE(server.connection->is_stranger());
}

TEST_F(SessionStreamTest, NoMoreThan64KibWaitForAnAcknowledgement) {
  open();
  EXPECT_TRUE(client.connection->send(stream, bytes(pattern(OutgoingBytes::kMaxBytes))));
  EXPECT_FALSE(client.connection->send(stream, bytes("x")));
  world.run_for(5s);
  EXPECT_EQ(server.stream_bytes.size(), OutgoingBytes::kMaxBytes);
  EXPECT_TRUE(client.connection->send(stream, bytes("x")));
  EXPECT_FALSE(client.connection->send(stream + 4, bytes("x"))) << "no such stream";
}

TEST_F(SessionStreamTest, EitherSideMayResetIt) {
  for (Node* resetter : {&client, &server}) {
    open();
    Node& other = resetter == &client ? server : client;
    const int closed = other.closed_streams;
    resetter->stream_bytes.clear();
    ASSERT_TRUE(other.connection->send(stream, bytes("under way")));
    ASSERT_TRUE(resetter->connection->send(stream, bytes("never sent")));
    resetter->connection->reset(stream, kMessageError);
    EXPECT_FALSE(resetter->connection->send(stream, bytes("x")));
    world.run_for(1s);
    EXPECT_GT(other.closed_streams, closed);
    EXPECT_GT(resetter->closed_streams, 0);
    EXPECT_FALSE(other.connection->send(stream, bytes("x")));
    EXPECT_EQ(resetter->stream_bytes, "");
    EXPECT_FALSE(client.closed);
    server.connection = nullptr;
    client.last_message = {};
  }
}

TEST_F(SessionStreamTest, MayBeResetForTheBytesThatCame) {
  open();
  server.take = [&](Connection& connection, StreamId id) { connection.reset(id, kMessageError); };
  ASSERT_TRUE(client.connection->send(stream, bytes(pattern(20'000))));
  world.run_for(1s);
  EXPECT_LT(server.stream_bytes.size(), 2000u) << "nothing comes behind";
  EXPECT_GT(client.closed_streams, 0);
  EXPECT_FALSE(client.closed);
  EXPECT_FALSE(server.closed);
}

TEST_F(SessionStreamTest, MayBeResetForEarlyBytes) {
  ask();
  ASSERT_TRUE(client.connection->send(stream, bytes("early")));
  client.connection->finish(stream);
  world.run_for(1s);
  server.take = [&](Connection& connection, StreamId id) { connection.reset(id, kMessageError); };
  server.answer = [](Connection&, StreamId, const Message&) { ADD_FAILURE(); };
  ASSERT_TRUE(accept(*server.connection, stream));
  world.run_for(1s);
  EXPECT_EQ(server.stream_bytes, "early");
  EXPECT_GT(client.closed_streams, 0);
}

TEST_F(SessionStreamTest, MayBeResetBeforeItsAnswer) {
  ask();
  world.run_for(1s);
  client.connection->reset(stream, kMessageError);
  EXPECT_TRUE(accept(*server.connection, stream)) << "the reset is under way";
  world.run_for(1s);
  EXPECT_EQ(client.last_message.status, 0);
  EXPECT_GT(client.closed_streams, 0);
  EXPECT_GT(server.closed_streams, 0);
  EXPECT_FALSE(server.connection->send(stream, bytes("x")));
}

TEST_F(SessionStreamTest, MayBeAnsweredFromWithinItsOwnBytes) {
  open();
  server.take = [](Connection& connection, StreamId id) {
    EXPECT_TRUE(connection.send(id, bytes("answer")));
  };
  ASSERT_TRUE(client.connection->send(stream, bytes("question")));
  world.run_for(1s);
  EXPECT_EQ(client.stream_bytes, "answer");
}

TEST_F(SessionStreamTest, TheConnectionMayEndWhileBytesWait) {
  open();
  ASSERT_TRUE(client.connection->send(stream, bytes(pattern(60'000))));
  world.run_for(15ms);
  server.take = [&](Connection& connection, StreamId) { connection.close("", world.now()); };
  world.run_for(1s);
  EXPECT_TRUE(server.closed);
  EXPECT_TRUE(client.closed);
}

TEST_F(SessionStreamTest, TheConnectionMayEndWhileEarlyBytesWait) {
  ask();
  ASSERT_TRUE(client.connection->send(stream, bytes("early")));
  world.run_for(1s);
  ASSERT_TRUE(accept(*server.connection, stream));
  server.connection->close("", world.now());
  world.run_for(1s);
  EXPECT_EQ(server.stream_bytes, "");
}

TEST_F(SessionStreamTest, ArrivesWholeOverALossyPath) {
  world.attach(kClient, client, {.delay = 10ms, .loss = 0.05});
  open();
  stream_to(client, server, pattern(200'000));
  stream_to(server, client, pattern(200'000));
}

// As in version 1: the stream stays open, and carries nothing.
TEST_F(SessionStreamTest, IsNoneWithoutAProtocol) {
  open_session();
  EXPECT_EQ(client.last_message.body, "{}");
  EXPECT_EQ(server.last_message.body, "{}");
  EXPECT_EQ(client.stream_bytes + server.stream_bytes, "");
  EXPECT_FALSE(client.connection->send(client.last_stream, bytes("x")));
  EXPECT_FALSE(server.connection->send(server.last_stream, bytes("x")));
  world.run_for(20s);
  EXPECT_FALSE(client.closed);
}

class OrdinaryServerTest : public EndpointTest {};

TEST_F(OrdinaryServerTest, TakesNoExtendedConnect) {
  connect();
  ASSERT_TRUE(settle());
  EXPECT_EQ(client.took_extended_connect, false);
  client.connection->request(
      {.method = "CONNECT", .authority = "localhost", .path = "/", .protocol = "connect-ip"});
  world.run_for(1s);
  EXPECT_EQ(server.last_message.method, "");
}

}  // namespace
}  // namespace qdt::quic
