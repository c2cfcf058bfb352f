// qdt-crowd: many strangers at once, for the namespace tests. They come from addresses of a whole
// prefix, which the host has to have: `ip route add local PREFIX dev lo`.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "base/drop.h"
#include "base/ip_address.h"
#include "base/logger.h"
#include "os/clock.h"
#include "os/poller.h"
#include "os/process.h"
#include "os/system_random.h"
#include "os/udp_socket.h"
#include "probe/bad_payloads.h"
#include "quic/endpoint.h"
#include "support/seeded_random.h"

namespace {

using namespace qdt;

constexpr std::size_t kShortHeaderIdAt = 1;
constexpr std::size_t kLongHeaderIdAt = 6;

class PrintingLogger final : public Logger {
  void write(LogLevel, std::string_view message) override { std::cerr << message << '\n'; }
};

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
  Crowd(const Options& options, const quic::TlsClientContext& tls, os::UdpSocket socket,
        os::Poller poller, os::StopSignal& stop)
      : options_(options),
        tls_(tls),
        socket_(std::move(socket)),
        poller_(std::move(poller)),
        stop_(stop),
        seeded_random_(options.seed),
        endpoint_({.connection = {.keep_alive = 1s}}, nullptr, *this, random_, drops_) {}

  Result<void> watch() {
    if (auto ok = poller_.add(socket_.poll_handle(), kSocket); !ok) return ok;
    return poller_.add(stop_.poll_handle(), kStop);
  }

  /// Opens connections at the rate that is wanted, asks for nothing, and keeps those that the
  /// server keeps.
  void visit() {
    const Timestamp begun = os::now();
    std::size_t opened = 0;
    while (!was_stopped_) {
      const Timestamp now = os::now();
      const auto due = std::min(options_.connections, due_since(begun, now));
      for (; opened < due; ++opened) {
        endpoint_.connect(tls_, "localhost", {source(), options_.server}, now);
      }
      if (opened == options_.connections && now >= last_due() + begun + options_.stay) break;
      while (!endpoint_.write(out_, now)) socket_.send(out_);
      socket_.send(out_);
      for (const os::PollEvent& event :
           poller_.wait(std::min(now + 1ms, endpoint_.next_timeout()), now)) {
        if (event.key == kSocket) take_payloads();
        if (event.key == kStop) was_stopped_ = stop_.take().has_value();
      }
      endpoint_.handle_timeouts(os::now());
    }
    std::cout << opened << " opened, " << answered_ << " answered, " << ended_ << " ended, "
              << opened - ended_ << " left" << std::endl;
  }

  /// Throws payloads that belong to nobody, at the rate that is wanted.
  void flood() {
    const auto payloads =
        probe::bad_payloads(options_.kind, std::min<std::size_t>(options_.connections, 4096),
                            first_payload(), seeded_random_);
    const Timestamp begun = os::now();
    std::size_t sent = 0;
    while (sent < options_.connections && !was_stopped_) {
      const Timestamp now = os::now();
      for (std::size_t i = 0; i < 64 && sent < due_since(begun, now) && out_.has_room(); ++i) {
        const Bytes payload = payloads[sent % payloads.size()];
        append(out_.next_payload(), payload);
        if (options_.live_id.empty()) {
          // Another ID each time: nobody has heard of it.
          random_.fill(out_.next_payload().subspan(kLongHeaderIdAt, quic::kOurConnectionIdBytes));
        } else {
          append(out_.next_payload().subspan(kShortHeaderIdAt), options_.live_id);
        }
        out_.push({source(), options_.server}, Ecn::kNotEct, payload.size());
        ++sent;
      }
      socket_.send(out_);
      if (sent >= due_since(begun, now)) (void)poller_.wait(now + 200us, now);
    }
    std::cout << sent << " sent in " << (os::now() - begun) / 1ms << " ms" << std::endl;
  }

 private:
  enum PollKey { kSocket, kStop };

  std::size_t due_since(Timestamp begun, Timestamp now) const {
    return static_cast<std::size_t>(std::chrono::duration<double>(now - begun).count() *
                                    options_.per_second);
  }
  Duration last_due() const {
    return Duration(static_cast<std::int64_t>(1e9 * static_cast<double>(options_.connections) /
                                              options_.per_second));
  }

  SocketAddress source() {
    SocketAddress local = socket_.local_address();
    if (!options_.sources) return local;
    auto bytes = random_.bytes<16>();
    const Bytes prefix = options_.sources->address().bytes();
    const auto length = static_cast<std::size_t>(options_.sources->length()) / 8;
    append(bytes, prefix.first(length));
    local.address = local.address.is_v4() || prefix.size() == 4
                        ? IpAddress::v4(std::span(bytes).first<4>())
                        : IpAddress::v6(bytes);
    return local;
  }

  probe::Payload first_payload() {
    endpoint_.connect(tls_, "localhost", {socket_.local_address(), options_.server}, os::now());
    (void)endpoint_.write(out_, os::now());
    const UdpBurst& burst = out_.bursts().front();
    const Bytes initial = Bytes(burst.bytes).first(burst.segment_bytes);
    probe::Payload payload(initial.begin(), initial.end());
    out_.clear();
    return payload;
  }

  void take_payloads() {
    socket_.receive(received_);
    for (const UdpBurst& burst : received_.bursts()) {
      for_each_payload(burst, [&](Bytes payload) {
        if (!out_.has_room()) socket_.send(out_);
        endpoint_.receive(burst.path, burst.ecn, payload, out_, os::now());
      });
    }
  }

  void on_settings(quic::Connection&) override { ++answered_; }
  void on_message(quic::Connection&, quic::StreamId, const quic::Message&) override {}
  void on_stream_closed(quic::Connection&, quic::StreamId) override {}
  void on_closed(quic::Connection&, const quic::CloseReason&) override { ++ended_; }

  const Options& options_;
  const quic::TlsClientContext& tls_;
  os::UdpSocket socket_;
  os::Poller poller_;
  os::StopSignal& stop_;
  os::SystemRandom random_;
  testing::SeededRandom seeded_random_;
  DropCounters drops_;
  quic::Endpoint endpoint_;
  os::UdpReceiveBatch received_;
  UdpSendQueue out_{256};
  std::size_t answered_ = 0;
  std::size_t ended_ = 0;
  bool was_stopped_ = false;
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

  PrintingLogger logger;
  auto stop = os::StopSignal::open();
  auto poller = os::Poller::open();
  auto socket = os::UdpSocket::open({.local = {*IpAddress::parse("::"), 0}}, logger);
  const auto tls = quic::TlsClientContext::without_verification();
  if (!stop) return fail_with(stop.error().message);
  if (!poller) return fail_with(poller.error().message);
  if (!socket) return fail_with(socket.error().message);
  if (!tls) return fail_with(tls.error().message);

  Crowd crowd(options, *tls, std::move(*socket), std::move(*poller), *stop);
  if (const auto ok = crowd.watch(); !ok) return fail_with(ok.error().message);
  options.kind.empty() ? crowd.visit() : crowd.flood();
  return 0;
}
