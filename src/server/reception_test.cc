#include "server/reception.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/udp_burst.h"
#include "support/seeded_random.h"
#include "support/test_certificate.h"

namespace qdt::server {
namespace {

using wire::HandshakeResult;

constexpr Timestamp kStart{Duration(1h)};
const SocketAddress kPeer{IpAddress::v4(0x01020304), 1000};
const std::string kBody = R"({"version":1,"client_nonce":"PF6BtAxexo4Eo0Bsl9Y8+w"})";

// A carrier that is no HTTP/3: it notes what is asked of it.
class NotedExchange final : public Exchange {
 public:
  explicit NotedExchange(int connection = 1) : connection_(connection) {}

  const void* connection() const override {
    return reinterpret_cast<const void*>(  // NOLINT(performance-no-int-to-ptr)
        static_cast<std::intptr_t>(connection_));
  }
  SocketAddress from() const override { return kPeer; }
  bool is_carriage_known() const override { return is_known; }
  Carriage carriage() const override { return {.has_datagrams = true}; }
  void respond(const quic::Response& response) override { statuses.push_back(response.status); }
  void close() override { is_closed = true; }
  void open(Grant& grant, const SettledSession&, tunnel::SessionOptions& options) override {
    lease = grant.response.client_ip.to_string();
    dns = grant.response.dns;
    rate_limit = options.rate_limit;
    account = options.account;
  }

  bool is_known = true;
  std::vector<int> statuses;
  bool is_closed = false;
  std::string lease;
  std::vector<IpAddress> dns;
  RateLimit rate_limit;
  std::shared_ptr<access::Account> account;

 private:
  int connection_;
};

class NoLog final : public Logger {
  void write(LogLevel, std::string_view) override {}
};

// Answers when the test says so.
class SlowUpstream final : public DecoyUpstream {
 public:
  void ask(const SocketAddress&, const quic::Message&, const IpAddress&, Done done) override {
    answers.push_back(std::move(done));
  }
  std::vector<Done> answers;
};

class ReceptionTest : public ::testing::Test, public tunnel::TunnelEvents {
 protected:
  explicit ReceptionTest(std::shared_ptr<const Decoy> decoy = nullptr)
      : reception_({.offer = {.pool = *Prefix::parse("10.8.0.0/24"),
                              .gateway = *IpAddress::parse("10.8.0.1")},
                    .decoy = std::move(decoy),
                    .proxy = &upstream_,
                    .post = [this](auto task) { task(tunnel_); }},
                   {.admission = admission_, .leases = leases_, .book = book_}, handshakes_,
                   random_, log_) {
    admission_.set_ready(true);
    tunnel_.forward({}, kStart);  // which tells it the time
  }

  void receive(NotedExchange& exchange, Reception::Request& request, const std::string& token,
               const std::string& body = kBody, const std::string& path = "/connect") {
    quic::Message message;
    message.method = "POST";
    message.path = path;
    message.headers = {{"x-qdt-token", token}};
    message.body = body;
    reception_.receive(tunnel_, exchange, request, message);
  }
  void advance(Duration duration) {
    now_ += duration;
    tunnel_.handle_timeouts(now_);
  }

  void on_settings(tunnel::Tunnel&, quic::Connection&) override {}
  void on_message(tunnel::Tunnel&, quic::Connection&, quic::StreamId,
                  const quic::Message&) override {}
  void on_stream_closed(tunnel::Tunnel&, quic::Connection&, quic::StreamId) override {}
  void on_wake(tunnel::Tunnel& tunnel) override { reception_.on_wake(tunnel); }
  void on_session_closed(tunnel::Tunnel&, tunnel::Session&, tunnel::SessionEnd,
                         const std::string&) override {}
  void on_connection_closed(tunnel::Tunnel&, quic::Connection&, const quic::CloseReason&) override {
  }

