#include "os/linux/host_message.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace qdt::os {
namespace {

using Message = std::vector<std::uint8_t>;

const IpAddress kInner = *IpAddress::parse("10.8.0.2");
const IpAddress kInner6 = *IpAddress::parse("fd00:8::2");
const HostPlan kClient{.role = HostPlan::Role::kClient};
const HostPlan kServer{.role = HostPlan::Role::kServer, .addresses = {{kInner, 24}}};

Prefix prefix(const char* text) {
  return *Prefix::parse(text);
}

Hook hook() {
  return {.moment = Hook::Moment::kDown,
          .reason = Hook::Reason::kFailed,
          .tunnel = {.ipv4 = {kInner, *IpAddress::parse("10.8.0.1"), prefix("10.8.0.0/24")},
                     .ipv6 = Hook::Inner{kInner6, kInner6, prefix("fd00:8::/64")},
                     .mtu = 1400,
                     .dns = {kInner, {*IpAddress::parse("fe80::53"), "eth0"}},
                     .server = {*IpAddress::parse("2001:db8::1"), 443}}};
}

// One of each kind, with something in every field.
std::vector<HostRequest> one_of_each() {
  return {request::OpenNetwork{},
          request::CloseNetwork{},
          request::ConfigureTun{.addresses = {{kInner, 24}, {kInner6, 128}}, .mtu = 1400},
          request::SetTunMtu{.mtu = 1280},
          request::EnableForwarding{.is_v6 = true},
          request::InstallNat{},
          request::FindForwardingObstacles{},
          request::RouteEverything{{.destinations = {prefix("192.0.2.0/24")},
                                    .server = kInner,
                                    .name_servers = {kInner6},
                                    .private_networks = false,
                                    .answers = true,
                                    .inside = {prefix("10.8.0.0/24")}}},
          request::RouteOnly{.destinations = {prefix("::/0"), prefix("10.0.0.0/8")}},
          request::UseDns{{.servers = {kInner}, .domains = {"a.test"}, .may_take_all_names = true}},
          request::Keep{},
          request::AdoptDevice{},
          request::FindNameServersOutside{},
          request::RaiseKillSwitch{},
          request::KeepKillSwitch{},
          request::LowerKillSwitch{},
          request::OpenTun{},
          request::RunHook{hook()},
          request::StopHook{},
          request::ReadFiles{HostFileReader::Part::kCertificate},
          request::DraftNote{},
          request::PublishNote{},
          request::RemoveNote{},
          request::OpenLeaseFile{},
          request::LimitClients{},
          request::ForgetDraft{},
          request::OpenControlSocket{},
          request::AdoptFiles{},
          request::LookAtCertificate{}};
}

TEST(HostMessage, HasOnePlaceForEachByte) {
  EXPECT_EQ(*encode(7, request::SetTunMtu{.mtu = 1400}), Message({0, 0, 0, 7, 3, 0x05, 0x78}));
  EXPECT_EQ(*encode(8, request::RouteOnly{{prefix("10.8.0.0/16")}}),
            Message({0, 0, 0, 8, 8, 0, 1, 0, 10, 8, 0, 0, 16}));
  EXPECT_EQ(encode_answer<Nothing>(9, fail("no")), Message({0, 0, 0, 9, 0, 0, 0, 2, 'n', 'o'}));
}

TEST(HostMessage, BringsEveryRequestAcross) {
  ASSERT_EQ(one_of_each().size(), std::variant_size_v<HostRequest>);
  for (const HostRequest& sent : one_of_each()) {
    const auto message = encode(1, sent);
    ASSERT_TRUE(message);
    const auto received = decode_request(*message);
    ASSERT_TRUE(received) << sent.index();
    EXPECT_EQ(received->index(), sent.index());
    EXPECT_EQ(*encode(1, *received), *message);
  }
  const auto run = decode_request(*encode(1, request::RunHook{hook()}));
  EXPECT_EQ(std::get<request::RunHook>(*run).hook, hook());
}

TEST(HostMessage, IsNoneWhenCutOrContinued) {
  for (const HostRequest& sent : one_of_each()) {
    Message message = *encode(1, sent);
    for (std::size_t bytes = 0; bytes < message.size(); ++bytes) {
      EXPECT_FALSE(decode_request(Bytes(message).first(bytes))) << sent.index() << ": " << bytes;
    }
    message.push_back(0);
    EXPECT_FALSE(decode_request(message)) << sent.index();
  }
}

TEST(HostMessage, HasOneFormOfEachValue) {
  const Message good = {0, 0, 0, 1, 8, 0, 1, 0, 10, 8, 0, 0, 16};
  EXPECT_TRUE(decode_request(good));
  const std::initializer_list<std::pair<std::size_t, std::uint8_t>> changes = {
      {4, 29},            // no such kind
      {6, 2},             // more than there are
      {7, 2},             // neither IPv4 nor IPv6
      {12, 33}, {12, 8},  // host bits
  };
  for (const auto& [place, value] : changes) {
    Message bad = good;
    bad[place] = value;
    EXPECT_FALSE(decode_request(bad)) << place;
  }
  const Message mapped = {0, 0, 0, 1, 8, 0, 1,   1,   0,  0, 0, 0, 0,
                          0, 0, 0, 0, 0, 0, 255, 255, 10, 8, 0, 0, 16};
  EXPECT_FALSE(decode_request(mapped));
}

TEST(HostMessage, HasBounds) {
  request::UseDns names{{.servers = std::vector(kMaxHostAddresses + 1, NameServer(kInner))}};
  EXPECT_FALSE(encode(1, names));
  names.wish = {.servers = {}, .domains = {std::string(254, 'a')}};
  EXPECT_FALSE(encode(1, names));
  EXPECT_FALSE(encode(1, request::SetTunMtu{.mtu = 65536 + 1400}));
  request::RouteOnly routes{std::vector(kMaxHostPrefixes, prefix("::/0"))};
  const auto most = encode(1, routes);
  ASSERT_TRUE(most);
  EXPECT_TRUE(decode_request(*most));
  routes.destinations.push_back(prefix("::/0"));
  EXPECT_FALSE(encode(1, routes));
}

TEST(HostMessage, AnswersAreCutToTheirBounds) {
  Kept kept;
  kept.upkeep.fault = std::string(5000, 'f');
  kept.upkeep.count(HostPart::kRule);
  kept.upkeep.lacks_device = true;
  kept.ignored_routes.assign(100, std::string(5000, 'r'));
  const auto answer = decode_answer<Kept>(encode_answer<Kept>(1, kept));
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->upkeep.repairs, kept.upkeep.repairs);
  EXPECT_TRUE((*answer)->upkeep.lacks_device);
  EXPECT_EQ((*answer)->upkeep.fault.size(), kMaxHostTextBytes);
  EXPECT_EQ((*answer)->ignored_routes.size(), kMaxHostLines);
}

