#include "server/grant.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "support/seeded_random.h"

namespace qdt::server {
namespace {

using wire::HandshakeResult;

constexpr Timestamp kStart{Duration(1h)};
const IpAddress kHome = IpAddress::v4(0x01020304);
const IpAddress kElsewhere = IpAddress::v4(0x01020305);
constexpr std::string_view kNonce = "PF6BtAxexo4Eo0Bsl9Y8+w";

// A body with `members` besides the nonce.
std::string body(const std::string& members = "") {
  return R"({"version":1,"client_nonce":")" + std::string(kNonce) + "\"" + members + "}";
}
std::string caps(const std::string& names) {
  return R"(,"caps":[)" + names + "]";
}

// A server with everything that decisions look at, and two users.
struct Server {
  struct Options {
    access::Admission::Options admission;
    access::UserLimits ann;
    std::string pool = "10.8.0.0/28";
    Duration grace = 10min;
    Offer offer;
  };

  Server() : Server(Options()) {}
  explicit Server(const Options& options)
      : admission(options.admission),
        leases(*Prefix::parse(options.pool), *IpAddress::parse("10.8.0.1"), 1),
        book(leases, options.grace),
        offer(options.offer),
        users(
            *access::UserTable::create({{{.name = "ann", .token = "token a", .limits = options.ann},
                                         {.name = "bob", .token = "token b"}}},
                                       {})) {
    offer.pool = *Prefix::parse(options.pool);
    offer.gateway = *IpAddress::parse("10.8.0.1");
    offer.caps.direct = offer.caps.shared_id = offer.caps.resume = true;
    admission.set_ready(true);
  }

  auto judge(std::string_view token, std::string_view method = "POST",
             std::string_view path = "/connect", const IpAddress& from = kHome,
             Timestamp now = kStart) {
    return server::judge(version1_head(method, path, access::Credential(token), from), *users,
                         admission, now);
  }
  std::expected<Grant, Refusal> grant(const std::string& text, std::string_view token = "token a",
                                      const IpAddress& from = kHome, Timestamp now = kStart) {
    return server::grant({.asked = wire::parse_connect_request(text),
                          .user = users->find(access::Credential(token)).user,
                          .from = from,
                          .carriage = carriage,
                          .address = address},
                         offer, tables, random, now);
  }
  Version1Session settle(const Grant& granted, std::string_view token = "token a") {
    return settle_version1(granted, access::Credential(token), carriage.exporter);
  }
  void give_back(const Grant& granted, Timestamp now = kStart) {
    server::give_back(granted.response.session_id, granted.response.client_ip,
                      *granted.user->account, tables, now);
  }
  bool has_nothing_taken() {
    return admission.sessions() == 0 && leases.lent() == 0 && account(0).sessions() == 0 &&
           account(1).sessions() == 0;
  }
  access::Account& account(std::size_t user) { return *users->users()[user]->account; }

