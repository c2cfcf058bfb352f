// A server's secret across its restart: clients learn of it at once (stateless
// reset), and their next handshake is a short one (TLS session tickets).

#include <gtest/gtest.h>

#include "quic/certificate.h"
#include "quic/endpoint_fixture.h"

namespace qdt::quic {
namespace {

constexpr ServerSecret kSecret = {1, 2, 3};
constexpr ServerSecret kOtherSecret = {3, 2, 1};

PemCertificate make_certificate() {
  const std::string names[] = {"localhost"};
  return *make_self_signed_certificate(names, {});
}

TlsServerContext make_tls(const PemCertificate& pem, const ServerSecret& secret) {
  auto tls = std::move(*TlsServerContext::from_pem(pem.certificate, pem.key));
  tls.offer_resumption(secret);
  return tls;
}

class RestartTest : public ::testing::Test {
 protected:
  // One connection of a client with `trust` to a server that has just started; whether it is
  // complete.
  bool visit(const TlsClientContext& client_trust, const TlsServerContext& server_tls) {
    SimWorld world(3);
    Node server({}, &server_tls, 1);
    Node client({}, nullptr, 2);
    world.attach(kServer, server, {.delay = 10ms});
    world.attach(kClient, client, {.delay = 10ms});
    Connection& connection =
        client.endpoint.connect(client_trust, "localhost", {kClient, kServer}, world.now());
    world.run_for(1s);
    closed = client.closed;
    if (closed || server.connection == nullptr) return false;
    is_resumed = connection.is_resumed();
    EXPECT_EQ(server.connection->is_resumed(), is_resumed);
    EXPECT_EQ(server.connection->exporter().derive("label"), connection.exporter().derive("label"));
    return connection.is_handshake_complete();
  }

  const PemCertificate pem = make_certificate();
  const TlsServerContext tls = make_tls(pem, kSecret);
  const TlsClientContext trust = std::move(*TlsClientContext::with_fingerprint(tls.fingerprint()));
  bool is_resumed = false;
  std::optional<CloseReason> closed;
};

TEST_F(RestartTest, ResumesTheTlsSession) {
  ASSERT_TRUE(visit(trust, tls));
  EXPECT_FALSE(is_resumed);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(visit(trust, make_tls(pem, kSecret)));
    EXPECT_TRUE(is_resumed);
  }
}

TEST_F(RestartTest, ResumesNothingWithAnotherSecret) {
  ASSERT_TRUE(visit(trust, tls));
  ASSERT_TRUE(visit(trust, make_tls(pem, kOtherSecret)));
  EXPECT_FALSE(is_resumed);
  ASSERT_TRUE(visit(trust, make_tls(pem, kOtherSecret)));
  EXPECT_TRUE(is_resumed) << "its ticket took the place of the first one's";
}

TEST_F(RestartTest, ResumesNothingWithAnotherCertificate) {
  ASSERT_TRUE(visit(trust, tls));
  EXPECT_FALSE(visit(trust, make_tls(make_certificate(), kSecret)));
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->kind, CloseReason::Kind::kUntrusted);
}

TEST_F(RestartTest, ResumesOnlyWhatTheSameTrustHasVerified) {
  const auto trusts_anyone = std::move(*TlsClientContext::without_verification());
  ASSERT_TRUE(visit(trusts_anyone, tls));
  EXPECT_FALSE(trusts_anyone.resumable().bytes.empty());
  const auto pinned = std::move(*TlsClientContext::with_fingerprint({}));
  EXPECT_FALSE(visit(pinned, tls));
  EXPECT_EQ(closed->kind, CloseReason::Kind::kUntrusted);
  EXPECT_TRUE(pinned.resumable().bytes.empty());
}

TEST_F(RestartTest, ResumesNothingUnderAnotherName) {
  ASSERT_TRUE(visit(trust, tls));
  trust.resumable().server_name = "elsewhere";
  ASSERT_TRUE(visit(trust, tls));
  EXPECT_FALSE(is_resumed);
}

TEST_F(RestartTest, SurvivesADamagedSession) {
  ASSERT_TRUE(visit(trust, tls));
  auto& bytes = trust.resumable().bytes;
  bytes[bytes.size() / 2] ^= 1;
  const bool is_complete = visit(trust, tls);
  EXPECT_TRUE(is_complete || trust.resumable().bytes.empty());
  EXPECT_TRUE(visit(trust, tls));
}

TEST_F(RestartTest, GivesOutNoTicketsUnasked) {
  auto plain = std::move(*TlsServerContext::from_pem(pem.certificate, pem.key));
  ASSERT_TRUE(visit(trust, plain));
  EXPECT_TRUE(trust.resumable().bytes.empty());
}

// The reset is answered by whichever shard the payload reaches, for an ID from before the restart.
class ResetTest : public EndpointTest {
 protected:
  static constexpr std::size_t kShards = 4;

  ResetTest() : EndpointTest({.shard = 2, .shard_count = kShards, .secret = kSecret}) {}

  // How long the client takes to learn that the server has begun anew, in `shard` of `shards`.
  std::optional<Duration> learns(std::size_t shard, std::size_t shards,
                                 const ServerSecret& secret) {
    Node restarted({.shard = shard, .shard_count = shards, .secret = secret},
                   &testing::test_server_tls(), 9);
    world.attach(kServer, restarted, {.delay = 10ms});
    const Timestamp begun = world.now();
    client.datagrams.push_back(std::string(101, '\0'));
    if (!world.run_until([&] { return client.closed.has_value(); }, 5s)) return std::nullopt;
    EXPECT_EQ(client.closed->kind, CloseReason::Kind::kReset);
    return world.now() - begun;
  }
};

TEST_F(ResetTest, TellsOfARestartInOneRoundTrip) {
  open_session();
  world.run_for(2s);
  EXPECT_EQ(learns(2, kShards, kSecret), 20ms);
}

TEST_F(ResetTest, TellsSoWithAnotherNumberOfShards) {
  open_session();
  world.run_for(2s);
  EXPECT_EQ(learns(0, 1, kSecret), 20ms);
}

TEST_F(ResetTest, TellsSoAboutAnIdThatCameLater) {
  open_session();
  world.run_for(2s);
  const SocketAddress elsewhere{IpAddress::v4(0x0a000103), 50001};
  world.attach(elsewhere, client, {.delay = 10ms});
  ASSERT_TRUE(client.connection->migrate({elsewhere, kServer}, world.now()));
  world.run_for(2s);
  EXPECT_EQ(learns(3, kShards, kSecret), 20ms);
}

TEST_F(ResetTest, IsNotBelievedWithAnotherSecret) {
  open_session();
  world.run_for(2s);
  EXPECT_EQ(learns(2, kShards, kOtherSecret), std::nullopt);
}

}  // namespace
}  // namespace qdt::quic
