#include "support/raw_peer.h"

#include <gtest/gtest.h>

#include <string>

#include "quic/endpoint_fixture.h"
#include "support/raw_node.h"
#include "wire/hex_fixture.h"

namespace qdt::testing {
namespace {

using wire::from_hex;

const SocketAddress kHere{IpAddress::v4(0x0a000001), 443};
const SocketAddress kThere{IpAddress::v4(0x0a000002), 50000};

// RFC 9001 appendix A.3.
TEST(PacketKeys, SealTheServersInitialOfRfc9001) {
  PacketKeys keys = PacketKeys::initial(from_hex("8394c8f03e515708"), Role::kServer);
  const ByteVector frames = from_hex(
      "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a"
      "1200130100002e00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da"
      "1a002b00020304");
  const PacketHeader header{.space = PacketSpace::kInitial,
                            .source = from_hex("f067a5502a4262b5"),
                            .number = 1,
                            .number_bytes = 2};
  const ByteVector packet = keys.seal(header, frames);
  EXPECT_EQ(
      packet,
      from_hex("cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f3"
               "7a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7d"
               "deb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850ab"
               "bdca3d20398c276456cbc42158407dd074ee"));
  const auto opened = keys.open(packet, 18, 0);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->number, 1u);
  EXPECT_EQ(opened->frames, frames);
}

// Appendix A.4.
TEST(RetryPacket, IsThatOfRfc9001) {
  EXPECT_EQ(retry_packet({}, from_hex("f067a5502a4262b5"), as_bytes("token"),
                         from_hex("8394c8f03e515708")),
            from_hex("ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba"));
}

// A raw client and a server's endpoint, a second after the client's first packet.
struct RawClientTest : ::testing::Test {
  RawClientTest() {
    world.attach(kHere, server);
    world.attach(kThere, client);
    client.peer.start();
    world.run_for(1s);
  }

  SimWorld world{1};
  quic::Node server{{}, &test_server_tls(), 1};
  RawNode client{{.role = Role::kClient}, {kThere, kHere}};
};

TEST_F(RawClientTest, CompletesTheHandshakeAndEndsTheConnection) {
  EXPECT_TRUE(client.peer.is_handshake_complete());
  // SETTINGS on the server's control stream.
  EXPECT_FALSE(client.peer.stream(3).empty());
  // A frame that no packet may have.
  client.more.push_back(client.peer.seal(PacketSpace::kApplication, ByteVector{0x3f}));
  world.run_for(100ms);
  EXPECT_TRUE(server.closed);
  EXPECT_TRUE(client.peer.is_closed());
}

TEST_F(RawClientTest, ExportsWhatTheServerDoes) {
  // SETTINGS on the control stream: the server's owner hears of the connection.
  client.more.push_back(
      client.peer.seal(PacketSpace::kApplication, ByteVector{0x0a, 0x02, 0x03, 0x00, 0x04, 0x00}));
  world.run_for(1s);
  ASSERT_TRUE(server.connection);
  EXPECT_EQ(server.connection->exporter().derive("label"), client.peer.export_secret("label"));
}

TEST(RawServer, CompletesTheHandshake) {
  SimWorld world{1};
  quic::Node client({}, nullptr, 1);
  RawNode server({.role = Role::kServer, .tls = &test_server_tls()}, {kHere, kThere});
  world.attach(kHere, server);
  world.attach(kThere, client);
  quic::Connection& connection =
      client.endpoint.connect(test_client_tls(), "localhost", {kThere, kHere}, world.now());
  world.run_for(1s);
  EXPECT_TRUE(server.peer.is_handshake_complete());
  EXPECT_TRUE(connection.is_handshake_complete());
  EXPECT_EQ(connection.exporter().derive("label"), server.peer.export_secret("label"));
  EXPECT_FALSE(server.peer.stream(2).empty());
}

TEST_F(RawClientTest, GoesOnWithNewKeys) {
  client.peer.update_keys();
  client.more.push_back(client.peer.seal(PacketSpace::kApplication, ByteVector{0x01}));
  world.run_for(1s);
  const auto before = client.peer.largest(PacketSpace::kApplication);
  client.more.push_back(client.peer.seal(PacketSpace::kApplication, ByteVector{0x01}));
  world.run_for(1s);
  EXPECT_FALSE(server.closed);
  EXPECT_GT(client.peer.largest(PacketSpace::kApplication), before);
}

}  // namespace
}  // namespace qdt::testing