  access::Admission admission;
  LeasePool leases;
  LeaseBook book;
  Offer offer;
  access::UserTable::Snapshot users;
  std::optional<IpAddress> address;  // of the devices that ask from now on
  Tables tables{.admission = admission, .leases = leases, .book = book};
  testing::SeededRandom random{1};
  wire::Exporter exporter{wire::HkdfSecret{7}};
  Carriage carriage{.has_datagrams = true, .can_share_ids = true, .exporter = &exporter};
};

// --- by the head ---

TEST(Judge, WelcomesAUserWhoAsksForASession) {
  Server server;
  const auto decision = server.judge("token b");
  ASSERT_TRUE(std::holds_alternative<Welcome>(decision));
  EXPECT_EQ(std::get<Welcome>(decision).who->name, "bob");
}

TEST(Judge, DecidesByTheHeadAlone) {
  struct Case {
    std::string_view token, method, path;
    bool is_ready;
    std::optional<HandshakeResult> refusal, visit;  // neither: a visit to another path
  };
  using enum HandshakeResult;
  const Case cases[] = {
      {"token a", "GET", "/connect", true, kMethod, {}},
      {"token a", "PUT", "/connect", true, kMethod, {}},
      {"token a", "GET", "/connect", false, kNotReady, {}},
      {"token a", "POST", "/connect", false, kNotReady, {}},
      {"token", "POST", "/connect", true, {}, kUnauthorized},
      {"", "POST", "/connect", true, {}, kUnauthorized},
      {"token c", "GET", "/connect", true, {}, kMethod},
      {"token c", "POST", "/connect", false, {}, kNotReady},
      {"token a", "POST", "/", true, {}, {}},
      {"token a", "GET", "/connect/", true, {}, {}},
      {"token a", "POST", "/connect?x", true, {}, {}},
      {"token a", "POST", "", true, {}, {}},
      {"", "GET", "/", true, {}, {}},
  };
  for (const Case& each : cases) {
    Server server;
    server.admission.set_ready(each.is_ready);
    const auto decision = server.judge(each.token, each.method, each.path);
    const std::string name =
        std::string(each.token) + " " + std::string(each.method) + " " + std::string(each.path);
    if (each.refusal) {
      ASSERT_TRUE(std::holds_alternative<Refusal>(decision)) << name;
      EXPECT_EQ(std::get<Refusal>(decision).result, *each.refusal) << name;
    } else {
      ASSERT_TRUE(std::holds_alternative<Visit>(decision)) << name;
      EXPECT_EQ(std::get<Visit>(decision).result, each.visit) << name;
    }
  }
}

TEST(Judge, LetsTheAnswersToGuessesWait) {
  Server server({.admission = {.address_rate = {.per_second = 1, .burst = 2}}});
  for (const Duration delay : {0s, 0s, 1s, 2s}) {
    EXPECT_EQ(std::get<Visit>(server.judge("guess")).delay, delay);
  }
  EXPECT_EQ(std::get<Visit>(server.judge("", "GET", "/")).delay, 3s);
  EXPECT_EQ(std::get<Visit>(server.judge("guess", "POST", "/connect", kElsewhere)).delay, 0s);
  EXPECT_TRUE(std::holds_alternative<Welcome>(server.judge("token a")));
}

TEST(Judge, EndsTheConnectionWhenTooManyWait) {
  Server server({.admission = {.address_rate = {.per_second = 1, .burst = 1}}});
  for (std::size_t i = 0; i <= access::Admission::kMaxWaitingOfAddress; ++i) server.judge("guess");
  EXPECT_EQ(std::get<Visit>(server.judge("guess")).delay, std::nullopt);
}

TEST(Judge, RefusesAUserWhoComesTooOften) {
  Server server({.admission = {.address_rate = {.per_second = 1, .burst = 1}}});
  EXPECT_TRUE(std::holds_alternative<Welcome>(server.judge("token a")));
  EXPECT_EQ(std::get<Refusal>(server.judge("token a")).result, HandshakeResult::kRateLimited);
}

// --- by the whole ---

TEST(Grant, IsAFunctionOfItsArguments) {
  Server one;
  Server other;
  const auto a = one.grant(body());
  const auto b = other.grant(body());
  ASSERT_TRUE(a && b);
  EXPECT_EQ(wire::to_json(a->response), wire::to_json(b->response));
  EXPECT_EQ(one.settle(*a).keys.client.key, other.settle(*b).keys.client.key);
}

TEST(Grant, RefusesWhatIsNoRequest) {
  using enum HandshakeResult;
  const std::pair<std::string, HandshakeResult> cases[] = {
      {"", kBadRequest},
      {"{}", kBadRequest},
      {R"({"version":1})", kBadNonce},
      {R"({"version":2,"client_nonce":"PF6BtAxexo4Eo0Bsl9Y8+w"})", kBadRequest},
      {"[]", kBadRequest},
      {R"({"version":1,"client_nonce":"AAEC"})", kBadNonce},
      {body(R"(,"mtu":575)"), kBadRequest},
      {body(R"(,"mtu":"1350")"), kBadRequest},
  };
  for (const auto& [text, result] : cases) {
    Server server;
    const auto granted = server.grant(text);
    ASSERT_FALSE(granted) << text;
    EXPECT_EQ(granted.error().result, result) << text;
    EXPECT_TRUE(server.has_nothing_taken()) << text;
  }
}

TEST(Grant, RefusesAConnectionThatCannotCarryASession) {
  Server server;
  server.carriage.has_datagrams = false;
  EXPECT_EQ(server.grant("").error().result, HandshakeResult::kNotHttp3);
  server.carriage = {.has_datagrams = true, .has_session = true};
  EXPECT_EQ(server.grant(body()).error().result, HandshakeResult::kBadRequest);
  EXPECT_TRUE(server.has_nothing_taken());
}

TEST(Grant, GivesTheSmallerMtu) {
  Server server({.offer = {.mtu = 1300}});
  EXPECT_EQ(server.grant(body(R"(,"mtu":576)"))->response.mtu, 576u);
  EXPECT_EQ(server.grant(body(R"(,"mtu":1400)"))->response.mtu, 1300u);
}

// A client with the token of one user cannot open the packets of another, whatever it has seen.
TEST(Grant, MakesTheKeysFromTheTokenThatWasShown) {
  Server server;
  const auto of_bob = server.grant(body(), "token b");
  ASSERT_TRUE(of_bob);
  std::array<std::uint8_t, 64> datagram{};
  const std::uint8_t packet[] = {1, 2, 3};
  wire::DatagramSealer sealer(of_bob->response.session_id,
                              server.settle(*of_bob, "token b").keys.server);
  const std::size_t bytes = sealer.seal(wire::DatagramType::kData, {}, packet, datagram);
  const auto opened_with = [&](std::string_view token) {
    const auto keys =
        wire::derive_session_keys(token, of_bob->request.client_nonce,
                                  of_bob->response.server_nonce, of_bob->response.caps.aead());
    std::array<std::uint8_t, 64> plain;
    wire::DatagramOpener opener(of_bob->response.session_id, keys.server);
    const auto opened = opener.open(Bytes(datagram).first(bytes), plain);
    return opened ? std::optional<Drop>() : opened.error();
  };
  EXPECT_EQ(opened_with("token b"), std::nullopt);
  EXPECT_EQ(opened_with("token a"), Drop::kForged);
}

TEST(Grant, MakesTheDirectSecretsFromTheTokenThatWasShown) {
  const std::string direct = body(caps(R"("direct")") + R"(,"direct_ids":["AQIDBAUGBwg"])");
  Server server;
  Server again;
  const auto of_ann = server.grant(direct, "token a");
  const auto of_bob = again.grant(direct, "token b");  // all else is the same
  ASSERT_TRUE(of_ann && of_bob);
  EXPECT_EQ(of_ann->response.server_nonce, of_bob->response.server_nonce);
  const auto secrets = server.settle(*of_ann, "token a").direct;
  const auto others = again.settle(*of_bob, "token b").direct;
  ASSERT_TRUE(secrets && others);
  EXPECT_NE(secrets->client, others->client);
  EXPECT_NE(secrets->server, others->server);
}

TEST(Grant, AgreesOnTheDirectPlaneWhereTheConnectionCarriesIt) {
  const std::string direct =
      body(caps(R"("direct","shared_id")") + R"(,"direct_ids":["AQIDBAUGBwg"])");
  Server server;
  EXPECT_TRUE(server.grant(direct)->response.caps.shared_id);
  server.carriage.can_share_ids = false;
  EXPECT_TRUE(server.grant(direct)->response.caps.direct);
  EXPECT_FALSE(server.grant(direct)->response.caps.shared_id);
  server.carriage.exporter = nullptr;
  EXPECT_FALSE(server.grant(direct)->response.caps.direct);
  EXPECT_FALSE(server.settle(*server.grant(direct)).direct);
  server.offer.needs_direct = true;
  EXPECT_EQ(server.grant(direct).error().result, HandshakeResult::kBadRequest);
}

// --- by the tables ---

TEST(Grant, RefusesWhenThePoolIsFull) {
  Server server({.pool = "10.8.0.0/30"});
  ASSERT_TRUE(server.grant(body()));
  EXPECT_EQ(server.grant(body()).error().result, HandshakeResult::kPoolExhausted);
  EXPECT_EQ(server.admission.sessions(), 1u);  // a refusal leaves nothing taken
  EXPECT_EQ(server.account(0).sessions(), 1u);
}

TEST(Grant, RefusesAClientThatHasItsShare) {
  Server server({.admission = {.shares = {.max_of_client = 1, .max_of_address = 2}}});
  const std::string desk = body(R"(,"client_id":"desk")");
  ASSERT_TRUE(server.grant(desk));
  const auto second = server.grant(desk);
  EXPECT_EQ(second.error().result, HandshakeResult::kBusy);
  EXPECT_EQ(second.error().why, "busy: max_sessions_per_client is met");
  EXPECT_TRUE(server.grant(body(R"(,"client_id":"laptop")")));
  EXPECT_FALSE(server.grant(body(R"(,"client_id":"phone")")));  // the address has its share
  EXPECT_TRUE(server.grant(desk, "token a", kElsewhere));
  EXPECT_EQ(server.admission.sessions(), 3u);
}

TEST(Grant, RefusesAUserWhoHasAsManySessionsAsItMay) {
  Server server({.ann = {.max_sessions = 1}});
  const auto first = server.grant(body());
  ASSERT_TRUE(first);
  EXPECT_EQ(server.grant(body(), "token a", kElsewhere).error().result, HandshakeResult::kBusy);
  EXPECT_TRUE(server.grant(body(), "token b"));
  server.give_back(*first);
  EXPECT_TRUE(server.grant(body()));
}

TEST(Grant, RefusesWhenTheServerHasAsManyAsItMay) {
  Server server({.admission = {.max_sessions = 1}});
  ASSERT_TRUE(server.grant(body()));
  EXPECT_EQ(server.grant(body(), "token b").error().result, HandshakeResult::kBusy);
  EXPECT_EQ(server.account(1).sessions(), 0u);
}

TEST(Grant, GivesAReturningClientItsLeaseAndThePlaceOfTheSessionBefore) {
  Server server(
      {.admission = {.max_sessions = 1, .shares = {.max_of_client = 1, .max_of_address = 1}},
       .ann = {.max_sessions = 1},
       .pool = "10.8.0.0/30"});
  const auto first = server.grant(body(caps(R"("resume")")));
  ASSERT_TRUE(first);
  ASSERT_NE(first->response.resume_token, "");
  const auto again = server.grant(
      body(caps(R"("resume")") + R"(,"resume_token":")" + first->response.resume_token + "\""));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->response.client_ip, first->response.client_ip);
  ASSERT_TRUE(again->replaced);
  EXPECT_EQ(again->replaced->session, first->response.session_id);
  server.give_back(*first);
  EXPECT_EQ(server.leases.lent(), 1u);  // it is the other's now
  server.give_back(*again);
  EXPECT_TRUE(server.has_nothing_taken());
}

