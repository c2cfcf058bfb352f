// A real server with four shards and real clients, on real TUN devices, under load, while all that
// may happen to them does: clients come and go, networks change, the certificate is renewed, leases
// are saved, metrics are read, and the server stops and starts again. For ThreadSanitizer:
// everything that threads share is used here by those that share it.

#include <csignal>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "client/client.h"
#include "ops/metrics.h"
#include "os/clock.h"
#include "os/local_host_control.h"
#include "os/process.h"
#include "os/system_random.h"
#include "quic/certificate.h"
#include "server/server.h"
#include "support/scratch_folder.h"
#include "threads/network_thread.h"

namespace qdt::testing {
namespace {

constexpr std::uint16_t kPort = 4433;
constexpr std::uint16_t kEchoPort = 7;
constexpr int kClients = 4;
const std::string kToken = "a-token-for-threads-0123456789";

// Counts lines; what they say is for other tests. Any thread.
class CountingLogger final : public Logger {
 public:
  std::atomic<int> lines = 0;

 private:
  void write(LogLevel, std::string_view) override { lines.fetch_add(1); }
};

std::shared_ptr<const quic::TlsServerContext> new_certificate() {
  const std::string names[] = {"localhost"};
  const auto pem = quic::make_self_signed_certificate(names, {});
  return std::make_shared<const quic::TlsServerContext>(
      std::move(*quic::TlsServerContext::from_pem(pem->certificate, pem->key)));
}

server::Server::Options server_options(const std::string& lease_path) {
  return {.address = {IpAddress::v4(0), kPort},
          .tun_name = "qdts",
          .shard_count = 4,
          .admission = {.token = kToken},
          .reception = {.offer = {.pool = *Prefix::parse("10.8.0.0/24"),
                                  .gateway = *IpAddress::parse("10.8.0.1")}},
          .access = {.host = HostAccess::kAll},
          .has_nat = false,
          .lease_path = lease_path};
}

client::Client::Options client_options(int number) {
  wire::Capabilities caps = wire::Capabilities::supported();
  caps.resume = true;
  caps.direct = number % 2 == 0;  // half of them by the direct plane
  client::Client::Options options{.server_host = "10.99." + std::to_string(number) + ".1",
                                  .server_port = kPort};
  options.host.tun_name = "qdtc" + std::to_string(number);
  options.host.routing = Routing::kPool;
  options.host.has_dns = false;
  options.keep_alive = 1s;
  options.reconnect.waits_for_server = true;
  options.reconnect.timeout = 3s;
  options.connector = {.token = kToken,
                       .server_name = "localhost",
                       .caps = caps,
                       .client_id = "client" + std::to_string(number)};
  return options;
}

// One client after the other in a network of its own, and a sender that never stops beside them.
class ChurningClient {
 public:
  explicit ChurningClient(int number) : number_(number), thread_(number, [this] { work(); }) {}

  /// Answers that came through the tunnel so far.
  int answers() const { return answers_.load(); }
  /// Clients that have ended as they were asked to.
  int stopped() const { return stopped_.load(); }
  /// Has the client end; another follows.
  void stop() { thread_.send_signal(SIGTERM); }
  /// Its own end of the cable.
  void change_network(const std::string& command) {
    const std::lock_guard lock(mutex_);
    command_ = command;
  }
  void end() {
    is_ending_.store(true);
    stop();
  }

 private:
  void work() {
    std::thread load([this] { send_steadily(); });
    auto tls = quic::TlsClientContext::without_verification();
    while (!is_ending_.load()) {
      auto stop = os::StopSignal::open();
      const client::Client::Options options = client_options(number_);
      os::LocalHostControl host(client::Client::host_plan(options), logger_);
      client::Client client(options, *tls, random_, host, logger_);
      const auto outcome = client.run(*stop);
      EXPECT_EQ(outcome.exit, client::Client::Exit::kStopped) << outcome.text;
      stopped_.fetch_add(1);
      if (outcome.exit != client::Client::Exit::kStopped) break;
    }
    is_ending_.store(true);
    load.join();
  }

  void send_steadily() {
    PlainSocket socket;
    std::vector<char> packet(1200);
    const sockaddr_in echo = PlainSocket::address("10.8.0.1", kEchoPort);
    while (!is_ending_.load()) {
      if (const std::string command = take_command(); !command.empty()) os::shell(command);
      for (int i = 0; i < 8; ++i) socket.send(packet.data(), packet.size(), echo);
      while (socket.receive(packet.data(), packet.size()) > 0) {
        answers_.fetch_add(1);
        if (answers_.load() % 8 == 0) break;
      }
    }
  }

  std::string take_command() {
    const std::lock_guard lock(mutex_);
    return std::exchange(command_, "");
  }

