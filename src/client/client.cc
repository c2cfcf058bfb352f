#include "client/client.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "os/clock.h"
#include "os/resolver.h"
#include "os/tun_device.h"

namespace qdt::client {
namespace {

/// How often to look whether the host still is as it was set up.
constexpr Duration kKeepPeriod = 2s;

enum PollKey { kStopKey, kEventKey, kAnswerKey };

template <typename Message>
Result<std::unique_ptr<shard::Mailbox<Message>>> make_mailbox() {
  auto waker = os::Waker::open();
  if (!waker) return fail(waker);
  return std::make_unique<shard::Mailbox<Message>>(std::move(*waker));
}

}  // namespace

Client::Client(const Options& options, const quic::TlsClientContext& tls, Random& random,
               Logger& logger)
    : options_(options),
      random_(random),
      logger_(logger),
      connector_(options.connector, tls, *this, random) {}

Client::~Client() {
  if (!thread_.joinable()) return;
  shard_->stop(tunnel::SessionEnd::kDone, "the client stops");
  thread_.join();
}

Client::Outcome Client::run(os::StopSignal& stop) {
  stop_ = &stop;
  if (const auto ok = set_up(); !ok) return {Exit::kHost, ok.error().message};

  auto resolved = resolve();
  if (auto* outcome = std::get_if<Outcome>(&resolved)) return *outcome;
  const auto& servers = std::get<std::vector<SocketAddress>>(resolved);

  // One address after the other, each with its share of the time.
  Outcome last;
  const Duration share = options_.timeout / static_cast<std::int64_t>(servers.size());
  for (const SocketAddress& server : servers) {
    auto connected = connect(server, os::now() + share);
    if (const auto* response = std::get_if<wire::ConnectResponse>(&connected)) {
      return serve(*response, server);
    }
    last = std::get<Outcome>(connected);
    if (last.exit != Exit::kUnreachable) return last;
    if (servers.size() > 1) logger_.warning(last.text);
  }
  return last;
}

Result<void> Client::set_up() {
  auto poller = os::Poller::open();
  if (!poller) return fail(poller);
  poller_ = std::move(*poller);
  auto events = make_mailbox<Event>();
  if (!events) return fail(events);
  events_ = std::move(*events);
  auto answers = make_mailbox<Answer>();
  if (!answers) return fail(answers);
  answers_ = std::move(*answers);
  const std::pair<os::PollHandle, PollKey> sources[] = {{stop_->poll_handle(), kStopKey},
                                                        {events_->poll_handle(), kEventKey},
                                                        {answers_->poll_handle(), kAnswerKey}};
  for (const auto& [handle, key] : sources) {
    if (auto ok = poller_->add(handle, key); !ok) return fail(ok);
  }

  auto host = HostSetup::open(options_.host, logger_);
  if (!host) return fail(host);
  host_ = std::move(*host);
  auto tun = os::TunDevice::open(
      {.name = options_.host.tun_name, .use_offloads = options_.use_tun_offloads}, logger_);
  if (!tun) return fail(tun);

  tunnel::Tunnel::Options tunnel{.role = quic::Role::kClient};
  tunnel.endpoint.connection.keep_alive = 10s;
  tunnel.endpoint.connection.handshake_timeout = options_.timeout;
  tunnel.endpoint.secret = random_.bytes<32>();
  tunnel.max_packet_bytes = options_.connector.mtu;
  auto shard =
      shard::Shard::create({.thread_name = "qdt-client", .tunnel = tunnel},
                           std::move(tun->queues.front()), nullptr, connector_, random_, counters_);
  if (!shard) return fail(shard);
  shard_ = std::move(*shard);
  thread_ = std::thread([this] { shard_->run(); });
  return {};
}

Client::Woken Client::wait(Timestamp deadline) {
  for (;;) {
    if (!inbox_.empty()) return Woken::kEvent;
    const Timestamp now = os::now();
    if (now >= deadline) return Woken::kDeadline;
    for (const os::PollEvent& event : poller_->wait(deadline, now)) {
      switch (static_cast<PollKey>(event.key)) {
        case kStopKey:
          if (const auto signal = stop_->take()) {
            logger_.info(*signal + ": stopping");
            if (host_) host_->let_go();
            return Woken::kStop;
          }
          break;
        case kEventKey: std::ranges::move(events_->take(), std::back_inserter(inbox_)); break;
        case kAnswerKey: return Woken::kAnswer;
      }
    }
  }
}

Client::Event Client::take_event() {
  Event event = std::move(inbox_.front());
  inbox_.pop_front();
  return event;
}

std::variant<std::vector<SocketAddress>, Client::Outcome> Client::resolve() {
  std::thread([answers = answers_, host = options_.server_host, port = options_.server_port] {
    answers->post(os::resolve(host, port));
  }).detach();

  switch (wait(os::now() + options_.timeout)) {
    case Woken::kStop: return Outcome{};
    case Woken::kAnswer: break;
    default:
      return Outcome{Exit::kUnreachable,
                     "resolve " + options_.server_host + ": no answer from the name servers"};
  }
  Answer answer = std::move(answers_->take().front());
  if (!answer) return Outcome{Exit::kUnreachable, answer.error().message};
  return std::move(*answer);
}

std::variant<wire::ConnectResponse, Client::Outcome> Client::connect(const SocketAddress& server,
                                                                     Timestamp deadline) {
  logger_.info("connecting to " + server.to_string());
  auto socket = os::UdpSocket::open(
      {.local = {server.address.is_v4() ? IpAddress{} : *IpAddress::parse("::"), 0},
       .remote = server,
       .mark = os::kTunnelMark,
       .offloads = options_.udp_offloads},
      logger_);
  if (!socket) return Outcome{Exit::kUnreachable, socket.error().message};

  const UdpPath path{.local = socket->local_address(), .remote = server};
  shard_->post(
      [this, path, socket = std::move(*socket)](shard::Shard& shard, Timestamp now) mutable {
        if (const auto ok = shard.use_socket(std::move(socket)); !ok) {
          return events_->post(Ending{Ending::Kind::kUnreachable, ok.error().message});
        }
        connector_.connect(shard.tunnel(), path, now);
      });

  switch (wait(deadline)) {
    case Woken::kStop: return Outcome{};
    case Woken::kEvent: break;
    default:
      shard_->post([](shard::Shard& shard, Timestamp now) {
        shard.tunnel().close_all(tunnel::SessionEnd::kDone, "", now);
      });
      if (wait(kNever) == Woken::kStop) return Outcome{};
      take_event();  // the attempt's ending: we know it
      return Outcome{Exit::kUnreachable, explain_silence(server)};
  }
  Event event = take_event();
  if (const auto* ending = std::get_if<Ending>(&event)) return outcome_of(*ending);
  return std::get<wire::ConnectResponse>(std::move(event));
}

Client::Outcome Client::serve(const wire::ConnectResponse& response,
                              const SocketAddress& server) {
  if (const auto ok = host_->apply(response, server); !ok) return {Exit::kHost, ok.error().message};
  logger_.info("connected: this host is " + response.client_ip.to_string() + " in the tunnel " +
               options_.host.tun_name);
  os::notify_ready("connected as " + response.client_ip.to_string());

  for (;;) {
    switch (wait(os::now() + kKeepPeriod)) {
      case Woken::kStop: return {};
      case Woken::kEvent: return outcome_of(std::get<Ending>(take_event()));
      default: host_->keep();
    }
  }
}

Client::Outcome Client::outcome_of(const Ending& ending) const {
  switch (ending.kind) {
    case Ending::Kind::kRefused: return {Exit::kRefused, "refused by the server: " + ending.text};
    case Ending::Kind::kUnreachable: return {Exit::kUnreachable, ending.text};
    case Ending::Kind::kLost:
      return {Exit::kUnreachable, "the connection was lost: " + ending.text};
  }
  return {Exit::kUnreachable, ending.text};
}

}  // namespace qdt::client
