#include "os/windows/dns_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "os/windows/hosts_file.h"
#include "os/windows/network_model.h"

namespace qdt::os {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// vpn.example: an alias, whose name has the address 203.0.113.5 (RFC 1035 section 4).
const std::vector<std::uint8_t> kAnswer = {
    0x12, 0x34, 0x81, 0x80, 0, 1,   0,   2,   0,   0,   0,   0,  // header
    3,    'v',  'p',  'n',  7, 'e', 'x', 'a', 'm', 'p', 'l', 'e',
    0,    0,    1,    0,    1,  // question
    0xc0, 12,   0,    5,    0, 1,   0,   0,   0,   60,  0,   4,
    1,    'a',  0xc0, 16,  // CNAME a.example
    0xc0, 41,   0,    1,    0, 1,   0,   0,   0,   60,  0,   4,
    203,  0,    113,  5};  // A

TEST(DnsMessage, AsksForAnAddress) {
  const std::vector<std::uint8_t> expected = {0x12, 0x34, 1,   0,   0,   1,   0,  0,   0,   0,
                                              0,    0,    3,   'v', 'p', 'n', 7,  'e', 'x', 'a',
                                              'm',  'p',  'l', 'e', 0,   0,   28, 0,   1};
  EXPECT_EQ(make_dns_query(0x1234, "vpn.example", DnsType::kAaaa), expected);
  EXPECT_EQ(make_dns_query(0x1234, "vpn.example.", DnsType::kAaaa), expected);
}

TEST(DnsMessage, AsksForNothingThatIsNoName) {
  for (const std::string& name : {std::string(), std::string("."), std::string("a..b"),
                                  std::string(".a"), std::string(64, 'x'), std::string(254, 'x')}) {
    EXPECT_THAT(make_dns_query(1, name, DnsType::kA), IsEmpty()) << name;
  }
}

TEST(DnsMessage, ReadsAddressesBehindAliases) {
  const auto answer = parse_dns_answer(kAnswer, 0x1234, "VPN.example", DnsType::kA);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, 0);
  EXPECT_THAT(answer->addresses, ElementsAre(ip("203.0.113.5")));
}

TEST(DnsMessage, BelievesOnlyTheAnswerToItsQuestion) {
  EXPECT_FALSE(parse_dns_answer(kAnswer, 0x1235, "vpn.example", DnsType::kA));
  EXPECT_FALSE(parse_dns_answer(kAnswer, 0x1234, "vpn.example", DnsType::kAaaa));
  EXPECT_FALSE(parse_dns_answer(kAnswer, 0x1234, "vpn.other", DnsType::kA));
  auto question = kAnswer;
  question[2] = 1;  // no answer
  EXPECT_FALSE(parse_dns_answer(question, 0x1234, "vpn.example", DnsType::kA));
}

TEST(DnsMessage, RefusesWhatIsCutShort) {
  for (std::size_t length = 0; length < kAnswer.size(); ++length) {
    EXPECT_FALSE(
        parse_dns_answer(Bytes(kAnswer).first(length), 0x1234, "vpn.example", DnsType::kA));
  }
}

// Whatever one byte becomes, reading ends, and inside the message.
TEST(DnsMessage, SurvivesEveryChangedByte) {
  for (std::size_t place = 0; place < kAnswer.size(); ++place) {
    for (int value = 0; value < 256; ++value) {
      auto changed = kAnswer;
      changed[place] = static_cast<std::uint8_t>(value);
      const auto answer = parse_dns_answer(changed, 0x1234, "vpn.example", DnsType::kA);
      EXPECT_LE(answer ? answer->addresses.size() : 0, 2u);
    }
  }
}

TEST(DnsMessage, TellsThatThereIsNoSuchName) {
  auto message = kAnswer;
  message.resize(29);
  message[3] = 0x83;
  message[7] = 0;
  const auto answer = parse_dns_answer(message, 0x1234, "vpn.example", DnsType::kA);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, 3);
  EXPECT_THAT(answer->addresses, IsEmpty());
}

TEST(HostsFile, HasTheAddressesOfAName) {
  constexpr std::string_view kText =
      "# 1.1.1.1 vpn.example\r\n\t10.0.0.1  other VPN.Example alias # vpn\r\n"
      "nonsense vpn.example\r\n::1 localhost\r\nfd00::1 vpn.example";
  EXPECT_THAT(addresses_in_hosts(kText, "vpn.example"), ElementsAre(ip("10.0.0.1"), ip("fd00::1")));
  EXPECT_THAT(addresses_in_hosts(kText, "vpn"), IsEmpty());
  EXPECT_THAT(addresses_in_hosts("", "vpn"), IsEmpty());
}

}  // namespace
}  // namespace qdt::os