  int number_;
  os::SystemRandom random_;
  CountingLogger logger_;
  std::atomic<bool> is_ending_ = false;
  std::atomic<int> answers_ = 0;
  std::atomic<int> stopped_ = 0;
  std::mutex mutex_;
  std::string command_;
  NetworkThread thread_;
};

// The work of main in between, and the reads of a metrics scrape.
void look_after(server::Server& server) {
  server.check_host(os::now());
  server.save_leases();
}

class Hosts {
 public:
  Hosts() : certificate_(new_certificate()) {
    EXPECT_TRUE(echo_socket_.bind(kEchoPort));
    echo_ = std::thread([this] { echo(); });
    for (int number = 0; number < kClients; ++number) clients_.emplace_back(number);
  }
  ~Hosts() {
    for (ChurningClient& client : clients_) client.end();
    clients_.clear();
    is_ending_.store(true);
    echo_.join();
    stop_server();
  }

  void start_server() {
    const server::Server::Options options = server_options(folder_.file("leases"));
    host_ = std::make_unique<os::LocalHostControl>(server::Server::host_plan(options), logger_);
    auto server = server::Server::open(options, *certificate_, random_, *host_, logger_);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    server_->run();
    is_scraping_.store(true);
    scraper_ = std::thread([this] { scrape(); });
  }
  void stop_server() {
    if (!server_) return;
    is_scraping_.store(false);
    scraper_.join();
    server_.reset();
  }
  /// Another table of users, in which the clients' user has other limits.
  void exchange_users(int round) {
    const access::UserTable::Entry entry{
        .name = "everybody",
        .token = kToken,
        .limits = {.rate = {.per_second = 1e6 + round, .burst = 1e5}}};
    users_ = *access::UserTable::create({&entry, 1}, {}, users_.get());
    server_->use_users(users_);
    EXPECT_EQ(server_->usage().size(), 1u);
  }
  void renew_certificate() { server_->use_certificate(new_certificate()); }

  /// Every client gets answers, more than it had, while the server is looked after.
  void expect_traffic(const std::string& when) {
    for (ChurningClient& client : clients_) {
      const int before = client.answers();
      EXPECT_TRUE(wait_for([&] {
        look_after(*server_);
        return client.answers() >= before + 50;
      })) << "no answers "
          << when;
    }
  }
  std::deque<ChurningClient>& clients() { return clients_; }

 private:
  void echo() {
    std::vector<char> packet(2000);
    sockaddr_in from{};
    while (!is_ending_.load()) {
      const ssize_t size = echo_socket_.receive(packet.data(), packet.size(), &from);
      if (size > 0) echo_socket_.send(packet.data(), static_cast<std::size_t>(size), from);
    }
  }
  void scrape() {
    while (is_scraping_.load()) {
      EXPECT_NE(ops::metrics_text({.version = "test",
                                   .shards = server_->counters(),
                                   .handshakes = &server_->handshakes()}),
                "");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  ScratchFolder folder_;
  os::SystemRandom random_;
  CountingLogger logger_;
  std::shared_ptr<const quic::TlsServerContext> certificate_;
  std::unique_ptr<os::LocalHostControl> host_;
  std::unique_ptr<server::Server> server_;
  access::UserTable::Snapshot users_;
  std::atomic<bool> is_ending_ = false;
  std::atomic<bool> is_scraping_ = false;
  PlainSocket echo_socket_;
  std::thread echo_, scraper_;
  std::deque<ChurningClient> clients_;
};

TEST(ServerAndClients, CarryPacketsWhateverHappens) {
  os::in_fresh_network([] {
    // Blocked here, so in every thread: each client's own thread asks for its signal.
    const auto signals = os::StopSignal::open();
    Hosts hosts;
    hosts.start_server();
    hosts.expect_traffic("at the start");

    for (int round = 0; round < 3; ++round) {
      for (ChurningClient& client : hosts.clients()) {
        const int before = client.stopped();
        client.stop();
        EXPECT_TRUE(wait_for([&] { return client.stopped() > before; }));
      }
      hosts.renew_certificate();
      hosts.exchange_users(round);
      hosts.expect_traffic("after clients came and went");
    }

    os::shell("ip link set cable1 down");
    hosts.clients()[2].change_network(
        "ip address add 10.99.2.3/24 dev eth0; ip address delete 10.99.2.2/24 dev eth0; "
        "ip address add 10.99.2.2/24 dev eth0; ip route add default via 10.99.2.1");
    os::shell("ip link set cable1 up");
    hosts.expect_traffic("after the networks changed");

    hosts.stop_server();
    hosts.start_server();
    hosts.expect_traffic("after the server's restart");
  });
}

TEST(ServerAndClients, StopWhileEverythingIsUnderWay) {
  os::in_fresh_network([] {
    const auto signals = os::StopSignal::open();
    Hosts hosts;
    for (int round = 0; round < 3; ++round) {
      hosts.start_server();
      hosts.stop_server();  // with handshakes under way
      for (ChurningClient& client : hosts.clients()) client.stop();
    }
    hosts.start_server();
    hosts.expect_traffic("at the end");
  });
}

}  // namespace
}  // namespace qdt::testing
