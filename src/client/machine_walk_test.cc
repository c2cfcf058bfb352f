// A walk over events in an order that nobody thought of, with everything that has to hold at each
// step. QDT_WALK_SEED repeats one.

#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
#include <random>
#include <set>

#include "client/machine.h"
#include "support/seeded_random.h"

namespace qdt::client {
namespace {

using Phase = Machine::Phase;

constexpr int kSteps = 100'000;
constexpr Timestamp kStart{Duration(100s)};
constexpr Duration kTimeout = 10s;

/// The rest of the world: the connector, the host and the name servers, as far as a machine sees
/// them. They reply when they like.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) { start(); }

  /// One event, and what has to hold then. False, and why(): something does not.
  bool step() {
    deliver(next_event());
    if (why_.empty()) check_phase();
    return why_.empty();
  }
  std::string why() const {
    std::string words = why_ + "; the latest events:";
    for (const std::size_t event : latest_) words += " " + std::to_string(event);
    return words;
  }
  /// How often each kind of event changed something: a walk that does not walk proves nothing.
  const std::map<std::size_t, int>& answered() const { return answered_; }
  int sessions() const { return sessions_; }
  int ends() const { return ends_; }

 private:
  struct Grant {
    AttemptId attempt;
    IpAddress lease;
    SocketAddress server;
    bool is_own = false;  // this host has that address itself
  };

  void start() {
    const Reconnect::Options reconnect{.timeout = kTimeout,
                                       .waits_for_server = random_.happens(0.7)};
    machine_.emplace(Machine::Options{"vpn.test", reconnect}, random_, now_);
    attempts_.clear();
    replies_.clear();
    is_open_.reset();
    carried_.reset();
    set_up_.reset();
    is_set_up_for_.reset();
    is_resolving_ = has_stopped_ = false;
    latest_race_ = kNever;
    latest_id_ = 0;
  }

  // --- events

  Event next_event() {
    if (has_stopped_ && random_.happens(0.2)) start();
    now_ += Duration(static_cast<std::int64_t>(random_.below(200'000'000)));
    const Timestamp due = machine_->due();
    if (due != kNever && due > now_ && random_.happens(0.1)) {  // not until then, but far
      now_ += Duration(static_cast<std::int64_t>(
          random_.below(static_cast<std::uint64_t>((due - now_).count()))));
    }
    // This state is short: without these, few stops would come in it.
    if (machine_->phase() == Phase::kSettingUp && random_.happens(0.02)) return event::Stop{};
    if (!replies_.empty() && random_.happens(0.5)) return reply();
    if (random_.happens(0.3)) return wake();
    if (random_.happens(0.5)) return of_attempt();
    switch (random_.below(40)) {
      case 0: return event::Awoke{};
      case 1:
      case 2:
      case 3: return event::HostLooked{random_.happens(0.5) ? "fault" : "", random_.happens(0.1)};
      case 4:
      case 5:
      case 6:
      case 7: return network_changed();
      case 8:
      case 9:
      case 10:
      case 11: return resolved();
      case 12: return random_.happens(0.1) ? Event(event::Stop{}) : wake();
      case 13: return random_.happens(0.1) ? Event(event::HostProcessEnded{"gone"}) : wake();
      case 14: return random_.happens(0.1) ? Event(event::Reconnect{}) : of_attempt();
      default: return of_attempt();
    }
  }

  Event reply() {
    const auto one = replies_.begin() + static_cast<std::ptrdiff_t>(random_.below(replies_.size()));
    Event event = std::move(*one);
    replies_.erase(one);
    return event;
  }

  // The shell may be late, but sleeps no longer than it was told to.
  Event wake() {
    if (machine_->due() != kNever) now_ = std::max(now_, machine_->due());
    return event::Due{};
  }

