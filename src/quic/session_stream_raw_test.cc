// What no peer of ours would send: frames of one byte, one direction alone refused, odd SETTINGS.

#include <gtest/gtest.h>

#include "quic/endpoint_fixture.h"
#include "support/raw_node.h"
#include "wire/hex_fixture.h"

namespace qdt::quic {
namespace {

using testing::ByteVector;
using testing::ByteWriter;
using testing::PacketSpace;
using testing::RawNode;
using wire::from_hex;

ByteVector stream_frame(std::uint64_t stream, std::uint64_t offset, Bytes bytes) {
  return ByteWriter().byte(0x0e).varint(stream).varint(offset).block(bytes).bytes;
}

// Sends each byte in a STREAM frame of its own, 40 to a packet.
void send_by_the_byte(RawNode& node, std::uint64_t stream, Bytes bytes, std::uint64_t offset = 0) {
  ByteWriter frames;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    frames.append(stream_frame(stream, offset + i, bytes.subspan(i, 1)));
    const bool is_full = i % 40 == 39 || i + 1 == bytes.size();
    if (is_full) node.add(std::exchange(frames, {}).bytes);
  }
}

// A field line with a literal name (RFC 9204 section 4.5.6).
void append_field(ByteWriter& out, std::string_view name, std::string_view value) {
  if (name.size() < 7) {
    out.byte(static_cast<std::uint8_t>(0x20 | name.size()));
  } else {
    out.byte(0x27).byte(static_cast<std::uint8_t>(name.size() - 7));
  }
  out.append(as_bytes(name)).byte(static_cast<std::uint8_t>(value.size())).append(as_bytes(value));
}

ByteVector extended_connect() {
  ByteWriter fields;
  fields.byte(0).byte(0);
  append_field(fields, ":method", "CONNECT");
  append_field(fields, ":protocol", "connect-ip");
  append_field(fields, ":scheme", "https");
  append_field(fields, ":authority", "localhost");
  append_field(fields, ":path", "/ip");
  return ByteWriter().byte(0x01).block(fields.bytes).bytes;
}

struct RawSessionTest : ::testing::Test {
  RawSessionTest() {
    world.attach(kServer, server);
    world.attach(kClient, client);
    server.answer = [](Connection& connection, StreamId id, const Message& message) {
      if (message.is_extended_connect() && message.body.empty()) {
        connection.respond(id, {.status = 200, .keeps_stream_open = true});
      }
    };
    client.peer.start();
    world.run_for(1s);
    send_by_the_byte(client, 2, from_hex("000400"));
    world.run_for(1s);
  }

  SimWorld world{1};
  Node server{{.connection = {.takes_extended_connect = true}}, &testing::test_server_tls(), 1};
  RawNode client{{.role = Role::kClient}, {kClient, kServer}};
};

// More than the server's first window, in parts that fit it.
TEST_F(RawSessionTest, TakesFramesOfOneByte) {
  const ByteVector request = extended_connect();
  send_by_the_byte(client, 0, request);
  std::uint64_t offset = request.size();
  std::string text;
  for (int part = 0; part < 5; ++part) {
    world.run_for(1s);
    ByteWriter stream;
    for (int i = 0; i < 1000; ++i) {
      text.push_back(static_cast<char>('a' + i % 26));
      stream.byte(0x00).block(as_bytes(text).last(1));  // a DATA frame
    }
    send_by_the_byte(client, 0, stream.bytes, offset);
    offset += stream.bytes.size();
  }
  world.run_for(1s);
  EXPECT_FALSE(server.closed);
  EXPECT_TRUE(server.stream_bytes == text);
  EXPECT_EQ(server.last_message.protocol, "connect-ip");
}

// The answer comes between two DATA frames of one payload, whose end is that of the stream.
TEST_F(RawSessionTest, EarlyBytesComeBeforeLaterOnes) {
  std::string at_end;
  server.answer = [&](Connection& connection, StreamId id, const Message& message) {
    if (message.has_ended) at_end = server.stream_bytes;
    if (message.body != "a") return;
    EXPECT_TRUE(connection.respond(id, {.status = 200, .keeps_stream_open = true}));
    EXPECT_EQ(server.stream_bytes, "");
  };
  ByteWriter stream;
  stream.append(extended_connect())
      .append(from_hex("000161"
                       "000162"));
  // With FIN.
  client.add(ByteWriter().byte(0x0b).varint(0).block(stream.bytes).bytes);
  world.run_for(1s);
  EXPECT_EQ(server.stream_bytes, "ab");
  EXPECT_EQ(at_end, "ab");
}

TEST_F(RawSessionTest, EndsWhenItsBytesAreRefused) {
  send_by_the_byte(client, 0, extended_connect());
  world.run_for(1s);
  client.add(ByteWriter().byte(0x05).varint(0).varint(0x10c).bytes);  // STOP_SENDING
  world.run_for(1s);
  EXPECT_TRUE(server.connection->send(0, {1}));
  world.run_for(1s);
  EXPECT_EQ(server.closed_streams, 1);
  EXPECT_FALSE(server.connection->send(0, {1}));
  EXPECT_FALSE(server.closed);
}

TEST_F(RawSessionTest, EndsWhenTheClientsSideIsReset) {
  const ByteVector request = extended_connect();
  send_by_the_byte(client, 0, request);
  world.run_for(1s);
  client.add(ByteWriter().byte(0x04).varint(0).varint(0x10c).varint(request.size()).bytes);
  world.run_for(1s);
  EXPECT_EQ(server.closed_streams, 1);
  EXPECT_FALSE(server.connection->send(0, {1}));
  EXPECT_FALSE(server.closed);
}

// SETTINGS on the control stream of a raw server; what the client was told of it.
std::optional<bool> took_extended_connect(const std::string& settings) {
  SimWorld world{1};
  Node client({}, nullptr, 1);
  RawNode server({.role = Role::kServer, .tls = &testing::test_server_tls()}, {kServer, kClient});
  world.attach(kServer, server);
  world.attach(kClient, client);
  client.endpoint.connect(testing::test_client_tls(), "localhost", {kClient, kServer}, world.now());
  world.run_for(1s);
  // Streams of reserved types come before it and behind it.
  send_by_the_byte(server, 7, from_hex("2100040208011f"));
  send_by_the_byte(server, 3, from_hex(settings));
  send_by_the_byte(server, 11, from_hex("4021000402080121"));
  world.run_for(1s);
  return client.took_extended_connect;
}

TEST(RawSettings, AreFinalWhenTheyAreTold) {
  EXPECT_EQ(took_extended_connect("0004020801"), true);
  EXPECT_EQ(took_extended_connect("0004020800"), false);
  EXPECT_EQ(took_extended_connect("000400"), false);
  EXPECT_EQ(took_extended_connect("00040421083301"), false);
  EXPECT_EQ(took_extended_connect("0004063301080108"), std::nullopt) << "more is to come";
}

TEST(RawSettings, AreReadInLongForms) {
  EXPECT_EQ(took_extended_connect("4000800000044006330140084001"), true);
}

}  // namespace
}  // namespace qdt::quic
