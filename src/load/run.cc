#include "load/run.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "os/clock.h"
#include "os/poller.h"

namespace qdt::load {
namespace {

enum PollKey { kSocketKey, kStopKey };

constexpr std::size_t kMaxPayloads = 4096;

// What was asked last may be answered for so long; then those who end have it on its way.
constexpr Duration kLastAnswers = 2s;
constexpr Duration kLastWords = 100ms;

constexpr Duration kProgressPeriod = 1s;

tunnel::Tunnel::Options tunnel_options(const RunOptions& options, Random& random) {
  tunnel::Tunnel::Options tunnel{.role = Role::kClient};
  tunnel.endpoint.connection = options.connection;
  tunnel.endpoint.secret = random.bytes<32>();
  tunnel.max_packet_bytes = tunnel::kLargestTunnelMtu;
  return tunnel;
}

// Whether this host may send from the first and the last of the addresses.
Result<void> check_addresses(const Load::Options& options, Logger& logger) {
  if (options.first_local.address.is_unspecified()) return {};
  const std::uint32_t first = options.first_local.address.v4_number();
  for (const std::uint32_t offset :
       {std::uint32_t{0}, static_cast<std::uint32_t>(options.addresses - 1)}) {
    const auto socket = os::UdpSocket::open({.local = {IpAddress::v4(first + offset), 0}}, logger);
    if (!socket) {
      return fail(socket.error().message +
                  "; the clients' addresses have to be this host's: `ip route add local PREFIX dev "
                  "lo` makes all of a prefix so");
    }
  }
  return {};
}

class Runner {
 public:
  Runner(const RunOptions& options, const quic::TlsClientContext& tls, Random& random,
         os::UdpSocket socket, os::Poller poller)
      : options_(options),
        socket_(std::move(socket)),
        poller_(std::move(poller)),
        payloads_(kMaxPayloads),
        load_(options_.load, tls, random),
        tunnel_(tunnel_options(options_, random), nullptr, load_, random, counters_, payloads_) {}

  Result<void> watch(os::StopSignal& stop) {
    stop_ = &stop;
    if (auto ok = poller_.add(stop.poll_handle(), kStopKey); !ok) return ok;
    return poller_.add(socket_.poll_handle(), kSocketKey);
  }

  Result<Report> run(const std::function<void(const Report&)>& progress);

 private:
  /// Goes on until `end`, or until `is_enough`.
  template <typename IsEnough>
  void go_on(Timestamp end, IsEnough&& is_enough);
  void receive(Timestamp now);
  void send(Timestamp now);
  void tell(Timestamp now) {
    if (!progress_ || now < next_progress_) return;
    progress_(load_.report());
    next_progress_ = now + kProgressPeriod;
  }

  const RunOptions& options_;
  os::StopSignal* stop_ = nullptr;
  os::UdpSocket socket_;
  os::Poller poller_;
  os::UdpReceiveBatch received_;
  UdpSendQueue payloads_;
  tunnel::Counters counters_;
  Load load_;
  tunnel::Tunnel tunnel_;
  bool is_blocked_ = false;
  bool is_stopped_ = false;
  std::function<void(const Report&)> progress_;
  Timestamp next_progress_;
};

void Runner::receive(Timestamp now) {
  socket_.receive(received_);
  for (const UdpBurst& burst : received_.bursts()) {
    if (!load_.is_there(burst.path.local)) continue;
    for_each_payload(burst, [&](Bytes payload) {
      if (!tunnel_.has_room()) load_.take_packets(tunnel_, now);
      tunnel_.receive(burst.path, burst.ecn, payload, now);
    });
  }
}

void Runner::send(Timestamp now) {
  for (bool is_done = false; !is_done && !is_blocked_;) {
    is_done = tunnel_.send(now);
    is_blocked_ = socket_.send(payloads_).is_blocked;
  }
  payloads_.set_stalled(is_blocked_);
}

template <typename IsEnough>
void Runner::go_on(Timestamp end, IsEnough&& is_enough) {
  for (Timestamp now = os::now(); now < end && !is_stopped_ && !is_enough();) {
    const Timestamp due = std::min({tunnel_.next_timeout(), load_.next_turn(), end});
    poller_.watch_writable(socket_.poll_handle(), kSocketKey, is_blocked_);
    for (const os::PollEvent& event : poller_.wait(due, now)) {
      if (event.key == kStopKey && stop_->take()) is_stopped_ = true;
      if (event.key == kSocketKey && event.is_writable) is_blocked_ = false;
    }
    now = os::now();
    receive(now);
    if (tunnel_.next_timeout() <= now) tunnel_.handle_timeouts(now);
    load_.turn(tunnel_, now);
    send(now);
    load_.take_packets(tunnel_, now);
    tell(now);
  }
}

Result<Report> Runner::run(const std::function<void(const Report&)>& progress) {
  progress_ = progress;
  const double ideal =
      static_cast<double>(options_.load.clients) / options_.load.connects_per_second;
  const Duration ramp = options_.ramp > Duration::zero()
                            ? options_.ramp
                            : Duration(static_cast<Duration::rep>(4e9 * ideal)) + 30s;
  const auto is_lost = [this] { return !load_.fatal().empty(); };
  go_on(os::now() + ramp, [&] { return load_.are_all_up() || is_lost(); });
  if (is_lost()) return fail(load_.fatal());
  if (load_.are_all_up()) go_on(os::now() + options_.time, [] { return false; });
  load_.rest(os::now());
  const Report& report = load_.report();
  const bool was_stopped = std::exchange(is_stopped_, false);
  if (!was_stopped) {
    go_on(os::now() + kLastAnswers, [&] { return report.echoes_lost() == 0; });
  }
  Report result = report;
  const Timestamp now = os::now();
  tunnel_.close_all(tunnel::SessionEnd::kDone, "", now);
  go_on(now + kLastWords, [] { return false; });
  return result;
}

}  // namespace

Result<Report> run(const RunOptions& options, const quic::TlsClientContext& tls, Random& random,
                   os::StopSignal& stop, Logger& logger,
                   const std::function<void(const Report&)>& progress) {
  if (auto ok = check_addresses(options.load, logger); !ok) return fail(ok);
  auto socket = os::UdpSocket::open({.local = {IpAddress::v4(0), options.load.first_local.port},
                                     .offloads = options.udp_offloads},
                                    logger);
  if (!socket) return fail(socket);
  auto poller = os::Poller::open();
  if (!poller) return fail(poller);
  RunOptions bound = options;
  bound.load.first_local.port = socket->local_address().port;
  if (bound.load.first_local.address.is_unspecified()) {
    // Whichever the host sends from.
    const auto probe = os::UdpSocket::open(
        {.local = {IpAddress::v4(0), 0}, .remote = options.load.server}, logger);
    if (!probe) return fail(probe);
    bound.load.first_local.address = probe->local_address().address;
  }
  Runner runner(bound, tls, random, std::move(*socket), std::move(*poller));
  if (auto ok = runner.watch(stop); !ok) return fail(ok);
  return runner.run(progress);
}

}  // namespace qdt::load