  Event resolved() {
    if (!is_resolving_) return event::Due{};
    is_resolving_ = false;
    const bool is_known = random_.happens(0.7);
    std::vector<SocketAddress> servers;
    const std::uint64_t count = random_.happens(0.01) ? 1000 : 1 + random_.below(4);
    for (std::uint64_t i = 0; i < count; ++i) servers.push_back(some_server());
    if (!is_known) return event::Resolved{fail("no answer"), ways(machine_->servers().size())};
    return event::Resolved{std::move(servers), ways(count)};
  }

  Event network_changed() {
    event::NetworkChanged changed{.ways = ways(machine_->servers().size())};
    if (machine_->session_server() == nullptr) return changed;
    if (random_.happens(0.8)) changed.session_way = some_address();
    if (random_.happens(0.2)) changed.own_lease = "own";
    return changed;
  }

  // An event of an attempt that runs, of the session, or of a forgotten attempt.
  Event of_attempt() {
    if (is_open_ && random_.happens(0.9)) return of_session(is_open_->attempt);
    if (attempts_.empty() || random_.happens(0.1)) return of_nobody();
    auto one = attempts_.begin();
    std::advance(one, static_cast<std::ptrdiff_t>(random_.below(attempts_.size())));
    const AttemptId attempt = one->first;
    switch (random_.below(8)) {
      case 0: return event::Answered{attempt};
      case 1: return event::NarrowPath{attempt, random_.happens(0.5)};
      case 2:
      case 3: return connected(attempt, one->second);
      default: attempts_.erase(one); return event::Ended{attempt, some_ending()};
    }
  }

  // The connector ends all others first, and their ends may come late.
  Event connected(AttemptId attempt, SocketAddress server) {
    attempts_.erase(attempt);
    for (const auto& [other, address] : attempts_) {
      replies_.emplace_back(event::Ended{other, {Ending::Kind::kUnreachable, "too late"}});
    }
    attempts_.clear();
    wire::ConnectResponse response;
    response.client_ip = some_address();
    is_open_ = {attempt, response.client_ip, server, random_.happens(0.1)};
    return event::Connected{attempt,
                            {.local = {some_address(), 1}, .remote = server},
                            response,
                            is_open_->is_own ? std::optional<std::string>("own") : std::nullopt};
  }

  Event of_session(AttemptId attempt) {
    switch (random_.below(12)) {
      case 4: return other_routes(attempt);
      case 0: return event::Silence{attempt};
      case 1: return event::PathChanged{attempt, {1400, 1300}};
      case 2: is_open_.reset(); return event::Ended{attempt, some_ending()};
      case 3: now_ += 10s; return event::Due{};
      default: return event::HostLooked{};
    }
  }

  Event other_routes(AttemptId attempt) {
    wire::ConnectResponse response;
    response.client_ip = is_open_->lease;
    return event::RoutesChanged{attempt, response};
  }

  Event of_nobody() {
    // An attempt of long ago, or one that was never begun.
    const AttemptId attempt =
        random_.happens(0.5) && latest_id_ > 100 ? latest_id_ - 100 : latest_id_ + 1000;
    switch (random_.below(10)) {
      case 0: return event::Ended{attempt, some_ending()};
      case 1: return event::Connected{attempt, {}, {}};
      case 2: return event::Silence{attempt};
      case 3: return event::HostReady{attempt};
      case 4: return event::HostFailed{attempt, "late"};
      case 5: return event::SocketOpened{attempt, {}};
      case 6: return event::SocketFailed{attempt, "late"};
      case 7: return event::Rebound{attempt, some_address()};
      case 8: return event::RoutesChanged{attempt, {}};
      default: return event::PathChanged{attempt, {}};
    }
  }

  // --- actions

