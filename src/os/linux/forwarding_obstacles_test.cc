#include "os/linux/forwarding_obstacles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qdt::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The output of nftables, shortened to the parts that are read.
constexpr const char* kForward =
    R"({"chain": {"family": "ip", "table": "filter", "name": "FORWARD",)"
    R"( "type": "filter", "hook": "forward", "prio": 0, "policy": "drop"}})";
constexpr const char* kAcceptingForward =
    R"({"chain": {"family": "ip", "table": "filter", "name": "FORWARD",)"
    R"( "type": "filter", "hook": "forward", "prio": 0, "policy": "accept"}})";
constexpr const char* kForwardV6 =
    R"({"chain": {"family": "ip6", "table": "filter", "name": "FORWARD",)"
    R"( "type": "filter", "hook": "forward", "prio": 0, "policy": "drop"}})";
constexpr const char* kOurForward =
    R"({"chain": {"family": "inet", "table": "qdt_qdt0", "name": "forward",)"
    R"( "type": "filter", "hook": "forward", "prio": 0, "policy": "accept"}})";
constexpr const char* kSomebodysForward =
    R"({"chain": {"family": "inet", "table": "fw", "name": "fwd",)"
    R"( "type": "filter", "hook": "forward", "prio": 0, "policy": "drop"}})";
constexpr const char* kFirewalldForward =
    R"({"chain": {"family": "inet", "table": "firewalld", "name": "filter_FORWARD",)"
    R"( "type": "filter", "hook": "forward", "prio": 10, "policy": "accept"}})";
constexpr const char* kDockerUser =
    R"({"chain": {"family": "ip", "table": "filter", "name": "DOCKER-USER"}})";
constexpr const char* kUfwUser =
    R"({"chain": {"family": "ip", "table": "filter", "name": "ufw-user-forward"}})";
constexpr const char* kFirewalldRejects =
    R"({"rule": {"chain": "filter_FORWARD",)"
    R"( "expr": [{"reject": {"type": "icmpx", "expr": "admin-prohibited"}}]}})";
constexpr const char* kInvalidDropped =
    R"({"rule": {"chain": "FORWARD", "expr": [{"match": {"op": "in",)"
    R"( "left": {"ct": {"key": "state"}}, "right": "invalid"}}, {"drop": null}]}})";
constexpr const char* kOtherChainDrops =
    R"({"rule": {"chain": "OTHER", "expr": [{"drop": null}]}})";

std::string answer(std::initializer_list<std::string> objects) {
  std::string text = R"({"nftables": [{"metainfo": {"version": "1.0.6"}})";
  for (const std::string& object : objects) text.append(", ").append(object);
  return text + "]}";
}

std::string accepted_from(const std::string& op, const std::string& interface) {
  return R"({"rule": {"chain": "DOCKER-USER", "expr": [{"match": {"op": ")" + op +
         R"(", "left": {"meta": {"key": "iifname"}}, "right": )" + interface +
         R"(}}, {"accept": null}]}})";
}

TEST(ForwardFilters, AreThoseOfIpv6TooWhereTheTunnelCarriesIt) {
  EXPECT_THAT(forward_filters(answer({kForward, kForwardV6}), "qdt_qdt0", /*carries_ipv6=*/true),
              ElementsAre(NftTable{"ip", "filter"}, NftTable{"ip6", "filter"}));
}

TEST(ObstaclesIn, NameTheProgramForIpv6) {
  EXPECT_THAT(obstacles_in(answer({kForwardV6}), "qdt0"),
              ElementsAre(HasSubstr("ip6tables -I FORWARD -i qdt0 -j ACCEPT; "
                                    "ip6tables -I FORWARD -o qdt0 -j ACCEPT")));
}

TEST(ForwardFilters, AreTheTablesThatFilterForwardedIpv4) {
  const std::string chains = answer({kForward, kAcceptingForward, kDockerUser, kForwardV6,
                                     kOurForward, kSomebodysForward, kInvalidDropped});
  EXPECT_THAT(forward_filters(chains, "qdt_qdt0"),
              ElementsAre(NftTable{"ip", "filter"}, NftTable{"inet", "fw"}));
}

TEST(ForwardFilters, AreNoneInAnAnswerOfAnotherForm) {
  for (const char* text : {"", "[]", "{}", R"({"nftables": 7})", R"({"nftables": [7, "x"]})",
                           R"({"nftables": [{"chain": {"hook": 3}}]})"}) {
    EXPECT_THAT(forward_filters(text, "qdt_qdt0"), IsEmpty()) << text;
    EXPECT_THAT(obstacles_in(text, "qdt0"), IsEmpty()) << text;
  }
}

TEST(Obstacles, AreRemediedTheWayOfTheirOwner) {
  const std::pair<std::string, const char*> cases[] = {
      {answer({kForward}), "iptables -I FORWARD -i qdt0 -j ACCEPT"},
      {answer({kForward, kDockerUser}), "iptables -I DOCKER-USER -o qdt0 -j ACCEPT"},
      {answer({kForward, kUfwUser}), "ufw route allow in on qdt0"},
      {answer({kFirewalldForward, kFirewalldRejects}),
       "firewall-cmd --zone=trusted --add-interface=qdt0"},
      {answer({kSomebodysForward}), "nft insert rule inet fw fwd iifname qdt0 accept"},
  };
  for (const auto& [table, remedy] : cases) {
    EXPECT_THAT(obstacles_in(table, "qdt0"), ElementsAre(HasSubstr(remedy)));
  }
}

TEST(Obstacles, AreNoneWhereEverythingElsePasses) {
  const std::string table = answer({kAcceptingForward, kInvalidDropped, kOtherChainDrops});
  EXPECT_THAT(obstacles_in(table, "qdt0"), IsEmpty());
}

TEST(Obstacles, AreNoneOnceARuleNamesTheDevice) {
  for (const char* interface :
       {R"("qdt0")", R"("qdt*")", R"(["eth0", "qdt0"])", R"({"set": ["lo", "qdt0"]})"}) {
    const std::string table = answer({kForward, kDockerUser, accepted_from("==", interface)});
    EXPECT_THAT(obstacles_in(table, "qdt0"), IsEmpty()) << interface;
  }
  for (const std::string& other :
       {accepted_from("==", R"("qdt1")"), accepted_from("!=", "\"qdt0\"")}) {
    EXPECT_EQ(obstacles_in(answer({kForward, kDockerUser, other}), "qdt0").size(), 1u);
  }
}

}  // namespace
}  // namespace qdt::os