  Timestamp now_ = kStart;
  testing::SeededRandom random_{1};
  NoLog log_;
  SlowUpstream upstream_;
  tunnel::Counters counters_;
  UdpSendQueue payloads_{64};
  tunnel::HandshakeCounters handshakes_;
  access::Admission admission_{{.token = "token", .address_rate = {.per_second = 1, .burst = 1}}};
  LeasePool leases_{*Prefix::parse("10.8.0.0/24"), *IpAddress::parse("10.8.0.1"), 1};
  LeaseBook book_{leases_, 10min};
  Reception reception_;
  tunnel::Tunnel tunnel_{{},       &qdt::testing::test_server_tls(), *this, random_, counters_,
                         payloads_};
};

TEST_F(ReceptionTest, OpensASessionWhateverCarriesIt) {
  NotedExchange exchange;
  Reception::Request request;
  receive(exchange, request, "token");
  EXPECT_EQ(exchange.lease, "10.8.0.2");
  EXPECT_EQ(exchange.account, admission_.users()->users()[0]->account);
  EXPECT_TRUE(exchange.statuses.empty());  // the carrier's own answer says that it is open
  EXPECT_EQ(handshakes_.value(HandshakeResult::kOk), 1u);
}

TEST_F(ReceptionTest, WaitsForTheBodyAndForTheCarriage) {
  NotedExchange exchange;
  exchange.is_known = false;
  Reception::Request request;
  receive(exchange, request, "token", kBody.substr(0, 20));
  receive(exchange, request, "token", kBody);
  EXPECT_EQ(exchange.lease, "");
  exchange.is_known = true;
  reception_.on_carriage_known(tunnel_, exchange, request);
  EXPECT_EQ(exchange.lease, "10.8.0.2");
  receive(exchange, request, "token", kBody + " ");  // what comes later is no request
  EXPECT_EQ(admission_.sessions(), 1u);
}

access::UserTable::Snapshot user(const std::string& token, const access::UserLimits& limits = {}) {
  const access::UserTable::Entry entry{.name = {}, .token = token, .limits = limits};
  return *access::UserTable::create({&entry, 1}, access::UserTable::Key{});
}

TEST_F(ReceptionTest, TakesAnotherTokenFromThenOn) {
  reception_.use_users(user("new token"));
  NotedExchange exchanges[2];
  Reception::Request requests[2];
  receive(exchanges[0], requests[0], "new token");
  EXPECT_EQ(exchanges[0].lease, "10.8.0.2");
  receive(exchanges[1], requests[1], "token");
  EXPECT_EQ(exchanges[1].statuses, std::vector<int>{401});
}

// Somebody who began with the old token could otherwise keep it good by being slow.
TEST_F(ReceptionTest, RefusesATokenThatIsExchangedBeforeTheBodyHasCome) {
  NotedExchange exchange;
  Reception::Request request;
  receive(exchange, request, "token", kBody.substr(0, 20));
  reception_.use_users(user("new token"));
  receive(exchange, request, "token", kBody);
  EXPECT_EQ(exchange.lease, "");
  EXPECT_EQ(exchange.statuses, std::vector<int>{401});
  EXPECT_EQ(admission_.sessions(), 0u);
}

TEST_F(ReceptionTest, GivesASessionTheSettingsOfItsOpening) {
  NotedExchange exchange;
  Reception::Request request;
  receive(exchange, request, "token", kBody.substr(0, 20));
  const RateLimit limit{.per_second = 7, .burst = 8};
  reception_.use_users(user("token", {.session_rate = limit}));
  reception_.use_pushed(
      {.dns = {*IpAddress::parse("192.0.2.53")}, .routes = {}, .dns_domains = {}});
  receive(exchange, request, "token", kBody);
  EXPECT_EQ(exchange.rate_limit, limit);
  EXPECT_EQ(exchange.dns, std::vector{*IpAddress::parse("192.0.2.53")});
}

TEST_F(ReceptionTest, RefusesInItsOwnWordsAUserAndAVisitorWhereThereIsNoDecoy) {
  NotedExchange broken;
  Reception::Request request;
  receive(broken, request, "token", "{}");
  EXPECT_EQ(broken.statuses, std::vector<int>{400});
  NotedExchange guess;
  Reception::Request other;
  receive(guess, other, "guess");
  EXPECT_EQ(guess.statuses, std::vector<int>{401});
}

TEST_F(ReceptionTest, AnswersAGuessInItsTurn) {
  NotedExchange first(1);
  NotedExchange second(2);
  Reception::Request requests[2];
  receive(first, requests[0], "guess");
  receive(second, requests[1], "guess");
  EXPECT_EQ(first.statuses, std::vector<int>{401});
  advance(999ms);
  EXPECT_TRUE(second.statuses.empty());
  advance(1ms);
  EXPECT_EQ(second.statuses, std::vector<int>{401});
}

TEST_F(ReceptionTest, LetsAConnectionWaitForOneAnswer) {
  NotedExchange exchanges[3] = {NotedExchange(1), NotedExchange(2), NotedExchange(2)};
  Reception::Request requests[3];
  for (int i = 0; i < 3; ++i) receive(exchanges[i], requests[i], "guess");
  EXPECT_FALSE(exchanges[1].is_closed);
  EXPECT_TRUE(exchanges[2].is_closed);
}

TEST_F(ReceptionTest, ForgetsAnExchangeThatEndsBeforeItsAnswer) {
  NotedExchange first(1);
  Reception::Request requests[2];
  receive(first, requests[0], "guess");
  {
    NotedExchange gone(2);
    receive(gone, requests[1], "guess");
    reception_.forget(gone);
  }
  advance(10s);  // an answer to it would write to what is no more
}

class ProxyReceptionTest : public ReceptionTest {
 protected:
  ProxyReceptionTest()
      : ReceptionTest(std::make_shared<const Decoy>(Decoy::proxy({IpAddress::v4(1), 80}))) {}
};

TEST_F(ProxyReceptionTest, PassesOnTheAnswerOfAnotherServer) {
  NotedExchange exchange;
  Reception::Request request;
  receive(exchange, request, "", "", "/page");
  ASSERT_EQ(upstream_.answers.size(), 1u);
  EXPECT_TRUE(exchange.statuses.empty());
  upstream_.answers[0]({.status = 203});
  EXPECT_EQ(exchange.statuses, std::vector<int>{203});
}

// Another exchange may be in the place of the one that asked.
TEST_F(ProxyReceptionTest, GivesNobodyTheAnswerOfAnExchangeThatEnded) {
  std::optional<NotedExchange> place(1);
  Reception::Request requests[2];
  receive(*place, requests[0], "", "", "/first");
  reception_.forget(*place);
  place.emplace(2);
  advance(5s);
  receive(*place, requests[1], "", "", "/second");
  upstream_.answers[0]({.status = 203});
  EXPECT_TRUE(place->statuses.empty());
  upstream_.answers[1]({.status = 204});
  EXPECT_EQ(place->statuses, std::vector<int>{204});
}

}  // namespace
}  // namespace qdt::server