  void deliver(const Event& event) {
    latest_.push_back(event.index());
    if (latest_.size() > 20) latest_.pop_front();
    if (const auto* ready = std::get_if<event::HostReady>(&event)) {
      if (set_up_ && set_up_->attempt == ready->attempt) is_set_up_for_ = set_up_;
    }
    const bool is_name_known = !machine_->servers().empty();
    const bool is_news = std::holds_alternative<event::NetworkChanged>(event) ||
                         (std::holds_alternative<event::Resolved>(event) && !is_name_known) ||
                         std::holds_alternative<event::Awoke>(event) ||
                         std::holds_alternative<event::Reconnect>(event) ||
                         std::holds_alternative<event::Connected>(event) ||
                         machine_->phase() == Phase::kConnected;
    if (is_news) latest_race_ = kNever;
    is_stop_ = std::holds_alternative<event::Stop>(event);
    const bool is_end = is_stop_ || std::holds_alternative<event::HostProcessEnded>(event);
    const Machine::Actions actions = machine_->on(event, now_);
    if (has_stopped_ && !actions.empty()) return fail_with("it acts after its end");
    if (!actions.empty()) ++answered_[event.index()];
    if (machine_->servers().size() > 2 * Machine::kMaxServers) fail_with("too many addresses");
    for (const Action& action : actions) {
      if (has_stopped_) fail_with("it acts after it has left");
      std::visit([this](const auto& one) { act(one); }, action);
    }
    if (is_end && !has_stopped_) fail_with("it was told to stop, and goes on");
  }

  void act(const action::Resolve&) {
    if (is_resolving_) fail_with("it asks twice");
    is_resolving_ = true;
  }
  void act(const action::OpenSocket& open) {
    if (latest_race_ != kNever && now_ - latest_race_ < 200ms) fail_with("it tries too often");
    latest_race_ = race_began_ = now_;
    if (!attempts_.empty()) fail_with("attempts of the last race go on");
    if (random_.happens(0.05)) {
      replies_.emplace_back(event::SocketFailed{open.race, "none"});
    } else {
      replies_.emplace_back(event::SocketOpened{open.race, ways(machine_->servers().size())});
    }
  }
  void act(const action::StartAttempt& start) {
    if (is_open_) return fail_with("an attempt beside a session");
    if (start.attempt <= latest_id_) return fail_with("a number is given twice");
    latest_id_ = start.attempt;
    if (random_.happens(0.1)) {
      replies_.emplace_back(event::NotStarted{start.attempt, "no way"});
    } else {
      attempts_[start.attempt] = start.server;
    }
  }
  void act(const action::Abandon&) {
    attempts_.clear();
    is_open_.reset();
    carried_.reset();
  }
  void act(const action::SetAside&) {
    is_open_.reset();
    carried_.reset();
  }
  void act(const action::SetUpHost& set_up) {
    is_set_up_for_.reset();
    set_up_ = {set_up.attempt, set_up.grant.client_ip, set_up.server};
    if (random_.happens(0.2)) {
      replies_.emplace_back(event::HostFailed{set_up.attempt, "cannot"});
    } else {
      replies_.emplace_back(event::HostReady{set_up.attempt});
    }
  }
  void act(const action::ReleaseLease&) { is_set_up_for_.reset(); }
  void act(const action::Carry& carry) {
    if (carried_) return fail_with("a session is opened beside another");
    if (!is_open_) return fail_with("packets travel without a session");
    if (is_open_->is_own) return fail_with("a lease that is this host's is used");
    const bool is_guarded = is_set_up_for_ && is_set_up_for_->server == carry.server &&
                            is_set_up_for_->lease == is_open_->lease;
    if (!is_guarded) return fail_with("packets travel before the host is set up for them");
    carried_ = is_open_;
    ++sessions_;
  }
  void act(const action::Rebind& rebind) {
    if (!carried_ && is_open_) return fail_with("a session moves that does not carry");
    const auto local = random_.happens(0.8) ? std::optional(some_address()) : std::nullopt;
    replies_.emplace_back(event::Rebound{rebind.attempt, local});
  }
  void act(const action::Leave& leave) {
    if (leave.lets_go != is_stop_)
      fail_with("the kill switch goes without a stop, or stays after it");
    has_stopped_ = true;
    ++ends_;
  }
  template <typename Other>
  void act(const Other&) {}

  // --- what has to hold

