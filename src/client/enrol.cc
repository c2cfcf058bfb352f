#include "client/enrol.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "client/answer_words.h"
#include "os/clock.h"
#include "os/host_network.h"
#include "os/poller.h"
#include "os/resolver.h"
#include "os/udp_socket.h"

namespace qdt::client {
namespace {

enum PollKey { kSocketKey, kStopKey };

constexpr Duration kHandshakeTimeout = 10s;
// A server writes to its disk before it answers.
constexpr Duration kPatience = 20s;
// The server hears that this is over.
constexpr Duration kLastWords = 50ms;
constexpr std::size_t kMaxAddresses = 8;
constexpr std::size_t kMaxPayloads = 64;

tunnel::Tunnel::Options tunnel_options(Random& random) {
  tunnel::Tunnel::Options options{.role = Role::kClient};
  options.endpoint.connection.handshake_timeout = kHandshakeTimeout;
  options.endpoint.secret = random.bytes<32>();
  return options;
}

// One socket, and what asks by it.
class Asking {
 public:
  Asking(const Enrolment::Options& options, const quic::TlsClientContext& tls, Random& random,
         os::UdpSocket socket, os::Poller poller, os::StopSignal& stop)
      : socket_(std::move(socket)),
        poller_(std::move(poller)),
        stop_(stop),
        enrolment_(options, tls, random),
        tunnel_(tunnel_options(random), nullptr, enrolment_, random, counters_, payloads_) {}

  Result<void> watch() {
    if (auto ok = poller_.add(stop_.poll_handle(), kStopKey); !ok) return ok;
    return poller_.add(socket_.poll_handle(), kSocketKey);
  }

  std::optional<Ending> ask(const SocketAddress& server) {
    enrolment_.begin(tunnel_, {socket_.local_address(), server}, os::now());
    go_on(os::now() + kPatience, [&] { return enrolment_.is_done() || enrolment_.ending(); });
    const bool is_done = enrolment_.is_done();
    std::optional<Ending> ending = enrolment_.ending();
    tunnel_.close_all(tunnel::SessionEnd::kDone, "", os::now());
    go_on(os::now() + kLastWords, [] { return false; });
    if (is_done) return std::nullopt;
    if (is_stopped_) return Ending{Ending::Kind::kUnreachable, "interrupted"};
    if (!ending)
      return unreachable("the server at " + server.to_string() + " does not answer the request");
    if (ending->kind == Ending::Kind::kNoAnswer) ending->text = explain_silence(server);
    return ending;
  }

 private:
  void send(Timestamp now) {
    for (bool is_done = false; !is_done && !is_blocked_;) {
      is_done = tunnel_.send(now);
      is_blocked_ = socket_.send(payloads_).is_blocked;
    }
  }

  template <typename IsEnough>
  void go_on(Timestamp end, IsEnough&& is_enough) {
    for (Timestamp now = os::now(); now < end && !is_stopped_ && !is_enough();) {
      send(now);
      poller_.watch_writable(socket_.poll_handle(), kSocketKey, is_blocked_);
      for (const os::PollEvent& event : poller_.wait(std::min(tunnel_.next_timeout(), end), now)) {
        if (event.key == kStopKey && stop_.take()) is_stopped_ = true;
        if (event.key == kSocketKey && event.is_writable) is_blocked_ = false;
      }
      now = os::now();
      socket_.receive(received_);
      for (const UdpBurst& burst : received_.bursts()) {
        for_each_payload(
            burst, [&](Bytes payload) { tunnel_.receive(burst.path, burst.ecn, payload, now); });
      }
      if (tunnel_.next_timeout() <= now) tunnel_.handle_timeouts(now);
    }
  }

  os::UdpSocket socket_;
  os::Poller poller_;
  os::StopSignal& stop_;
  os::UdpReceiveBatch received_;
  UdpSendQueue payloads_{kMaxPayloads};
  tunnel::Counters counters_;
  Enrolment enrolment_;
  tunnel::Tunnel tunnel_;
  bool is_blocked_ = false;
  bool is_stopped_ = false;
};

std::optional<Ending> ask_at(const SocketAddress& server, const Enrolment::Options& options,
                             const quic::TlsClientContext& tls, Random& random,
                             os::StopSignal& stop, Logger& logger) {
  os::UdpSocket::Options wanted{.local = {IpAddress::unspecified(server.address.is_v4()), 0},
                                .remote = server,
                                .mark = os::kTunnelMark};  // around a tunnel that is up
  auto socket = os::UdpSocket::open(wanted, logger);
  if (!socket) {
    wanted.mark = 0;  // not root's
    socket = os::UdpSocket::open(wanted, logger);
  }
  if (!socket) return unreachable(socket.error().message);
  auto poller = os::Poller::open();
  if (!poller) return unreachable(poller.error().message);
  Asking asking(options, tls, random, std::move(*socket), std::move(*poller), stop);
  if (const auto ok = asking.watch(); !ok) return unreachable(ok.error().message);
  return asking.ask(server);
}

}  // namespace

std::optional<Ending> enrol(const Enrolment::Options& options, const quic::TlsClientContext& tls,
                            Random& random, os::StopSignal& stop, Logger& logger) {
  const wire::Authority& server = options.link.server;
  const auto found = os::resolve(wire::bare_host(server), server.port);
  if (!found) return unreachable(found.error().message);
  Ending ending = unreachable("resolve " + server.host + ": no address");
  for (std::size_t i = 0; i < std::min(found->size(), kMaxAddresses); ++i) {
    const auto came = ask_at((*found)[i], options, tls, random, stop, logger);
    if (!came) return std::nullopt;
    ending = *came;
    const bool is_final = ending.is_lasting || ending.kind == Ending::Kind::kRefused;
    if (is_final) break;
  }
  return ending;
}

}  // namespace qdt::client
