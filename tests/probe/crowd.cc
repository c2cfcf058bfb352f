// qdt-crowd: many strangers at once, for the namespace tests. They come from addresses of a whole
// prefix, which the host has to have: `ip route add local PREFIX dev lo`.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "os/clock.h"
#include "probe/bad_payloads.h"
#include "probe/quic_end.h"
#include "quic/tls.h"
#include "support/seeded_random.h"

namespace {

using namespace qdt;

constexpr std::size_t kShortHeaderIdAt = 1;
constexpr std::size_t kLongHeaderIdAt = 6;

struct Options {
  SocketAddress server;
  std::optional<Prefix> sources;
  std::size_t connections = 0;  ///< or, with a kind, payloads
  std::string kind;
  std::vector<std::uint8_t> live_id;  ///< of somebody's connection; empty: of nobody's
  double per_second = 1000;
  Duration stay{};
  std::uint64_t seed = 1;
};

class Crowd final : private quic::ConnectionEvents {
 public:
  Crowd(const Options& options, const quic::TlsClientContext& tls, probe::Host host)
      : options_(options),
        tls_(tls),
        seeded_random_(options.seed),
        end_(std::move(host), {.connection = {.keep_alive = 1s}}, nullptr, *this) {}

  /// Opens connections at the rate that is wanted, asks for nothing, and keeps those that the
  /// server keeps.
  void visit() {
    const Timestamp begun = os::now();
    std::size_t opened = 0;
    for (bool goes_on = true; goes_on;) {
      const Timestamp now = os::now();
      const auto due = std::min(options_.connections, due_since(begun, now));
      for (; opened < due; ++opened) {
        end_.endpoint().connect(tls_, "localhost", {source(), options_.server}, now);
      }
      if (opened == options_.connections && now >= last_due() + begun + options_.stay) break;
      end_.write();
      goes_on = end_.wait(now + 1ms);
    }
    std::cout << opened << " opened, " << answered_ << " answered, " << ended_ << " ended, "
              << opened - ended_ << " left" << std::endl;
  }

  /// Throws payloads that belong to nobody, at the rate that is wanted.
  void flood() {
    const auto payloads =
        probe::bad_payloads(options_.kind, std::min<std::size_t>(options_.connections, 4096),
                            first_payload(), seeded_random_);
    UdpSendQueue& out = end_.out();
    const Timestamp begun = os::now();
    std::size_t sent = 0;
    while (sent < options_.connections) {
      const Timestamp now = os::now();
      for (std::size_t i = 0; i < 64 && sent < due_since(begun, now) && out.has_room(); ++i) {
        const Bytes payload = payloads[sent % payloads.size()];
        append(out.next_payload(), payload);
        if (options_.live_id.empty()) {
          // Another ID each time: nobody has heard of it.
          end_.random().fill(
              out.next_payload().subspan(kLongHeaderIdAt, quic::kOurConnectionIdBytes));
        } else {
          append(out.next_payload().subspan(kShortHeaderIdAt), options_.live_id);
        }
        out.push({source(), options_.server}, Ecn::kNotEct, payload.size());
        ++sent;
      }
      end_.send(out);
      if (sent >= due_since(begun, now)) std::this_thread::sleep_for(200us);
    }
    std::cout << sent << " sent in " << (os::now() - begun) / 1ms << " ms" << std::endl;
  }

 private:
  std::size_t due_since(Timestamp begun, Timestamp now) const {
    return static_cast<std::size_t>(std::chrono::duration<double>(now - begun).count() *
                                    options_.per_second);
  }
  Duration last_due() const {
    return Duration(static_cast<std::int64_t>(1e9 * static_cast<double>(options_.connections) /
                                              options_.per_second));
  }

  SocketAddress source() {
    SocketAddress local = end_.local_address();
    if (!options_.sources) return local;
    auto bytes = end_.random().bytes<16>();
    const Bytes prefix = options_.sources->address().bytes();
    const auto length = static_cast<std::size_t>(options_.sources->length()) / 8;
    append(bytes, prefix.first(length));
    local.address = local.address.is_v4() || prefix.size() == 4
                        ? IpAddress::v4(std::span(bytes).first<4>())
                        : IpAddress::v6(bytes);
    return local;
  }

  probe::Payload first_payload() {
    end_.endpoint().connect(tls_, "localhost", {end_.local_address(), options_.server}, os::now());
    (void)end_.endpoint().write(end_.out(), os::now());
    const UdpBurst& burst = end_.out().bursts().front();
    const Bytes initial = Bytes(burst.bytes).first(burst.segment_bytes);
    probe::Payload payload(initial.begin(), initial.end());
    end_.out().clear();
    return payload;
  }

  void on_settings(quic::Connection&) override { ++answered_; }
  void on_message(quic::Connection&, quic::StreamId, const quic::Message&) override {}
  void on_stream_closed(quic::Connection&, quic::StreamId) override {}
  void on_closed(quic::Connection&, const quic::CloseReason&) override { ++ended_; }

  const Options& options_;
  const quic::TlsClientContext& tls_;
  testing::SeededRandom seeded_random_;
  probe::QuicEnd end_;
  std::size_t answered_ = 0;
  std::size_t ended_ = 0;
};

int fail_with(const std::string& message) {
  std::cerr << "qdt-crowd: " << message << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::string server, sources, live_id;
  double stay_seconds = 0;
  CLI::App app(
      "Opens many connections to a QDT server and asks for nothing, or throws payloads of a kind "
      "that belong to no connection.");
  app.add_option("server", server, "ADDRESS:PORT")->required();
  app.add_option("--sources", sources, "a prefix: each comes from another address of it");
  app.add_option("--count", options.connections, "connections, or payloads")->required();
  app.add_option("--per-second", options.per_second);
  app.add_option("--stay", stay_seconds, "seconds, once the last was opened");
  app.add_option("--throw", options.kind, "KIND of payloads, in place of connections");
  app.add_option("--id", live_id, "hex: the connection that short headers name");
  app.add_option("--seed", options.seed);
  app.footer("Kinds of payloads:\n" + probe::bad_payload_kinds());
  CLI11_PARSE(app, argc, argv);

  const auto address = SocketAddress::parse(server);
  if (!address) return fail_with(address.error().message);
  options.server = *address;
  for (std::size_t at = 0; at + 1 < live_id.size(); at += 2) {
    options.live_id.push_back(
        static_cast<std::uint8_t>(std::stoul(live_id.substr(at, 2), nullptr, 16)));
  }
  options.stay = Duration(static_cast<std::int64_t>(stay_seconds * 1e9));
  if (!sources.empty()) {
    const auto prefix = Prefix::parse(sources);
    if (!prefix) return fail_with(prefix.error().message);
    options.sources = *prefix;
  }
  if (!options.kind.empty() && !probe::is_bad_payload_kind(options.kind)) {
    return fail_with("no such kind: " + options.kind);
  }

  auto host = probe::Host::open({.local = {*IpAddress::parse("::"), 0}});
  const auto tls = quic::TlsClientContext::without_verification();
  if (!host) return fail_with(host.error().message);
  if (!tls) return fail_with(tls.error().message);

  Crowd crowd(options, *tls, std::move(*host));
  options.kind.empty() ? crowd.visit() : crowd.flood();
  return 0;
}