  void check_phase() {
    const Timestamp due = machine_->due();
    switch (machine_->phase()) {
      case Phase::kWaiting:
        if (!attempts_.empty()) fail_with("an attempt is forgotten");
        if (is_open_) fail_with("a session is forgotten");
        if (due == kNever) fail_with("it waits, and no timer is set");
        if (due > now_ + 4min) fail_with("it waits for too long");
        break;
      case Phase::kTrying:
        if (is_open_) fail_with("a session is forgotten");
        if (due == kNever) fail_with("it tries, and no timer is set");
        if (due > race_began_ + Machine::kMaxTimeouts * kTimeout)
          fail_with("it tries for too long");
        break;
      case Phase::kSettingUp:
        if (!attempts_.empty()) fail_with("an attempt is forgotten");
        if (!is_host_to_reply()) fail_with("it waits for a host that has replied");
        break;
      case Phase::kConnected:
        if (!attempts_.empty()) fail_with("an attempt is forgotten");
        if (!is_open_) fail_with("it is connected without a session");
        if (!carried_) fail_with("it is connected, and packets wait");
        break;
      case Phase::kEnded:
        if (!has_stopped_) fail_with("it ended without a word");
        if (due != kNever) fail_with("it waits after its end");
        break;
    }
  }

  bool is_host_to_reply() const {
    return std::ranges::any_of(replies_, [](const Event& reply) {
      return std::holds_alternative<event::HostReady>(reply) ||
             std::holds_alternative<event::HostFailed>(reply);
    });
  }

  void fail_with(const std::string& why) {
    if (why_.empty()) why_ = why;
  }

  // --- chance

  SocketAddress some_server() {
    IpAddress address = *IpAddress::parse("192.0.2." + std::to_string(random_.below(8)));
    return {address, 443};
  }
  IpAddress some_address() {
    return *IpAddress::parse("198.51.100." + std::to_string(random_.below(3)));
  }
  Ways ways(std::size_t count) {
    Ways found(count);
    for (auto& way : found) {
      if (random_.happens(0.8)) way = some_address();
    }
    return found;
  }
  Ending some_ending() {
    Ending ending{static_cast<Ending::Kind>(random_.below(4)), "chance", random_.happens(0.2)};
    if (random_.happens(0.2)) ending.retry_after = std::chrono::seconds(random_.below(1000));
    return ending;
  }

  testing::SeededRandom random_;
  Timestamp now_ = kStart;
  std::optional<Machine> machine_;
  std::map<AttemptId, SocketAddress> attempts_;  // that run
  std::optional<Grant> is_open_;                 // the session
  std::optional<Grant> carried_;
  std::optional<Grant> set_up_;         // under way, or done
  std::optional<Grant> is_set_up_for_;  // done
  std::vector<Event> replies_;          // that are to come
  bool is_resolving_ = false;
  bool is_stop_ = false;  // the latest event
  bool has_stopped_ = false;
  Timestamp latest_race_ = kNever;  // kNever: something happened that is a reason for another
  Timestamp race_began_;
  AttemptId latest_id_ = 0;

  std::string why_;
  std::deque<std::size_t> latest_;  // events, as Event counts them
  std::map<std::size_t, int> answered_;
  int sessions_ = 0;
  int ends_ = 0;
};

std::uint64_t seed_of_run() {
  const char* seed = std::getenv("QDT_WALK_SEED");  // NOLINT(concurrency-mt-unsafe)
  return seed != nullptr ? std::strtoull(seed, nullptr, 10) : std::random_device()();
}

TEST(MachineWalk, HoldsItsPromisesWhateverHappensWhen) {
  const std::uint64_t seed = seed_of_run();
  std::cout << "QDT_WALK_SEED=" << seed << "\n";
  World world(seed);
  for (int step = 0; step < kSteps; ++step) {
    ASSERT_TRUE(world.step()) << "step " << step << ": " << world.why();
  }
  EXPECT_GT(world.sessions(), kSteps / 1000);
  EXPECT_GT(world.ends(), kSteps / 1000);
  EXPECT_GE(world.answered().size(), 15u);
}

}  // namespace
}  // namespace qdt::client