// Nor does it get past a limit by it.
TEST(Grant, GivesNobodyTheLeaseOfAnotherUser) {
  Server server({.admission = {.max_sessions = 1}});
  const auto of_ann = server.grant(body(caps(R"("resume")")));
  const std::string with_its_token =
      body(caps(R"("resume")") + R"(,"resume_token":")" + of_ann->response.resume_token + "\"");
  EXPECT_EQ(server.grant(with_its_token, "token b").error().result, HandshakeResult::kBusy);
  server.give_back(*of_ann);
  const auto of_bob = server.grant(with_its_token, "token b");
  ASSERT_TRUE(of_bob);
  EXPECT_NE(of_bob->response.client_ip, of_ann->response.client_ip);
  server.give_back(*of_bob);
  EXPECT_EQ(server.grant(with_its_token)->response.client_ip, of_ann->response.client_ip);
}

TEST(Grant, KeepsALeaseForATokenUntilItsGraceIsOver) {
  Server server({.grace = 10min});
  const auto first = server.grant(body(caps(R"("resume")")));
  const std::string again =
      body(caps(R"("resume")") + R"(,"resume_token":")" + first->response.resume_token + "\"");
  server.give_back(*first);
  const auto in_time = server.grant(again, "token a", kElsewhere, kStart + 9min);
  EXPECT_EQ(in_time->response.client_ip, first->response.client_ip);
  EXPECT_FALSE(in_time->replaced);
  server.give_back(*in_time, kStart + 9min);
  const auto late = server.grant(again, "token a", kHome, kStart + 20min);
  EXPECT_NE(late->response.resume_token, first->response.resume_token);
}