TEST(HostMessage, BringsLongErrorsAcross) {
  const std::string faults(30'000, 'f');
  EXPECT_EQ(decode_answer<Nothing>(encode_answer<Nothing>(1, fail(faults)))->error().message,
            faults);
  const std::string more(40'000, 'f');
  EXPECT_EQ(decode_answer<Nothing>(encode_answer<Nothing>(1, fail(more)))->error().message.size(),
            kMaxHostErrorBytes);
}

TEST(HostMessage, BringsFailuresAcross) {
  const auto answer = decode_answer<TunFacts>(encode_answer<TunFacts>(1, fail("no room")));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error().message, "no room");
  EXPECT_FALSE(decode_answer<TunFacts>(encode_answer<Nothing>(1, Nothing{})));
}

TEST(HostRequestCheck, TakesWhatAClientAsksFor) {
  EXPECT_TRUE(check_request(request::ConfigureTun{{{kInner, 32}, {kInner6, 128}}, 1280}, kClient));
  EXPECT_TRUE(check_request(request::ConfigureTun{{}, 576}, kClient));
  EXPECT_TRUE(check_request(request::RouteOnly{{prefix("0.0.0.0/0"), prefix("::/0")}}, kClient));
  EXPECT_TRUE(check_request(request::RunHook{hook()}, kClient));
  EXPECT_TRUE(check_request(request::UseDns{{{NameServer(kInner)}, {"lan.test"}}}, kClient));
}

TEST(HostRequestCheck, RoutesAreThoseOfTheConfiguration) {
  const request::RouteOnly one{{prefix("10.9.1.0/24")}}, all{{prefix("0.0.0.0/0")}};
  HostPlan plan{.takes_everything = true};
  EXPECT_TRUE(check_request(request::RouteEverything{}, plan));
  EXPECT_FALSE(check_request(one, plan));
  plan = {.routes = {{prefix("192.0.2.0/24"), prefix("10.9.0.0/16")}}};
  EXPECT_TRUE(check_request(one, plan));
  EXPECT_FALSE(check_request(all, plan));
  EXPECT_FALSE(check_request(request::RouteEverything{}, plan));
  plan.routes = std::vector<Prefix>();
  EXPECT_TRUE(check_request(request::RouteOnly{}, plan));
  EXPECT_FALSE(check_request(one, plan));
}

TEST(HostRequestCheck, RefusesAddressesThatAreNoHosts) {
  for (const char* address : {"0.0.0.0", "127.0.0.1", "224.0.0.1", "::", "::1", "ff02::1"}) {
    const request::ConfigureTun bad{{{*IpAddress::parse(address), 24}}, 1400};
    EXPECT_FALSE(check_request(bad, kClient)) << address;
  }
  EXPECT_FALSE(check_request(request::ConfigureTun{{{kInner, 0}}, 1400}, kClient));
  EXPECT_FALSE(check_request(request::ConfigureTun{{{kInner, 24}, {kInner, 32}}, 1400}, kClient));
  EXPECT_FALSE(check_request(request::ConfigureTun{{{kInner, 24}}, 575}, kClient));
  EXPECT_FALSE(check_request(request::SetTunMtu{0}, kClient));
  EXPECT_FALSE(check_request(request::RouteOnly{{prefix("127.0.0.0/8")}}, kClient));
}

TEST(HostRequestCheck, RefusesNamesThatAreNone) {
  for (const char* name : {"", "a b", "a\nnameserver 192.0.2.1", "../x", "-a", "1.2.3.4"}) {
    EXPECT_FALSE(check_request(request::UseDns{{{}, {name}}}, kClient)) << name;
  }
  const NameServer zoned{*IpAddress::parse("fe80::1"), "eth0\nx"};
  EXPECT_FALSE(check_request(request::UseDns{{{zoned}, {}}}, kClient));
  EXPECT_FALSE(check_request(request::UseDns{{{NameServer(kInner, "eth0")}, {}}}, kClient));
}

TEST(HostRequestCheck, AServersAddressesAreItsConfigurations) {
  EXPECT_TRUE(check_request(request::ConfigureTun{{{kInner, 24}}, 1400}, kServer));
  EXPECT_FALSE(check_request(request::ConfigureTun{{{kInner, 16}}, 1400}, kServer));
  EXPECT_FALSE(check_request(request::ConfigureTun{{}, 1400}, kServer));
}

TEST(HostRequestCheck, EachRoleHasItsRequests) {
  EXPECT_FALSE(check_request(request::UseDns{}, kServer));
  EXPECT_FALSE(check_request(request::RouteOnly{}, kServer));
  EXPECT_FALSE(check_request(request::RunHook{hook()}, kServer));
  EXPECT_FALSE(check_request(request::LowerKillSwitch{}, kServer));
  EXPECT_FALSE(check_request(request::EnableForwarding{}, kClient));
  EXPECT_FALSE(check_request(request::InstallNat{}, kClient));
  EXPECT_FALSE(check_request(request::ReadFiles{}, kClient));
  EXPECT_FALSE(check_request(request::AdoptFiles{}, kClient));
  EXPECT_FALSE(check_request(request::LookAtCertificate{}, kClient));
  EXPECT_FALSE(check_request(request::OpenLeaseFile{}, kClient));
  EXPECT_FALSE(check_request(request::DraftNote{}, kServer));
  EXPECT_FALSE(check_request(request::PublishNote{}, kServer));
  EXPECT_FALSE(check_request(request::RemoveNote{}, kServer));
  EXPECT_FALSE(check_request(request::ForgetDraft{}, kServer));
}

}  // namespace
}  // namespace qdt::os
