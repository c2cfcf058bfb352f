// Every call of every scenario fails once, and the process dies in every one of them once: nothing
// is left half done, and what is left in the end, the next start undoes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "os/windows/network_model_fixture.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;

using Step = std::function<Result<void>(HostNetwork&)>;

struct Scenario {
  std::string name;
  std::vector<Step> steps;
};

Outside outside(std::string_view server) {
  return {.destinations = {net("100.64.0.0/10")}, .server = ip(server), .name_servers = {}};
}

Step configure(std::vector<TunAddress> addresses, std::size_t mtu) {
  return [=](HostNetwork& network) { return network.configure_tun(addresses, mtu); };
}

Step everything(std::string server) {
  return [=](HostNetwork& network) {
    network.leave_outside(outside(server));
    return network.route_everything_through_tunnel();
  };
}

Step only(std::vector<Prefix> prefixes) {
  return [=](HostNetwork& network) { return network.route_only(prefixes); };
}

Step dns(std::vector<IpAddress> servers) {
  return [=](HostNetwork& network) { return network.use_dns(servers); };
}

const TunAddress kV4{ip("10.8.0.2"), 32};
const TunAddress kV6{ip("fd00::2"), 128};
const TunAddress kOther{ip("10.8.0.9"), 32};

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = {
      {"Everything",
       {configure({kV4}, 1400), everything("203.0.113.5"), dns({ip("10.8.0.1"), ip("fd00::1")})}},
      {"EverythingWithIpv6",
       {configure({kV4, kV6}, 1400), everything("203.0.113.5"), dns({ip("10.8.0.1")})}},
      {"AnotherLease",
       {configure({kV4, kV6}, 1400), everything("203.0.113.5"), dns({ip("10.8.0.1")}),
        configure({kOther}, 1300), everything("198.51.100.7"), dns({ip("10.9.0.1")})}},
      {"SomePrefixes",
       {configure({kV4}, 1400), only({net("10.9.0.0/16"), net("fd01::/16"), net("10.10.0.0/16")}),
        only({net("10.10.0.0/16"), net("10.11.0.0/16")}), dns({ip("10.8.0.1")}),
        only({net("10.11.0.0/16"), net("10.12.0.0/16")})}},
      {"AnotherMtu",
       {configure({kV4, kV6}, 1400), [](HostNetwork& network) { return network.set_tun_mtu(1300); },
        [](HostNetwork& network) { return network.set_tun_mtu(1280); }}}};
  return all;
}

class NetworkFailureTest : public NetworkModelTest,
                           public testing::WithParamInterface<std::size_t> {
 protected:
  const std::vector<Step>& steps() const { return scenarios()[GetParam()].steps; }

  void start_again() {
    close();
    model_ = NetworkModel::with_network();
    journal_text_.clear();
    logger_.text.clear();
  }
  /// How many calls the scenario makes when none fails, its end included.
  int count_calls() {
    for (const Step& step : steps()) EXPECT_TRUE(step(network()));
    close();
    EXPECT_EQ(model_.host, before_);
    EXPECT_EQ(journal_text_, "");
    return model_.calls;
  }
  /// Until one of them fails, which leaves everything as it was.
  void run_steps() {
    for (const Step& step : steps()) {
      const NetworkModel::Host before = model_.host;
      const auto done = step(network());
      if (done) continue;
      EXPECT_THAT(done.error().message, HasSubstr("made to fail"));
      EXPECT_EQ(model_.host, before);
      return;
    }
  }
};

TEST_P(NetworkFailureTest, LeavesNothingHalfDone) {
  const int calls = count_calls();
  EXPECT_GT(calls, 20);
  for (int call = 1; call <= calls; ++call) {
    SCOPED_TRACE("call " + std::to_string(call));
    start_again();
    model_.failing_call = call;
    run_steps();
    close();
    // A step that could not be undone is still in the journal.
    EXPECT_EQ(model_.host == before_, journal_text_.empty()) << journal_text_;
    clean_up();
    EXPECT_EQ(model_.host, before_);
    EXPECT_EQ(journal_text_, "");
  }
}

TEST_P(NetworkFailureTest, IsCleanedUpAfterACrash) {
  const int calls = count_calls();
  for (int call = 1; call <= calls; ++call) {
    SCOPED_TRACE("call " + std::to_string(call));
    start_again();
    model_.dying_call = call;
    for (const Step& step : steps()) {
      if (!step(network())) break;
    }
    close();
    model_.dying_call = 0;
    model_.has_died = false;
    EXPECT_TRUE(model_.host.filters.empty());  // they went with the process
    clean_up();
    EXPECT_EQ(model_.host, before_);
    EXPECT_EQ(journal_text_, "");
  }
}