TEST(Grant, MakesNothingOfATokenThatNobodyHas) {
  Server server;
  const auto first = server.grant(body(caps(R"("resume")")));
  const auto other = server.grant(body(caps(R"("resume")") + R"(,"resume_token":"made-up")"));
  ASSERT_TRUE(other);
  EXPECT_NE(other->response.client_ip, first->response.client_ip);
  EXPECT_FALSE(other->replaced);
}

TEST(Grant, IsGivenBackWhole) {
  Server server({.ann = {.max_sessions = 3}, .pool = "10.8.0.0/29", .grace = 0s});
  for (int i = 0; i < 50; ++i) {
    const auto granted = server.grant(body());
    ASSERT_TRUE(granted);
    server.give_back(*granted);
  }
  EXPECT_TRUE(server.has_nothing_taken());
}

// --- an address of the device's own ---

TEST(Grant, LendsADeviceItsAddressWhichANewerSessionTakes) {
  Server server({.admission = {}, .ann = {.max_sessions = 1}, .offer = {}});
  server.address = *IpAddress::parse("10.8.0.7");
  server.book.fix(std::array{*server.address});
  const auto first = server.grant(body());
  ASSERT_TRUE(first);
  EXPECT_EQ(first->response.client_ip, *server.address);
  const auto second = server.grant(body(caps("\"resume\"")));
  ASSERT_TRUE(second) << "it takes the other's place";
  EXPECT_EQ(second->response.client_ip, *server.address);
  ASSERT_TRUE(second->replaced);
  EXPECT_EQ(second->replaced->session, first->response.session_id);
  server.give_back(*first);
  EXPECT_EQ(server.leases.lent(), 1u);
  server.give_back(*second);
  EXPECT_TRUE(server.has_nothing_taken());
}

TEST(Grant, RefusesADeviceWhileAnotherHasItsAddress) {
  Server server;
  const auto stranger = server.grant(body(), "token b");
  ASSERT_TRUE(stranger);
  server.address = stranger->response.client_ip;
  server.book.fix(std::array{*server.address});
  const auto refused = server.grant(body());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().result, HandshakeResult::kBusy);
  server.give_back(*stranger);
  EXPECT_TRUE(server.has_nothing_taken());
  EXPECT_EQ(server.grant(body())->response.client_ip, *server.address);
}

TEST(Grant, LendsAnyAddressWhereThePoolLacksTheDevices) {
  Server server;
  server.address = *IpAddress::parse("10.9.0.7");
  server.book.fix(std::array{*server.address});
  EXPECT_EQ(server.grant(body())->response.client_ip, *IpAddress::parse("10.8.0.2"));
}

}  // namespace
}  // namespace qdt::server
