#include "client/client.h"

#include <algorithm>
#include <utility>

#include "os/clock.h"
#include "os/link_monitor.h"
#include "os/resolver.h"
#include "os/tun_device.h"

namespace qdt::client {
namespace {

/// A network that reports changes all the time is looked at so often.
constexpr Duration kLinkPause = 50ms;

/// A wait that ends so much too late was a sleep.
constexpr Duration kSleep = 3s;

enum PollKey { kStopKey, kEventKey, kAnswerKey, kLinkKey, kHostKey, kControlKey };

// How long name servers may take before the addresses that they gave last are tried.
constexpr Duration kResolutionDelay = 300ms;

// An attempt that is answered gets several times as long as the answer took, since more are to
// come: a handshake takes two to four round trips. But no longer than kMaxTimeouts allows.
constexpr int kAnswers = 4;

template <typename Message>
Result<std::unique_ptr<shard::Mailbox<Message>>> make_mailbox() {
  auto waker = os::Waker::open();
  if (!waker) return fail(waker);
  return std::make_unique<shard::Mailbox<Message>>(std::move(*waker));
}

// Whether the host, as it was set up for one, is right for the other.
bool is_same_grant(const wire::ConnectResponse& one, const wire::ConnectResponse& other) {
  return one.client_ip == other.client_ip && one.mtu == other.mtu && one.cidr == other.cidr &&
         one.dns == other.dns && one.ipv6 == other.ipv6 && one.routes == other.routes &&
         one.dns_domains == other.dns_domains;
}

// The most telling one of several endings.
int weight(const Ending& ending) {
  if (ending.kind == Ending::Kind::kRefused) return 2;
  return ending.is_lasting ? 1 : 0;
}

}  // namespace

Client::Client(const Options& options, const quic::TlsClientContext& tls, Random& random,
               os::HostControl& host, Logger& logger)
    : options_(options),
      random_(random),
      host_control_(host),
      logger_(logger),
      reconnect_(options.reconnect, random, os::now()),
      connector_(options.connector, tls, *this, random) {}

Client::~Client() {
  begin_end("the program of down runs, at most 30 s");
  if (host_) host_->bring_down();
  if (thread_.joinable()) {
    begin_end("the server is told that the session ends");
    shard_->stop(tunnel::SessionEnd::kDone, "the client stops");
    thread_.join();
  }
  [[maybe_unused]] const auto ended = host_control_.show_status("");
  begin_end("this host's network is put back");
}

void Client::begin_end(const char* step) {
  if (end_watch_) end_watch_->begin(step);
}

Client::Outcome Client::run(os::StopSignal& stop) {
  if (!shard_) {
    if (const auto ok = open(stop); !ok) return {Exit::kHost, ok.error().message};
  }
  thread_ = std::thread([this] { shard_->run(); });
  const Outcome outcome = carry();
  return host_end_ ? Outcome{Exit::kHostLost, *host_end_} : outcome;
}

Client::Outcome Client::carry() {
  report();
  for (;;) {
    const Woken woken = wait(reconnect_.next_attempt());
    if (woken == Woken::kStop) return {};
    if (woken == Woken::kAsleep || (woken == Woken::kNetwork && has_new_way())) {
      reconnect_.on_network_change(os::now());
    }
    if (woken == Woken::kAnswer) take_answer();
    if (os::now() < reconnect_.next_attempt()) continue;
    const auto result = attempt();
    if (!result) return {};
    if (std::holds_alternative<Again>(*result)) {
      reconnect_.on_network_change(os::now());
      continue;
    }
    std::optional<Ending> ending;
    const auto* connected = std::get_if<Connected>(&*result);
    const auto own_lease =
        connected ? host_->find_own_lease(connected->response) : std::optional<std::string>();
    if (own_lease) {
      ending = refuse_lease(*own_lease);
      if (!ending) continue;
      if (reconnect_.connects() == 0) return {Exit::kHost, ending->text};
    } else if (connected) {
      const bool is_same_server = server_ && server_->address == connected->path.remote.address;
      Result<void> ok;
      if (!response_ || !is_same_server || !is_same_grant(*response_, connected->response)) {
        keep_host();  // the device may have gone while there was no session
        ok = host_->apply(connected->response, connected->path.remote);
      }
      if (!ok && is_told_to_stop()) return {};
      if (!ok && !response_) return {Exit::kHost, ok.error().message};
      if (ok) {
        response_ = connected->response;
        ending = serve(*connected);
        if (!ending) return {};
      } else {
        abandon();
        ending = Ending{Ending::Kind::kLost, ok.error().message};
      }
    } else {
      ending = std::get<Ending>(*result);
      if (refused_leases_ > 0) abandon();  // the server may have no other address
    }

    if (ending->kind == Ending::Kind::kLost)
      ending->text = "the connection was lost: " + ending->text;
    if (!reconnect_.on_ended(*ending, os::now())) {
      if (ending->kind != Ending::Kind::kRefused) return {Exit::kUnreachable, ending->text};
      return {Exit::kRefused, "refused by the server: " + ending->text};
    }
    report();
  }
}

Result<void> Client::open(os::StopSignal& stop) {
  stop_ = &stop;
  auto poller = os::Poller::open();
  if (!poller) return fail(poller);
  poller_ = std::move(*poller);
  auto events = make_mailbox<Event>();
  if (!events) return fail(events);
  events_ = std::move(*events);
  auto answers = make_mailbox<Answer>();
  if (!answers) return fail(answers);
  answers_ = std::move(*answers);
  auto links = os::LinkMonitor::open(options_.host.tun_name);
  if (!links) return fail(links);
  links_ = std::move(*links);
  auto watch = os::HostWatch::open();
  if (!watch) return fail(watch);
  watch_ = std::move(*watch);
  const std::pair<os::PollHandle, PollKey> sources[] = {{stop_->poll_handle(), kStopKey},
                                                        {events_->poll_handle(), kEventKey},
                                                        {answers_->poll_handle(), kAnswerKey},
                                                        {links_->poll_handle(), kLinkKey}};
  for (const auto& [handle, key] : sources) {
    if (auto ok = poller_->add(handle, key); !ok) return fail(ok);
  }
  if (const auto handle = host_control_.poll_handle()) {
    if (auto ok = poller_->add(*handle, kControlKey); !ok) return fail(ok);
  }

  HostSetup::Options host_options = options_.host;
  host_options.stop = stop_->poll_handle();
  auto host = HostSetup::open(host_options, host_control_, logger_);
  if (!host) return fail(host);
  host_ = std::move(*host);
  const auto resume_path = os::run_file_path(options_.host.tun_name, "resume");
  if (!resume_path) return fail(resume_path);
  resume_.emplace(
      *resume_path, options_.server_host + ":" + std::to_string(options_.server_port),
      [this](std::string_view content) { return host_control_.keep_note(content); }, logger_);
  return make_shard();
}

Client::Woken Client::wait(Timestamp deadline) {
  for (;;) {
    if (!inbox_.empty()) return Woken::kEvent;
    const Timestamp now = os::now();
    if (now >= deadline) return Woken::kDeadline;
    if (now >= pace_.due()) keep_host();
    if (now >= links_due_ && poller_->add(links_->poll_handle(), kLinkKey)) links_due_ = kNever;
    const Timestamp alarm = std::min({deadline, pace_.due(), links_due_});
    const auto ready = poller_->wait(alarm, now);
    if (alarm != kNever && os::now() - alarm > kSleep) return Woken::kAsleep;
    for (const os::PollEvent& event : ready) {
      switch (static_cast<PollKey>(event.key)) {
        case kStopKey:
          if (is_told_to_stop()) return Woken::kStop;
          break;
        case kEventKey:
          for (Event& posted : events_->take()) {
            const AttemptId attempt =
                std::visit([](const auto& one) { return one.attempt; }, posted);
            if (attempt >= first_attempt_) inbox_.push_back(std::move(posted));
          }
          break;
        case kAnswerKey: return Woken::kAnswer;
        case kLinkKey:
          poller_->remove(links_->poll_handle());
          links_due_ = os::now() + kLinkPause;
          if (links_->take()) return Woken::kNetwork;
          break;
        case kHostKey:
          watch_host(false);
          pace_.on_notice(os::now());
          break;
        case kControlKey:
          host_end_ = host_control_.has_ended();
          if (host_end_) return Woken::kStop;
          break;
      }
    }
  }
}

bool Client::is_told_to_stop() {
  const auto request = stop_->take();
  if (!request) return false;
  logger_.info(request->name + ": stopping");
  end_watch_ = std::make_unique<os::EndWatch>(*stop_, logger_);
  if (host_) host_->let_go();
  return true;
}

// While a notice waits to be looked at, others say no more.
void Client::watch_host(bool is_watched) {
  if (is_watched == is_watching_) return;
  if (!is_watched) poller_->remove(watch_->poll_handle());
  is_watching_ = is_watched && poller_->add(watch_->poll_handle(), kHostKey).has_value();
}

Client::Event Client::take_event() {
  Event event = std::move(inbox_.front());
  inbox_.pop_front();
  return event;
}

void Client::start_resolving() {
  if (std::exchange(is_resolving_, true)) return;
  std::thread([answers = answers_, host = options_.server_host, port = options_.server_port,
               name_servers = host_->name_servers()] {
    answers->post(os::resolve(host, port, name_servers));
  }).detach();
}

std::optional<Ending> Client::take_answer() {
  is_resolving_ = false;
  auto answers = answers_->take();
  if (answers.empty()) return std::nullopt;
  Answer answer = std::move(answers.back());
  if (answer) {
    servers_ = std::move(*answer);
  } else if (servers_.empty()) {
    return Ending{Ending::Kind::kUnreachable, answer.error().message};
  } else {
    logger_.debug(answer.error().message + "; the addresses of last time are tried");
  }
  ways_ = find_ways();
  return std::nullopt;
}

std::optional<Client::AttemptResult> Client::attempt() {
  Timestamp now = os::now();
  const Timestamp began = now;
  Timestamp deadline = now + reconnect_.attempt_timeout();
  // The name servers may be behind the tunnel, which is down.
  Timestamp fallback = servers_.empty() ? kNever : now + kResolutionDelay;
  auto socket = os::UdpSocket::open({.local = {*IpAddress::parse("::"), 0},
                                     .mark = os::kTunnelMark,
                                     .offloads = options_.udp_offloads},
                                    logger_);
  if (!socket) return Ending{Ending::Kind::kUnreachable, socket.error().message};
  local_ = socket->local_address();
  shard_->post([this, socket = std::move(*socket)](shard::Shard& shard, Timestamp) mutable {
    const auto ok = shard.use_socket(std::move(socket));
    if (!ok) logger_.error(ok.error().message);
  });
  ways_ = find_ways();
  start_resolving();

  Race race;
  std::optional<Ending> ending;
  std::optional<SocketAddress> narrow;  // hears us, but not QUIC
  const std::uint64_t refused = counters_.drops.value(Drop::kSocketRefused);
  const auto explain_no_answer = [&](const SocketAddress& server) {
    if (!narrow) return explain_silence(server);
    return explain_narrow_path(*narrow, counters_.drops.value(Drop::kSocketRefused) > refused);
  };
  for (;; now = os::now()) {
    if (now >= fallback) {
      fallback = kNever;
      race.add(servers_);
    }
    while (const auto server = race.next(now)) {
      if (const auto ok = start(*server); !ok) {
        race.on_failed(*server);
        if (!ending) ending = Ending{Ending::Kind::kUnreachable, ok.error().message};
      }
    }
    const bool is_lost = !race.is_empty() && race.is_lost() && !is_resolving_;
    if (is_lost) return *ending;

    switch (wait(std::min({deadline, fallback, race.next_due()}))) {
      case Woken::kStop: return std::nullopt;
      case Woken::kAnswer:
        fallback = kNever;
        if (const auto unresolved = take_answer()) return *unresolved;
        race.add(servers_);
        break;
      case Woken::kNetwork:
        if (servers_.empty() || !has_new_way()) break;
        abandon();
        return Again{};
      case Woken::kAsleep: abandon(); return Again{};
      case Woken::kEvent: {
        Event event = take_event();
        if (auto* connected = std::get_if<Connected>(&event)) {
          attempt_took_ = os::now() - began;
          return std::move(*connected);
        }
        if (std::holds_alternative<Answered>(event)) {
          const Timestamp latest = began + kMaxTimeouts * options_.reconnect.timeout;
          deadline =
              std::max(deadline, std::min(latest, os::now() + kAnswers * (os::now() - began)));
        }
        if (const auto* path = std::get_if<NarrowPath>(&event)) narrow = running_[path->attempt];
        if (!std::holds_alternative<Ended>(event)) break;
        auto& [id, failure] = std::get<Ended>(event);
        race.on_failed(running_[id]);
        if (failure.kind == Ending::Kind::kNoAnswer) {
          failure.text = explain_no_answer(running_[id]);
        }
        if (!ending || weight(failure) > weight(*ending)) ending = failure;
        // Its other addresses would say the same.
        if (failure.kind == Ending::Kind::kRefused && failure.is_lasting) {
          abandon();
          return *ending;
        }
        break;
      }
      case Woken::kDeadline:
        if (os::now() < deadline) break;
        if (!ending || weight(*ending) == 0) {
          ending = Ending{Ending::Kind::kUnreachable,
                          running_.empty() ? "resolve " + options_.server_host +
                                                 ": no answer from the name servers"
                                           : explain_no_answer(running_.begin()->second)};
        }
        abandon();
        return *ending;
    }
  }
}

Result<void> Client::start(const SocketAddress& server) {
  const std::string words = "connecting to " + server.to_string();
  if (reconnect_.connects() == 0) {
    logger_.info(words);
  } else {
    logger_.debug(words);
  }
  const auto address = os::source_address(server, os::kTunnelMark);
  if (!address) return fail(address);
  const UdpPath path{.local = {*address, local_.port}, .remote = server};
  const AttemptId id = next_attempt_++;
  running_[id] = server;
  shard_->post([this, path, id, token = resume_->token()](shard::Shard& shard, Timestamp now) {
    connector_.connect(shard.tunnel(), path, id, now, token);
  });
  return {};
}

void Client::abandon() {
  first_attempt_ = next_attempt_;
  running_.clear();
  inbox_.clear();
  shard_->post([this](shard::Shard& shard, Timestamp now) {
    shard.hold_packets();
    connector_.abandon(shard.tunnel(), now);
  });
}

std::optional<Ending> Client::serve(const Connected& connected) {
  server_ = connected.path.remote;
  sizes_ = {};
  path_ = connected.path;
  running_.clear();
  resume_->keep(connected.response.resume_token);
  refused_leases_ = 0;
  shard_->post([this, server = *server_](shard::Shard& shard, Timestamp now) {
    connector_.end_set_aside(shard.tunnel(), now);
    shard.release_packets(now);
    const auto ok = shard.connect_socket(server);
    if (!ok) logger_.warning(ok.error().message);
  });
  reconnect_.on_connected(os::now(), attempt_took_);
  report();
  for (;;) {
    switch (wait(kNever)) {
      case Woken::kStop: return std::nullopt;
      case Woken::kAnswer: take_answer(); break;
      case Woken::kDeadline: break;
      case Woken::kAsleep: rebind("this host was asleep"); break;
      case Woken::kNetwork:
        if (const auto own = host_->find_own_lease(connected.response)) return leave_lease(*own);
        host_->follow_networks(connected.response);
        if (roam()) break;
        abandon();
        return Ending{Ending::Kind::kLost, "there is no way to " + server_->to_string() +
                                               " any more, but to another of its addresses"};
      case Woken::kEvent: {
        const Event event = take_event();
        const auto* silence = std::get_if<Silence>(&event);
        if (silence != nullptr && silence->attempt == connected.attempt) {
          silent_at_ = os::now();
          write_status();
          rebind("nobody answers");
        }
        const auto* changed = std::get_if<PathChanged>(&event);
        if (changed != nullptr && changed->attempt == connected.attempt) follow(changed->sizes);
        const auto* ended = std::get_if<Ended>(&event);
        if (ended != nullptr && ended->attempt == connected.attempt) {
          if (ended->ending.is_lasting) resume_->keep("");  // another client has it
          abandon();
          return ended->ending;
        }
        break;
      }
    }
  }
}

void Client::follow(const PathSizes& sizes) {
  sizes_ = sizes;
  const auto ok = host_->follow_path(sizes.path_mtu, sizes.tunnel_mtu);
  if (!ok) logger_.warning(ok.error().message);
  write_status();
}

Client::Ways Client::find_ways() const {
  Ways ways;
  for (const SocketAddress& server : servers_) {
    const auto way = os::source_address(server, os::kTunnelMark);
    ways.push_back(way ? std::optional(*way) : std::nullopt);
  }
  return ways;
}

bool Client::has_new_way() {
  const Ways before = std::exchange(ways_, find_ways());
  if (ways_.empty()) return true;  // the name could not be resolved; now it may be
  for (std::size_t i = 0; i < ways_.size(); ++i) {
    if (ways_[i] && (i >= before.size() || before[i] != ways_[i])) return true;
  }
  return false;
}

bool Client::roam() {
  const auto address = os::source_address(*server_, os::kTunnelMark);
  if (address) {
    const bool is_same = path_ && path_->local.address == *address;
    if (!is_same) rebind(path_ ? "this host's address is another" : "the network is back");
    return true;
  }
  // No way at all: the session may outlast it. Another way: no reason to wait.
  ways_ = find_ways();
  path_.reset();
  return std::ranges::none_of(ways_, [](const auto& way) { return way.has_value(); });
}

void Client::rebind(const std::string& why) {
  const bool is_v4 = server_->address.is_v4();
  auto socket = os::UdpSocket::open({.local = {is_v4 ? IpAddress{} : *IpAddress::parse("::"), 0},
                                     .remote = *server_,
                                     .mark = os::kTunnelMark,
                                     .offloads = options_.udp_offloads},
                                    logger_);
  if (!socket) {
    path_.reset();
    return logger_.debug(why + ": " + socket.error().message);
  }
  path_ = UdpPath{.local = socket->local_address(), .remote = *server_};
  logger_.info(why + ": the session goes on from " + path_->local.to_string());
  shard_->post([this, path = *path_, socket = std::move(*socket)](shard::Shard& shard,
                                                                  Timestamp now) mutable {
    const auto ok = shard.replace_socket(std::move(socket), now);
    if (!ok) logger_.error(ok.error().message);
    connector_.migrate(shard.tunnel(), path, now);
  });
}

}  // namespace qdt::client
