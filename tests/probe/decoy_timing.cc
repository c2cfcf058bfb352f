// qdt-decoy-timing: asks a server for several things in random order, and prints how long each
// answer took: a line `KIND NANOSECONDS` for each. The reader compares the kinds.

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "os/clock.h"
#include "probe/quic_end.h"
#include "quic/tls.h"
#include "support/seeded_random.h"
#include "wire/concealed_auth.h"
#include "wire/exporter.h"
#include "wire/handshake.h"
#include "wire/key_text.h"
#include "wire/request_target.h"

namespace {

using namespace qdt;

struct Kind {
  const char* name;
  /// On a connection with that exporter.
  std::function<quic::Request(const wire::Exporter&)> request;
};

quic::Request request(const char* path) {
  return {.method = "POST",
          .authority = "probe",
          .path = path,
          .headers = {{std::string(wire::kTokenHeader), "wrong-token-0123456789abcdef"},
                      {"content-length", "0"}},
          .body = ""};
}

// A request for a session of version 2, by who has this key, and perhaps not its private half.
quic::Request session_request(const char* path, const wire::Exporter& exporter,
                              const wire::Ed25519Key& key,
                              const wire::Ed25519PublicKey* shown = nullptr) {
  const wire::Ed25519PublicKey& public_key = shown != nullptr ? *shown : key.public_key();
  const auto key_id = wire::key_id_of(public_key);
  wire::ConcealedExport exported;
  exporter.derive(wire::kConcealedLabel, wire::concealed_context(key_id, public_key, "probe", 443),
                  exported);
  wire::ConcealedAuth auth = wire::prove(key, key_id, exported);
  auth.public_key = public_key;
  return {
      .method = "CONNECT",
      .authority = "probe",
      .path = path,
      .headers = {{"capsule-protocol", "?1"}, {"authorization", wire::write_concealed_auth(auth)}},
      .body = {},
      .protocol = std::string(wire::kConnectIpProtocol)};
}

std::vector<Kind> kinds_of_version1() {
  const auto fixed = [](const char* path) {
    return [path](const wire::Exporter&) { return request(path); };
  };
  return {{"wrong-token", fixed("/connect")},
          {"unknown-path", fixed("/contact")},
          {"root", fixed("/")}};
}

// `known` is a key that the server knows; nobody here has its private half.
std::vector<Kind> kinds_of_version2(const wire::Ed25519PublicKey& known) {
  static const std::string kPath = wire::expand_path(wire::kDefaultTemplate);
  static const wire::Ed25519Key kStranger(wire::Ed25519Seed{6, 6, 6});
  return {{"no-proof",
           [](const wire::Exporter& exporter) {
             auto request = session_request(kPath.c_str(), exporter, kStranger);
             request.headers.pop_back();
             return request;
           }},
          {"unknown-key",
           [](const wire::Exporter& exporter) {
             return session_request(kPath.c_str(), exporter, kStranger);
           }},
          {"wrong-signature",
           [known](const wire::Exporter& exporter) {
             return session_request(kPath.c_str(), exporter, kStranger, &known);
           }},
          {"other-path", [](const wire::Exporter& exporter) {
             return session_request("/contact", exporter, kStranger);
           }}};
}

/// One request at a time, on a connection that is made again when the server has ended it.
class Asker final : private quic::ConnectionEvents {
 public:
  Asker(const SocketAddress& server, const quic::TlsClientContext& tls, probe::Host host)
      : server_(server), tls_(tls), end_(std::move(host), {}, nullptr, *this) {}

  /// How long the answer took; nothing when the connection ended meanwhile, or never began.
  std::optional<Duration> ask(const Kind& kind) {
    if (connection_ == nullptr && !connect()) return std::nullopt;
    const quic::Request request = kind.request(connection_->exporter());
    // The server allows the next request when it has seen the end of the last.
    is_answered_ = false;
    if (!run_until([&] { return connection_->request(request).has_value(); })) return std::nullopt;
    const Timestamp begun = os::now();
    if (!run_until([&] { return is_answered_; })) return std::nullopt;
    return answered_at_ - begun;
  }

 private:
  static constexpr Duration kPatience = 5s;

  bool connect() {
    const UdpPath path{.local = end_.local_address(), .remote = server_};
    has_settings_ = false;
    connection_ = &end_.endpoint().connect(tls_, server_.address.to_string(), path, os::now());
    return run_until([&] { return has_settings_; });
  }

  template <typename Done>
  bool run_until(Done&& done) {
    const Timestamp deadline = os::now() + kPatience;
    while (connection_ != nullptr && !done()) {
      end_.write();
      if (connection_ == nullptr || os::now() >= deadline || !end_.wait(deadline)) return false;
    }
    return connection_ != nullptr;
  }

  void on_settings(quic::Connection&) override { has_settings_ = true; }
  void on_message(quic::Connection&, quic::StreamId, const quic::Message& message) override {
    if (!message.has_ended || is_answered_) return;
    is_answered_ = true;
    answered_at_ = os::now();
  }
  void on_stream_closed(quic::Connection&, quic::StreamId) override {}
  void on_closed(quic::Connection&, const quic::CloseReason&) override { connection_ = nullptr; }

  SocketAddress server_;
  const quic::TlsClientContext& tls_;
  probe::QuicEnd end_;
  quic::Connection* connection_ = nullptr;
  bool has_settings_ = false;
  bool is_answered_ = false;
  Timestamp answered_at_;
};

int fail_with(const std::string& message) {
  std::cerr << "qdt-decoy-timing: " << message << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string server;
  std::size_t count = 1000;
  std::uint64_t seed = 1;
  std::string known_key;
  CLI::App app("Measures how long a server takes to answer a wrong token, an unknown path, and /.");
  app.add_option("server", server, "ADDRESS:PORT")->required();
  app.add_option("--count", count, "answers of each kind");
  app.add_option(
         "--known", known_key,
         "instead, no proof, an unknown key, a wrong signature of this known one, and another "
         "path, by version 2")
      ->type_name("ed25519:KEY");
  app.add_option("--seed", seed);
  CLI11_PARSE(app, argc, argv);

  const auto address = SocketAddress::parse(server);
  if (!address) return fail_with(address.error().message);
  auto host = probe::Host::open({.local = {address->address, 0}, .remote = *address});
  const auto tls = quic::TlsClientContext::without_verification();
  if (!host) return fail_with(host.error().message);
  if (!tls) return fail_with(tls.error().message);
  Asker asker(*address, *tls, std::move(*host));

  const auto known = wire::parse_public_key(known_key);
  if (!known_key.empty() && !known) return fail_with("--known is a key, ed25519:...");
  const std::vector<Kind> kinds = known ? kinds_of_version2(*known) : kinds_of_version1();
  testing::SeededRandom random(seed);
  std::vector<std::size_t> left(std::size(kinds), count);
  std::size_t failures = 0;
  for (std::size_t rest = std::size(kinds) * count; rest > 0;) {
    const std::size_t pick = random.number() % std::size(kinds);
    if (left[pick] == 0) continue;
    const auto took = asker.ask(kinds[pick]);
    if (!took) {
      if (++failures > count) return fail_with("the server does not answer");
      continue;
    }
    std::cout << kinds[pick].name << ' ' << took->count() << '\n';
    --left[pick];
    --rest;
  }
  return 0;
}