TEST_P(NetworkFailureTest, IsCleanedUpAfterACrashThatTookTheAdapter) {
  count_calls();
  start_again();
  for (const Step& step : steps()) ASSERT_TRUE(step(network()));
  model_.has_died = true;
  close();
  model_.has_died = false;

  const auto is_tun = [](const auto& one) { return one.link == NetworkModel::kTun; };
  const auto remove_adapter = [&](NetworkModel::Host& host) {
    std::erase_if(host.interfaces, [](const Interface& one) { return one.is_tunnel(); });
    std::erase_if(host.routes, is_tun);
    std::erase_if(host.addresses, is_tun);
    std::erase_if(host.settings,
                  [](const auto& one) { return one.first.first == NetworkModel::kTun; });
    host.dns.erase(NetworkModel::kTun);
  };
  remove_adapter(model_.host);
  remove_adapter(before_);
  clean_up();
  EXPECT_EQ(model_.host, before_);
  EXPECT_EQ(journal_text_, "");
}

TEST_P(NetworkFailureTest, UndoesItselfWhatItCannotNote) {
  is_disk_full_ = true;
  for (const Step& step : steps()) ASSERT_TRUE(step(network()));
  EXPECT_THAT(logger_.text, HasSubstr("write the undo journal"));
  close();
  EXPECT_EQ(model_.host, before_);
}

INSTANTIATE_TEST_SUITE_P(, NetworkFailureTest, testing::Range(std::size_t{0}, scenarios().size()),
                         [](const auto& tested) { return scenarios()[tested.param].name; });

class ForeignChangeTest : public NetworkModelTest {
 protected:
  void connect() {
    ASSERT_TRUE(everything());
    const IpAddress servers[] = {ip("10.8.0.1")};
    ASSERT_TRUE(network().use_dns(servers));
    take_changes();
  }
};

TEST_F(ForeignChangeTest, StaysAsItIs) {
  connect();
  // Somebody has the server's route by another gateway, other name servers, another metric.
  for (WindowsRoute& route : model_.host.routes) {
    if (route.destination == net("203.0.113.5/32")) {
      route.next_hop = ip("192.168.1.254");
      route.metric = 1;
    }
  }
  model_.host.dns[NetworkModel::kTun] = {ip("9.9.9.9")};
  model_.host.settings[{NetworkModel::kTun, IpFamily::kV4}].metric = 50;
  model_.host.policies.push_back({.key = "Corp-1", .servers = {ip("192.168.1.2")}});
  close();
  EXPECT_TRUE(std::ranges::any_of(model_.host.routes, [](const WindowsRoute& route) {
    return route.next_hop == ip("192.168.1.254");
  }));
  EXPECT_EQ(model_.host.dns[NetworkModel::kTun], std::vector{ip("9.9.9.9")});
  EXPECT_EQ((model_.host.settings[{NetworkModel::kTun, IpFamily::kV4}].metric), 50u);
  EXPECT_EQ(model_.host.policies.size(), 1u);
  EXPECT_EQ(journal_text_, "");
}

TEST_F(ForeignChangeTest, IsWrittenOverByWhatIsKept) {
  connect();
  std::erase_if(model_.host.routes,
                [](const WindowsRoute& route) { return route.destination == net("128.0.0.0/1"); });
  model_.host.dns[NetworkModel::kTun] = {ip("9.9.9.9")};
  model_.host.policies.clear();
  model_.host.filters.clear();
  network().keep();
  EXPECT_THAT(take_changes(),
              testing::ElementsAre("add route 128.0.0.0/1 on 77 metric 0", "close filters 1",
                                   "open filters QDT qdt0", "set 8 filters 2",
                                   "set dns 77 v4 10.8.0.1", "add policy QDT-qdt0 10.8.0.1"));
  EXPECT_THAT(logger_.text, HasSubstr("somebody removed the route to 128.0.0.0/1"));
  EXPECT_THAT(logger_.text, HasSubstr("somebody removed the filters of qdt0"));
  EXPECT_THAT(logger_.text, HasSubstr("somebody changed the name servers; set again"));
  network().keep();
  EXPECT_THAT(take_changes(), testing::IsEmpty());
  close();
  model_.host.dns[NetworkModel::kTun].clear();  // theirs had been put back
  EXPECT_EQ(model_.host, before_);
}

}  // namespace
}  // namespace qdt::os
