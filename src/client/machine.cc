#include "client/machine.h"

#include <algorithm>
#include <span>

namespace qdt::client {
namespace {

// An attempt that is answered gets several times as long as the answer took, since more are to
// come: a handshake takes two to four round trips. But no longer than kMaxTimeouts allows.
constexpr int kAnswers = 4;

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

// A name has no more addresses than these, however many its name servers tell.
std::vector<SocketAddress> first_of_each_family(std::span<const SocketAddress> servers) {
  std::vector<SocketAddress> first;
  std::size_t counts[2] = {0, 0};
  for (const SocketAddress& server : servers) {
    if (++counts[server.address.is_v4()] <= Machine::kMaxServers) first.push_back(server);
  }
  return first;
}

}  // namespace

Machine::Actions Machine::on(const Event& event, Timestamp now) {
  if (phase_ == Phase::kEnded) return {};
  now_ = now;
  std::visit([this](const auto& one) { on(one); }, event);
  return std::exchange(actions_, {});
}

Timestamp Machine::due() const {
  if (phase_ == Phase::kWaiting) return reconnect_.next_attempt();
  if (phase_ != Phase::kTrying) return kNever;
  if (!trying_->has_socket) return trying_->deadline;
  return std::min({trying_->deadline, trying_->fallback, trying_->race.next_due()});
}

State Machine::state() const {
  const bool is_worse = reconnect_.state() == State::kConnected && health_.is_degraded();
  return is_worse ? State::kDegraded : reconnect_.state();
}

const std::string& Machine::reason() const {
  return state() == State::kDegraded ? health_.fault() : reconnect_.reason();
}

Timestamp Machine::since() const {
  return state() == State::kDegraded ? health_.degraded_since() : reconnect_.since();
}

// --- the race

void Machine::on(const event::Due&) {
  if (phase_ == Phase::kWaiting && now_ >= reconnect_.next_attempt()) return begin_race();
  if (phase_ != Phase::kTrying) return;
  if (now_ < trying_->deadline) return go_on_racing();
  act(action::Abandon{});
  const auto& ending = trying_->ending;
  end_race(ending && weight(*ending) > 0 ? *ending : out_of_time());
}

void Machine::begin_race() {
  phase_ = Phase::kTrying;
  trying_ = {.race_number = next_attempt_++,
             .began = now_,
             .deadline = now_ + reconnect_.attempt_timeout(),
             // The name servers may be behind the tunnel, which is down.
             .fallback = servers_.empty() ? kNever : now_ + kResolutionDelay};
  act(action::OpenSocket{trying_->race_number});
  if (!std::exchange(is_resolving_, true)) act(action::Resolve{});
}

void Machine::on(const event::SocketOpened& opened) {
  if (phase_ != Phase::kTrying || opened.race != trying_->race_number) return;
  trying_->has_socket = true;
  ways_ = opened.ways;
  go_on_racing();
}

void Machine::on(const event::SocketFailed& failed) {
  if (phase_ != Phase::kTrying || failed.race != trying_->race_number) return;
  end_race({Ending::Kind::kUnreachable, failed.why});
}

void Machine::on(const event::Resolved& resolved) {
  is_resolving_ = false;
  const bool was_unknown = servers_.empty();
  if (resolved.servers) {
    servers_ = first_of_each_family(*resolved.servers);
  } else if (!servers_.empty()) {
    act(action::Log{LogLevel::kDebug,
                    resolved.servers.error().message + "; the addresses of last time are tried"});
  }
  ways_ = resolved.ways;
  // The answer that an attempt could not wait for.
  const bool is_late = phase_ == Phase::kWaiting && was_unknown && !servers_.empty();
  if (is_late) reconnect_.on_network_change(now_);
  if (phase_ != Phase::kTrying) return;
  if (servers_.empty()) {
    return end_race({Ending::Kind::kUnreachable,
                     resolved.servers ? "resolve " + options_.server_host + ": no address"
                                      : resolved.servers.error().message});
  }
  trying_->fallback = kNever;
  trying_->race.add(servers_);
  go_on_racing();
}

void Machine::go_on_racing() {
  Trying& trying = *trying_;
  if (!trying.has_socket) return;
  if (now_ >= trying.fallback) {
    trying.fallback = kNever;
    trying.race.add(servers_);
  }
  while (const auto server = trying.race.next(now_)) {
    const AttemptId attempt = next_attempt_++;
    trying.running[attempt] = trying.tried[attempt] = *server;
    act(action::StartAttempt{attempt, *server});
  }
  const bool is_lost = !trying.race.is_empty() && trying.race.is_lost() && !is_resolving_;
  if (is_lost) end_race(trying.ending.value_or(out_of_time()));
}

void Machine::on(const event::NotStarted& failed) {
  if (phase_ != Phase::kTrying || !trying_->running.contains(failed.attempt)) return;
  trying_->tried.erase(failed.attempt);
  on(event::Ended{failed.attempt, {Ending::Kind::kUnreachable, failed.why}});
}

void Machine::on(const event::Answered& answered) {
  if (phase_ != Phase::kTrying || !trying_->running.contains(answered.attempt)) return;
  const Timestamp latest = trying_->began + kMaxTimeouts * options_.reconnect.timeout;
  const Timestamp wanted = now_ + kAnswers * (now_ - trying_->began);
  trying_->deadline = std::max(trying_->deadline, std::min(latest, wanted));
}

void Machine::on(const event::NarrowPath& narrow) {
  if (phase_ != Phase::kTrying) return;
  const auto found = trying_->running.find(narrow.attempt);
  if (found == trying_->running.end()) return;
  trying_->narrow = found->second;
  trying_->is_refused_here = narrow.is_refused_here;
}

void Machine::on(const event::Ended& ended) {
  if (is_session(ended.attempt)) {
    if (phase_ == Phase::kSettingUp) {
      session_->ending = ended.ending;
      return;
    }
    if (ended.ending.is_lasting) act(action::KeepToken{""});  // another client has it
    act(action::Abandon{});
    return wait_or_leave(ended.ending);
  }
  if (phase_ != Phase::kTrying) return;
  const auto found = trying_->running.find(ended.attempt);
  if (found == trying_->running.end()) return;
  const Ending ending = explain(ended.ending, found->second);
  const bool may_be_forged =
      ending.kind == Ending::Kind::kOtherVersion && trying_->version_retries++ < kMaxVersionRetries;
  if (may_be_forged) {
    trying_->race.on_cut_off(found->second);
  } else {
    trying_->race.on_failed(found->second);
  }
  trying_->running.erase(found);
  if (!trying_->ending || weight(ending) > weight(*trying_->ending)) trying_->ending = ending;
  if (ending.kind == Ending::Kind::kRefused && ending.is_lasting) {
    act(action::Abandon{});  // its other addresses would say the same
    return end_race(*trying_->ending);
  }
  go_on_racing();
}

Ending Machine::explain(Ending ending, const SocketAddress& server) const {
  if (ending.kind != Ending::Kind::kNoAnswer) return ending;
  ending.text = trying_->narrow ? explain_narrow_path(*trying_->narrow, trying_->is_refused_here)
                                : explain_silence(server);
  return ending;
}

Ending Machine::out_of_time() const {
  if (trying_->tried.empty()) {
    return {Ending::Kind::kUnreachable,
            "resolve " + options_.server_host + ": no answer from the name servers"};
  }
  Ending ending = explain({Ending::Kind::kNoAnswer, ""}, trying_->tried.begin()->second);
  ending.kind = Ending::Kind::kUnreachable;
  return ending;
}

void Machine::end_race(const Ending& ending) {
  // A session that was set aside ends: the server may have no other address than its.
  if (refused_leases_ > 0) act(action::Abandon{});
  wait_or_leave(ending);
}

void Machine::race_again() {
  act(action::Abandon{});
  trying_.reset();
  phase_ = Phase::kWaiting;
  reconnect_.on_network_change(now_);
}

// --- the session

void Machine::on(const event::Connected& connected) {
  if (phase_ != Phase::kTrying || !trying_->running.contains(connected.attempt)) return;
  attempt_took_ = now_ - trying_->began;
  if (connected.own_lease) return refuse_lease(*connected.own_lease);
  trying_.reset();
  phase_ = Phase::kSettingUp;
  session_ = {.attempt = connected.attempt,
              .server = connected.path.remote,
              .grant = connected.response,
              .local = connected.path.local.address};
  if (is_set_up_for(*session_)) {
    act(action::FollowNetworks{session_->grant});
    return begin_session();
  }
  set_up_host();
}

void Machine::set_up_host() {
  is_host_set_up_ = false;
  act(action::SetUpHost{session_->attempt, session_->grant, session_->server});
}

bool Machine::is_set_up_for(const Session& session) const {
  return is_host_set_up_ && server_->address == session.server.address &&
         is_same_grant(*granted_, session.grant);
}

void Machine::on(const event::HostReady& ready) {
  if (!is_session(ready.attempt)) return;
  if (phase_ == Phase::kSettingUp) return begin_session();
  // For other routes of the session that there is.
  is_host_set_up_ = true;
  granted_ = session_->grant;
  if (sizes_ != PathSizes()) act(action::FollowPath{sizes_});
}

void Machine::on(const event::HostFailed& failed) {
  if (!is_session(failed.attempt)) return;
  if (reconnect_.connects() == 0) return leave(Exit::kHost, failed.why);
  act(action::Abandon{});
  wait_or_leave({Ending::Kind::kLost, failed.why});
}

void Machine::begin_session() {
  phase_ = Phase::kConnected;
  is_host_set_up_ = true;
  granted_ = session_->grant;
  server_ = session_->server;
  sizes_ = {};
  refused_leases_ = 0;
  act(action::KeepToken{session_->grant.resume_token});
  reconnect_.on_connected(now_, attempt_took_);

  const Session before = *session_;  // as it became while the host was set up
  if (before.ending) return on(event::Ended{before.attempt, *before.ending});
  act(action::Carry{session_->server});
  act(action::Report{});
  if (before.sizes) on(event::PathChanged{before.attempt, *before.sizes});
  if (before.routes) on(event::RoutesChanged{before.attempt, *before.routes});
  if (!before.rebind_why.empty()) rebind(before.rebind_why);
  if (before.network) follow_network(*before.network);
}

void Machine::on(const event::Silence& silence) {
  if (!is_session(silence.attempt)) return;
  if (phase_ == Phase::kConnected) act(action::ReportSilence{});
  rebind("nobody answers");
}

void Machine::on(const event::Awoke&) {
  if (phase_ == Phase::kWaiting) return reconnect_.on_network_change(now_);
  if (phase_ == Phase::kTrying) return race_again();
  rebind("this host was asleep");
}

void Machine::rebind(const std::string& why) {
  if (phase_ == Phase::kSettingUp) {
    session_->rebind_why = why;
  } else {
    act(action::Rebind{session_->attempt, session_->server, why});
  }
}

void Machine::on(const event::Rebound& rebound) {
  if (is_session(rebound.attempt)) session_->local = rebound.local;
}

void Machine::on(const event::PathChanged& changed) {
  if (!is_session(changed.attempt)) return;
  if (phase_ == Phase::kSettingUp) {
    session_->sizes = changed.sizes;
    return;
  }
  sizes_ = changed.sizes;
  act(action::FollowPath{changed.sizes});
}

void Machine::on(const event::RoutesChanged& changed) {
  if (!is_session(changed.attempt)) return;
  if (phase_ == Phase::kSettingUp) {
    session_->routes = changed.response;
    return;
  }
  session_->grant = changed.response;
  act(action::Log{LogLevel::kDebug, "the server advertises other routes"});
  set_up_host();
}

bool Machine::is_new_way(const Ways& ways) {
  const Ways before = std::exchange(ways_, ways);
  if (ways_.empty()) return true;  // the name could not be resolved; now it may be
  for (std::size_t i = 0; i < ways_.size(); ++i) {
    if (ways_[i] && (i >= before.size() || before[i] != ways_[i])) return true;
  }
  return false;
}

void Machine::on(const event::NetworkChanged& changed) {
  switch (phase_) {
    case Phase::kWaiting:
      if (is_new_way(changed.ways)) reconnect_.on_network_change(now_);
      break;
    case Phase::kTrying:
      if (servers_.empty()) {
        trying_->has_new_network = true;
      } else if (is_new_way(changed.ways)) {
        race_again();
      }
      break;
    case Phase::kSettingUp: session_->network = changed; break;
    case Phase::kConnected: follow_network(changed); break;
    case Phase::kEnded: break;
  }
}

void Machine::follow_network(const event::NetworkChanged& changed) {
  ways_ = changed.ways;
  if (changed.own_lease) return refuse_lease(*changed.own_lease);
  act(action::FollowNetworks{session_->grant});
  if (changed.session_way) {
    if (session_->local == changed.session_way) return;
    return rebind(session_->local ? "this host's address is another" : "the network is back");
  }
  // No way at all: the session may outlast it. Another way: no reason to wait.
  session_->local.reset();
  if (std::ranges::none_of(ways_, [](const auto& way) { return way.has_value(); })) return;
  const std::string server = session_->server.to_string();
  act(action::Abandon{});
  wait_or_leave({Ending::Kind::kLost,
                 "there is no way to " + server + " any more, but to another of its addresses"});
}

// The address was this host's from the beginning, or came to another device while it was ours, as
// in a network whose addresses are those of the server's pool. Answers to that device's address
// must not be taken for the tunnel's.
void Machine::refuse_lease(const std::string& why) {
  const bool was_connected = phase_ == Phase::kConnected;
  if (was_connected) {
    granted_.reset();
    is_host_set_up_ = false;
    act(action::ReleaseLease{});
  }
  act(action::KeepToken{""});  // or the same comes again
  if (++refused_leases_ >= kMaxLeases) return give_up_leases(why);
  act(action::Log{LogLevel::kWarning, why + "; another address is asked for"});
  act(action::SetAside{});
  if (was_connected) return wait_or_leave({Ending::Kind::kLost, why});
  trying_.reset();
  phase_ = Phase::kWaiting;
}

void Machine::give_up_leases(const std::string& why) {
  refused_leases_ = 0;
  act(action::Abandon{});
  const Ending ending{Ending::Kind::kUnreachable,
                      why +
                          ", and another one is not to be had: change pool_cidr at the server, or "
                          "that address",
                      /*is_lasting=*/true};
  if (reconnect_.connects() == 0) return leave(Exit::kHost, ending.text);
  wait_or_leave(ending);
}

// --- this host, and the end

void Machine::on(const event::HostLooked& looked) {
  if (!health_.look(looked.fault, looked.is_contested, now_)) return;
  if (health_.is_degraded()) {
    act(action::Log{LogLevel::kWarning, "degraded: " + health_.fault()});
  } else {
    act(action::Log{LogLevel::kInfo, "this host's network is again as it has to be"});
  }
  act(action::ReportHealth{});
}

void Machine::on(const event::HostProcessEnded& ended) {
  leave(Exit::kHostLost, ended.why);
}

void Machine::on(const event::Reconnect&) {
  const Ending ending{Ending::Kind::kLost, "somebody asked for a new one"};
  switch (phase_) {
    case Phase::kWaiting: return reconnect_.on_network_change(now_);
    case Phase::kTrying: return race_again();
    case Phase::kSettingUp: session_->ending = ending; break;
    case Phase::kConnected:
      act(action::Abandon{});
      wait_or_leave(ending);
      return reconnect_.on_network_change(now_);
    case Phase::kEnded: break;
  }
}

void Machine::on(const event::Stop&) {
  leave(Exit::kStopped);
}

void Machine::wait_or_leave(Ending ending) {
  const bool has_new_network = trying_ && trying_->has_new_network;
  trying_.reset();
  session_.reset();
  phase_ = Phase::kWaiting;
  if (ending.kind == Ending::Kind::kLost) ending.text = "the connection was lost: " + ending.text;
  if (!reconnect_.on_ended(ending, now_)) {
    if (ending.kind != Ending::Kind::kRefused) return leave(Exit::kUnreachable, ending.text);
    return leave(Exit::kRefused, "refused by the server: " + ending.text);
  }
  if (has_new_network) reconnect_.on_network_change(now_);
  act(action::Report{});
}

void Machine::leave(Exit exit, std::string text) {
  trying_.reset();
  session_.reset();
  phase_ = Phase::kEnded;
  act(action::Leave{.outcome = {exit, std::move(text)}, .lets_go = exit == Exit::kStopped});
}

}  // namespace qdt::client
