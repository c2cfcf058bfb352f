// A device enrols itself by a link, end to end (docs/protocol.md section 12).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "client/enrolment.h"
#include "sim/nodes.h"

namespace qdt::testing {
namespace {

using ::testing::HasSubstr;
using wire::HandshakeResult;

const wire::Ed25519Seed kIdentity{42};
const wire::TicketSecret kTicket{7};
const wire::Ed25519Seed kDevice{9};

wire::Ed25519PublicKey public_key(const wire::Ed25519Seed& seed) {
  return wire::Ed25519Key(seed).public_key();
}

wire::Link link_with(const wire::Ed25519Seed& server, const wire::TicketSecret& ticket) {
  return {.server = {.host = "localhost"},
          .name = "anna",
          .server_keys = {public_key(server)},
          .secret = ticket};
}

// A program that enrols a device, and no more.
class EnrollingNode final : public TunnelNode {
 public:
  explicit EnrollingNode(const wire::Link& link)
      : random(5),
        enrolment(
            {.link = link, .device = public_key(kDevice), .name = "laptop", .platform = "linux"},
            test_client_tls(), random),
        tunnel_({.role = Role::kClient}, nullptr, enrolment, random, counters, payloads) {}
  tunnel::Tunnel& tunnel() override { return tunnel_; }

  SeededRandom random;
  client::Enrolment enrolment;

 private:
  tunnel::Tunnel tunnel_;
};

class Enrolling : public ::testing::Test {
 protected:
  Enrolling() { world.attach(kServerAddress, server, {.delay = 10ms}); }

  ServerNodeOptions options() {
    ServerNodeOptions options{.identity = kIdentity};
    options.admission.devices = {{.name = "ticket 1",
                                  .key = public_key(wire::derive_ticket_seed(kTicket)),
                                  .is_ticket = true},
                                 {.name = "phone", .key = public_key(kPhone)}};
    options.enroller = [this](const server::Enrolment& device,
                              std::function<void(HandshakeResult)> done) {
      asked = device;
      if (answers_at_once) return done(result);
      answer = std::move(done);
    };
    return options;
  }
  // How it ends; "done" when the device is written down.
  std::string enrol(const wire::Link& link) {
    node.emplace(link);
    world.attach(kClientAddress, *node, {.delay = 10ms});
    node->enrolment.begin(node->tunnel(), {kClientAddress, kServerAddress}, world.now());
    world.run_until([&] { return node->enrolment.is_done() || node->enrolment.ending(); }, 30s);
    if (node->enrolment.is_done()) return "done";
    return node->enrolment.ending() ? node->enrolment.ending()->text : "nothing came of it";
  }

  static constexpr wire::Ed25519Seed kPhone{11};
  SimWorld world{42};
  std::optional<server::Enrolment> asked;
  HandshakeResult result = HandshakeResult::kEnrolled;
  bool answers_at_once = true;
  std::function<void(HandshakeResult)> answer;
  ServerNode server{options()};
  std::optional<EnrollingNode> node;
};

TEST_F(Enrolling, WritesTheDevicesKeyDown) {
  EXPECT_EQ(enrol(link_with(kIdentity, kTicket)), "done");
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->ticket, "ticket 1");
  EXPECT_EQ(asked->key, public_key(kDevice));
  EXPECT_EQ(asked->name, "laptop");
  EXPECT_EQ(asked->platform, "linux");
  EXPECT_EQ(server.handshakes.value(HandshakeResult::kEnrolled), 1u);
  EXPECT_EQ(server.admission.sessions(), 0u);
}

TEST_F(Enrolling, IsDoneOnceItIsWrittenAndNoSooner) {
  answers_at_once = false;
  node.emplace(link_with(kIdentity, kTicket));
  world.attach(kClientAddress, *node, {.delay = 10ms});
  node->enrolment.begin(node->tunnel(), {kClientAddress, kServerAddress}, world.now());
  world.run_for(3s);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(node->enrolment.is_done());
  answer(HandshakeResult::kEnrolled);
  EXPECT_TRUE(world.run_until([&] { return node->enrolment.is_done(); }, 2s));
}

// The client went while the disk was slow.
TEST_F(Enrolling, AnswersNobodyWhoHasGone) {
  answers_at_once = false;
  node.emplace(link_with(kIdentity, kTicket));
  world.attach(kClientAddress, *node, {.delay = 10ms});
  node->enrolment.begin(node->tunnel(), {kClientAddress, kServerAddress}, world.now());
  world.run_for(1s);
  ASSERT_TRUE(answer);
  node->tunnel().close_all(tunnel::SessionEnd::kDone, "", world.now());
  world.run_for(30s);
  answer(HandshakeResult::kEnrolled);
  world.run_for(1s);
  EXPECT_FALSE(node->enrolment.is_done());
}

TEST_F(Enrolling, SaysWhyItCouldNotBe) {
  const std::pair<HandshakeResult, const char*> cases[] = {
      {HandshakeResult::kLinkUsed, "link used"},
      {HandshakeResult::kLinkExpired, "link expired"},
      {HandshakeResult::kTooManyDevices, "too many devices"},
      {HandshakeResult::kKeyInUse, "key in use"},
      {HandshakeResult::kNotReady, "not ready"},
  };
  for (const auto& [refused, told] : cases) {
    result = refused;
    EXPECT_THAT(enrol(link_with(kIdentity, kTicket)), HasSubstr(told));
    EXPECT_EQ(node->enrolment.ending()->is_lasting, refused != HandshakeResult::kNotReady);
  }
}

TEST_F(Enrolling, DoesNotSayThatItTriesAgain) {
  answers_at_once = false;
  node.emplace(link_with(kIdentity, kTicket));
  world.attach(kClientAddress, *node, {.delay = 10ms});
  node->enrolment.begin(node->tunnel(), {kClientAddress, kServerAddress}, world.now());
  world.run_for(1s);
  server.tunnel().close_all(tunnel::SessionEnd::kDone, "", world.now());
  world.run_for(1s);
  ASSERT_TRUE(node->enrolment.ending());
  EXPECT_EQ(node->enrolment.ending()->text,
            "busy: the server ended the connection before it answered");
}

TEST_F(Enrolling, ShowsAStrangerNothing) {
  EXPECT_THAT(enrol(link_with(kIdentity, {8})), HasSubstr("does not know this link"));
  EXPECT_FALSE(asked);
}

TEST_F(Enrolling, BelievesTheServerOfTheLinkAlone) {
  EXPECT_THAT(enrol(link_with({43}, kTicket)), HasSubstr("is not that of the link"));
}

// Neither is a device a ticket, nor a ticket a device.
TEST_F(Enrolling, IsForTicketsAlone) {
  ClientNode phone({.auth = Auth::kProof,
                    .identity = client::Identity{.seed = wire::derive_ticket_seed(kTicket),
                                                 .server_keys = {public_key(kIdentity)}}});
  world.attach(kClientAddress, phone, {.delay = 10ms});
  phone.connect(kClientAddress, kServerAddress, world.now());
  ASSERT_TRUE(world.run_until([&] { return phone.ending.has_value(); }, 20s));
  EXPECT_THAT(phone.ending->text, HasSubstr("bad request"));
  EXPECT_EQ(server.admission.sessions(), 0u);
  EXPECT_FALSE(asked);
}

}  // namespace
}  // namespace qdt::testing
