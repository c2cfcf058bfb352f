#include "client/client.h"

#include <algorithm>
#include <utility>

#include "os/clock.h"
#include "os/link_monitor.h"
#include "os/run_file.h"

namespace qdt::client {
namespace {

/// A network that reports changes all the time is looked at so often.
constexpr Duration kLinkPause = 50ms;

/// A wait that ends so much too late was a sleep.
constexpr Duration kSleep = 3s;

/// How often its status is looked at while nothing happens.
constexpr Duration kStatusPeriod = 1s;

enum PollKey { kStopKey, kEventKey, kAnswerKey, kLinkKey, kHostKey, kControlKey };

template <typename Message>
Result<std::unique_ptr<shard::Mailbox<Message>>> make_mailbox() {
  auto waker = os::Waker::open();
  if (!waker) return fail(waker);
  return std::make_unique<shard::Mailbox<Message>>(std::move(*waker));
}

}  // namespace

Client::Client(const Options& options, const quic::TlsClientContext& tls, Random& random,
               os::HostControl& host, Logger& logger)
    : options_(options),
      random_(random),
      host_control_(host),
      logger_(logger),
      machine_({.server_host = options.server_host, .reconnect = options.reconnect}, random,
               os::now()),
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

Client::Outcome Client::run(os::StopSignal& stop) {
  if (!shard_) {
    if (const auto ok = open(stop); !ok) return {Exit::kHost, ok.error().message};
  }
  thread_ = std::thread([this] { shard_->run(); });
  report();
  while (!outcome_) {
    handle(wait());
    if (os::now() < next_status_) continue;
    next_status_ = os::now() + kStatusPeriod;
    write_status();
  }
  return *outcome_;
}

void Client::handle(Event event) {
  Replies waiting;
  waiting.push_back(std::move(event));
  while (!waiting.empty()) {
    const Event first = std::move(waiting.front());
    waiting.erase(waiting.begin());
    for (const Action& action : machine_.on(first, os::now())) {
      std::visit([&](const auto& one) { act(one, waiting); }, action);
    }
  }
}

Event Client::wait() {
  for (;;) {
    if (!inbox_.empty()) {
      Event event = std::move(inbox_.front());
      inbox_.pop_front();
      complete(event);
      if (std::holds_alternative<event::Stop>(event)) {
        const std::scoped_lock lock(latest_mutex_);
        begin_stopping(stopper_);
      }
      return event;
    }
    const Timestamp now = os::now();
    const Timestamp due = machine_.due();
    if (now >= due) return event::Due{};
    if (now >= pace_.due()) return keep_host();
    if (now >= links_due_ && poller_->add(links_->poll_handle(), kLinkKey)) links_due_ = kNever;
    const Timestamp alarm = std::min({due, pace_.due(), links_due_});
    const auto ready = poller_->wait(alarm, now);
    if (alarm != kNever && os::now() - alarm > kSleep) return event::Awoke{};
    for (const os::PollEvent& polled : ready) {
      if (auto event = take(polled)) return std::move(*event);
    }
  }
}

// The poller reports the rest of its list again at the next wait.
std::optional<Event> Client::take(const os::PollEvent& polled) {
  switch (static_cast<PollKey>(polled.key)) {
    case kStopKey:
      if (is_told_to_stop()) return event::Stop{};
      break;
    case kEventKey:
      for (Event& posted : events_->take()) inbox_.push_back(std::move(posted));
      break;
    case kAnswerKey: return take_answer();
    case kLinkKey:
      poller_->remove(links_->poll_handle());
      links_due_ = os::now() + kLinkPause;
      if (links_->take()) return follow_links();
      break;
    case kHostKey:
      watch_host(false);
      pace_.on_notice(os::now());
      break;
    case kControlKey:
      if (const auto why = host_control_.has_ended()) return event::HostProcessEnded{*why};
      break;
  }
  return std::nullopt;
}

// While a notice waits to be looked at, others say no more.
void Client::watch_host(bool is_watched) {
  if (is_watched == is_watching_) return;
  if (!is_watched) poller_->remove(watch_->poll_handle());
  is_watching_ = is_watched && poller_->add(watch_->poll_handle(), kHostKey).has_value();
}

void Client::complete(Event& event) const {
  if (auto* connected = std::get_if<event::Connected>(&event)) {
    connected->own_lease = host_->find_own_lease(connected->response);
  } else if (auto* narrow = std::get_if<event::NarrowPath>(&event)) {
    narrow->is_refused_here = counters_.drops.value(Drop::kSocketRefused) > refused_before_race_;
  }
}

bool Client::is_told_to_stop() {
  const auto request = stop_->take();
  if (!request) return false;
  begin_stopping(request->name);
  return true;
}

void Client::begin_stopping(const std::string& who) {
  logger_.info(who + ": stopping");
  end_watch_ = std::make_unique<os::EndWatch>(*stop_, logger_);
}

Status Client::latest_status() const {
  const std::scoped_lock lock(latest_mutex_);
  return latest_;
}

void Client::stop(const std::string& who) {
  {
    const std::scoped_lock lock(latest_mutex_);
    stopper_ = who;
  }
  events_->post(event::Stop{});
}

void Client::act(const action::Abandon&, Replies&) {
  shard_->post([this](shard::Shard& shard, Timestamp now) {
    shard.hold_packets();
    connector_.abandon(shard.tunnel(), now);
  });
}

void Client::act(const action::SetAside&, Replies&) {
  shard_->post([this](shard::Shard& shard, Timestamp) {
    shard.hold_packets();
    connector_.set_aside();
  });
}

void Client::act(const action::Carry& carry, Replies&) {
  shard_->post([this, server = carry.server](shard::Shard& shard, Timestamp now) {
    connector_.end_set_aside(shard.tunnel(), now);
    shard.release_packets(now);
    const auto ok = shard.connect_socket(server);
    if (!ok) logger_.warning(ok.error().message);
  });
}

void Client::act(const action::KeepToken& keep, Replies&) {
  resume_->keep(keep.token);
}

void Client::act(const action::Log& log, Replies&) {
  switch (log.level) {
    case LogLevel::kDebug: return logger_.debug(log.text);
    case LogLevel::kInfo: return logger_.info(log.text);
    case LogLevel::kWarning: return logger_.warning(log.text);
    case LogLevel::kError: return logger_.error(log.text);
  }
}

void Client::act(const action::Leave& leave, Replies&) {
  if (leave.lets_go) host_->let_go();
  outcome_ = leave.outcome;
}

}  // namespace qdt::client
