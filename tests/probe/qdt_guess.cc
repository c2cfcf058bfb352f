// qdt-guess: somebody who guesses tokens at a QDT server as fast as he is told to, over many
// connections, and does not wait for answers. Trusts any certificate. Prints what came of it.

#include <CLI/CLI.hpp>
#include <iostream>
#include <list>
#include <string>

#include "os/clock.h"
#include "probe/quic_end.h"
#include "quic/tls.h"
#include "wire/handshake.h"

namespace {

using namespace qdt;

struct GuessOptions {
  SocketAddress server;
  std::string path{wire::kConnectPath};
  double per_second = 200;
  double seconds = 5;
  std::size_t connections = 32;
};

class Guesser final : private quic::ConnectionEvents {
 public:
  Guesser(const GuessOptions& options, const quic::TlsClientContext& tls, probe::Host host)
      : options_(options), tls_(tls), end_(std::move(host), {}, nullptr, *this) {}

  void run() {
    const Duration interval(static_cast<std::int64_t>(1e9 / options_.per_second));
    Timestamp next = os::now();
    const Timestamp end = next + Duration(static_cast<std::int64_t>(options_.seconds * 1e9));
    for (Timestamp now = next; now < end; now = os::now()) {
      for (; next <= now; next += interval) guess(now);
      end_.write();
      if (!end_.wait(next)) break;
    }
    std::cout << guesses_ << " guesses, " << answers_ << " answers, " << connects_
              << " connections, " << ended_ << " ended by the server" << std::endl;
  }

 private:
  struct Visit {
    quic::Connection* connection = nullptr;
    bool is_ready = false;
    bool is_asking = false;
  };

  // quic::ConnectionEvents
  void on_settings(quic::Connection& connection) override {
    if (Visit* visit = find(connection)) {
      visit->is_ready = true;
      ask(*visit);
    }
  }
  void on_message(quic::Connection& connection, quic::StreamId,
                  const quic::Message& message) override {
    Visit* visit = find(connection);
    if (visit == nullptr || !message.has_ended) return;
    visit->is_asking = false;
    ++answers_;
  }
  void on_stream_closed(quic::Connection&, quic::StreamId) override {}
  void on_closed(quic::Connection& connection, const quic::CloseReason&) override {
    ended_ +=
        std::erase_if(visits_, [&](const Visit& visit) { return visit.connection == &connection; });
  }

  Visit* find(const quic::Connection& connection) {
    for (Visit& visit : visits_) {
      if (visit.connection == &connection) return &visit;
    }
    return nullptr;
  }

  // False when the server allows the connection no further request.
  bool ask(Visit& visit) {
    const auto stream = visit.connection->request(
        {.method = "POST",
         .authority = "guess",
         .path = options_.path,
         .headers = {{std::string(wire::kTokenHeader), "guess " + std::to_string(guesses_)}},
         .body = "{}"});
    visit.is_ready = stream.has_value();
    if (!stream) return false;
    visit.is_asking = true;
    ++guesses_;
    return true;
  }

  // On a connection that has its answer, or on a new one: the oldest is left where it is.
  void guess(Timestamp now) {
    for (Visit& visit : visits_) {
      if (visit.is_ready && !visit.is_asking && ask(visit)) return;
    }
    if (visits_.size() >= options_.connections) {
      quic::Connection& oldest = *visits_.front().connection;
      visits_.pop_front();
      oldest.close("", now);
    }
    const UdpPath path{.local = end_.local_address(), .remote = options_.server};
    visits_.push_back({.connection = &end_.endpoint().connect(
                           tls_, options_.server.address.to_string(), path, now)});
    ++connects_;
  }

  const GuessOptions& options_;
  const quic::TlsClientContext& tls_;
  std::list<Visit> visits_;
  std::size_t guesses_ = 0;
  std::size_t answers_ = 0;
  std::size_t connects_ = 0;
  std::size_t ended_ = 0;
  probe::QuicEnd end_;  // last: it refers to the rest
};

int fail_with(const std::string& message) {
  std::cerr << "qdt-guess: " << message << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  GuessOptions options;
  std::string server;
  CLI::App app("Guesses tokens at a QDT server.");
  app.add_option("server", server, "ADDRESS:PORT")->required();
  app.add_option("--path", options.path);
  app.add_option("--rate", options.per_second, "guesses a second");
  app.add_option("--seconds", options.seconds);
  app.add_option("--connections", options.connections, "at one time");
  CLI11_PARSE(app, argc, argv);

  const auto address = SocketAddress::parse(server);
  if (!address) return fail_with(address.error().message);
  options.server = *address;
  const IpAddress from = address->address.is_v6() ? *IpAddress::parse("::") : IpAddress();
  auto host = probe::Host::open({.local = {from, 0}, .remote = options.server});
  const auto tls = quic::TlsClientContext::without_verification();
  if (!host) return fail_with(host.error().message);
  if (!tls) return fail_with(tls.error().message);
  Guesser(options, *tls, std::move(*host)).run();
  return 0;
}
