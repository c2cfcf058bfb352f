#include "os/linux/forwarding_interest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qdt::os {
namespace {

constexpr std::string_view kV4[] = {"net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"};

bool is_on(const std::vector<std::string>& files) {
  return is_switched_on(files, kV4);
}

const NftTable kNatTable{"ip", "nat"};
const std::string kEmpty = R"({"nftables": [
  {"chain": {"family": "ip", "table": "nat", "name": "POSTROUTING", "type": "nat",
             "hook": "postrouting", "policy": "accept"}},
  {"chain": {"family": "ip", "table": "nat", "name": "INPUT", "type": "nat", "hook": "input"}})";

std::string with_rule(const std::string& chain, const std::string& expression) {
  return kEmpty + R"(, {"rule": {"family": "ip", "table": "nat", "chain": ")" + chain +
         R"(", "handle": 7, "expr": [)" + expression + "]}}]}";
}

ForeignTable read(const std::string& text) {
  return read_foreign_table(kNatTable, text);
}

TEST(ForwardingInterest, LooksAtOthersTablesAlone) {
  const auto tables = find_foreign_tables(R"({"nftables": [
    {"chain": {"family": "ip", "table": "nat", "name": "P", "type": "nat", "hook": "postrouting"}},
    {"chain": {"family": "inet", "table": "qdt_qdt0", "name": "f", "type": "filter",
               "hook": "forward"}},
    {"chain": {"family": "inet", "table": "filter", "name": "i", "type": "filter",
               "hook": "input"}}]})");
  EXPECT_THAT(tables, testing::ElementsAre(kNatTable));
}

TEST(ForwardingInterest, IsNotShownByEmptyTables) {
  const ForeignTable table = read(kEmpty + "]}");
  EXPECT_EQ(table.digest, "");
  EXPECT_EQ(find_interest(std::vector{table}, {}), "");
}

TEST(ForwardingInterest, IsNotShownByRulesAtOtherHooks) {
  EXPECT_EQ(read(with_rule("INPUT", R"({"accept": null})")).digest, "");
}

TEST(ForwardingInterest, IsShownByRulesThatAreNew) {
  const ForeignTable before = read(with_rule("DOCKER", R"({"accept": null})"));
  const ForeignTable now = read(with_rule("DOCKER", R"({"drop": null})"));
  const std::vector<std::string> notes = {note_of(before)};
  EXPECT_EQ(find_interest(std::vector{before}, notes), "");
  EXPECT_EQ(find_interest(std::vector{now}, notes), "nftables table ip nat");
}

TEST(ForwardingInterest, IsShownByTranslationThatWasThere) {
  for (const char* rule : {R"({"masquerade": null})", R"({"snat": {"addr": "192.0.2.1"}})",
                           R"({"xt": {"type": "target", "name": "MASQUERADE"}})"}) {
    const ForeignTable table = read(with_rule("POSTROUTING", rule));
    const std::vector<std::string> notes = {note_of(table)};
    EXPECT_EQ(find_interest(std::vector{table}, notes), "nftables table ip nat") << rule;
  }
}

TEST(ForwardingInterest, SurvivesWhatIsNoJson) {
  for (const char* text :
       {"", "{", "[]", R"({"nftables": 7})", R"({"nftables": [7, {"rule": 1}]})"}) {
    EXPECT_TRUE(find_foreign_tables(text).empty());
    EXPECT_EQ(read(text).digest, "");
  }
}

TEST(ForwardingInterest, ReadsSysctlFiles) {
  EXPECT_FALSE(is_on({}));
  EXPECT_FALSE(is_on({"#net.ipv4.ip_forward=1\n; net.ipv4.ip_forward = 1\nnet.ipv4.ip_forward\n"}));
  for (const char* line :
       {"net.ipv4.ip_forward=1", "net.ipv4.ip_forward = 1\n", " -net/ipv4/ip_forward=1\r\n",
        "net.ipv4.conf.all.forwarding=1", "net.ipv4.conf.*.forwarding=1"}) {
    EXPECT_TRUE(is_on({line})) << line;
  }
}

TEST(ForwardingInterest, BelievesTheLastSysctlFile) {
  EXPECT_FALSE(is_on({"net.ipv4.ip_forward=1\n", "net.ipv4.ip_forward=0\n"}));
  EXPECT_TRUE(is_on({"net.ipv4.ip_forward=0\n", "net.ipv4.ip_forward=1\n"}));
}

}  // namespace
}  // namespace qdt::os
