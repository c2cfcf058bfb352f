#include "server/ip_signalling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

namespace qdt::server {
namespace {

wire::ConnectResponse lent(bool has_ipv6 = true) {
  wire::ConnectResponse lent{.client_ip = *IpAddress::parse("10.8.0.5"),
                             .gateway_ip = *IpAddress::parse("10.8.0.1"),
                             .cidr = *Prefix::parse("10.8.0.0/24")};
  if (has_ipv6) {
    lent.ipv6 = wire::Ipv6Addresses{.client_ip = *IpAddress::parse("fd00:8::5"),
                                    .gateway_ip = *IpAddress::parse("fd00:8::1"),
                                    .cidr = *Prefix::parse("fd00:8::/64")};
  }
  return lent;
}

// The answer to `bytes`, in which there is no datagram.
Result<std::vector<std::uint8_t>> answer_of(IpSignalling& signalling, Bytes bytes) {
  std::vector<std::uint8_t> answer;
  const auto datagram = signalling.receive(bytes, answer);
  if (!datagram) return fail(datagram);
  EXPECT_FALSE(*datagram);
  return answer;
}

// What a client reads of `bytes`: each capsule in words.
std::string in_words(Bytes bytes) {
  wire::CapsuleReader reader;
  std::string words;
  while (true) {
    const auto capsule = reader.take(bytes);
    if (!capsule) return words + "error";
    if (!*capsule) return words + (reader.is_between_capsules() ? "" : "cut short");
    if ((*capsule)->type == wire::capsule::kAddressAssign) {
      words += "assign";
      const auto assigned = wire::parse_address_assign((*capsule)->value);
      if (!assigned) return words + " error";
      for (const auto& one : *assigned) {
        words += " " + std::to_string(one.request_id) + ":" + one.prefix.to_string();
      }
    } else {
      words += "routes";
      const auto routes = wire::parse_route_advertisement((*capsule)->value);
      if (!routes) return words + " error";
      for (const auto& one : *routes) {
        words += " " + one.first.to_string() + "-" + one.last.to_string();
      }
    }
    words += "; ";
  }
}

std::vector<std::uint8_t> request(const std::vector<wire::CapsuleAddress>& addresses) {
  std::vector<std::uint8_t> capsule;
  wire::append_capsule(capsule, wire::capsule::kAddressRequest, wire::write_addresses(addresses));
  return capsule;
}
wire::CapsuleAddress any(std::uint64_t id, const char* prefix) {
  return {.request_id = id, .prefix = *Prefix::parse(prefix)};
}

TEST(IpSignalling, SaysUnaskedWhatIsLentAndRouted) {
  EXPECT_EQ(in_words(IpSignalling(lent(false)).first_capsules()),
            "assign 0:10.8.0.5/32; routes 0.0.0.0-255.255.255.255; ");
  EXPECT_EQ(in_words(IpSignalling(lent()).first_capsules()).substr(0, 47),
            "assign 0:10.8.0.5/32 0:fd00:8::5/128; routes 0.");
}

TEST(IpSignalling, RoutesWhatIsPushedAndThePools) {
  wire::ConnectResponse some = lent();
  some.routes = {*Prefix::parse("192.168.7.0/24"), *Prefix::parse("10.8.1.0/24")};
  EXPECT_EQ(in_words(IpSignalling(some).first_capsules()),
            "assign 0:10.8.0.5/32 0:fd00:8::5/128; routes 10.8.0.0-10.8.1.255 "
            "192.168.7.0-192.168.7.255 fd00:8::-fd00:8::ffff:ffff:ffff:ffff; ");
}

TEST(IpSignalling, AdvertisesOtherRoutesOnce) {
  IpSignalling signalling(lent(false));
  const Prefix pushed[] = {*Prefix::parse("10.8.1.0/24")};
  EXPECT_EQ(in_words(signalling.use_routes(pushed)), "routes 10.8.0.0-10.8.1.255; ");
  EXPECT_TRUE(signalling.use_routes(pushed).empty());
  EXPECT_EQ(in_words(signalling.use_routes({})), "routes 0.0.0.0-255.255.255.255; ");
}

TEST(IpSignalling, AnswersEachRequestWithTheWholeList) {
  IpSignalling signalling(lent());
  auto answer = answer_of(signalling, request({any(7, "10.9.9.9/32"), any(8, "::/128")}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(in_words(*answer), "assign 7:10.8.0.5/32 8:fd00:8::5/128; ");
  answer = answer_of(signalling, request({any(9, "0.0.0.0/32"), any(10, "0.0.0.0/32")}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(in_words(*answer), "assign 9:10.8.0.5/32 0:fd00:8::5/128 10:0.0.0.0/32; ");
}

TEST(IpSignalling, RefusesAKindThatItDoesNotLend) {
  IpSignalling signalling(lent(false));
  const auto answer = answer_of(signalling, request({any(1, "::/128")}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(in_words(*answer), "assign 0:10.8.0.5/32 1:::/128; ");
}

TEST(IpSignalling, TakesCapsulesWhereverTheyAreCut) {
  IpSignalling signalling(lent(false));
  const auto bytes = request({any(3, "0.0.0.0/32")});
  std::vector<std::uint8_t> answers;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(signalling.may_end(), i == 0);
    const auto answer = answer_of(signalling, Bytes(bytes).subspan(i, 1));
    ASSERT_TRUE(answer);
    answers.insert(answers.end(), answer->begin(), answer->end());
  }
  EXPECT_TRUE(signalling.may_end());
  EXPECT_EQ(in_words(answers), "assign 3:10.8.0.5/32; ");
}

TEST(IpSignalling, ReadsAndForgetsWhatAClientHasNoUseFor) {
  IpSignalling signalling(lent());
  std::vector<std::uint8_t> bytes;
  const wire::CapsuleAddress address = any(0, "192.0.2.1/32");
  wire::append_capsule(bytes, wire::capsule::kAddressAssign, wire::write_addresses({&address, 1}));
  const wire::IpRange range{.first = *IpAddress::parse("10.0.0.0"),
                            .last = *IpAddress::parse("10.255.255.255")};
  wire::append_capsule(bytes, wire::capsule::kRouteAdvertisement, wire::write_routes({&range, 1}));
  wire::append_capsule(bytes, 0x1f4242, std::array<std::uint8_t, 3>{1, 2, 3});
  const auto answer = answer_of(signalling, bytes);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->empty());
}

TEST(IpSignalling, HandsOutTheDatagramsInCapsules) {
  IpSignalling signalling(lent());
  std::vector<std::uint8_t> sent;
  wire::append_capsule(sent, wire::capsule::kDatagram, std::array<std::uint8_t, 3>{0, 2, 3});
  const auto asked = request({any(1, "0.0.0.0/32")});
  sent.insert(sent.end(), asked.begin(), asked.end());
  Bytes bytes = sent;
  std::vector<std::uint8_t> answer;
  const auto datagram = signalling.receive(bytes, answer);
  ASSERT_TRUE(datagram && *datagram);
  EXPECT_TRUE(std::ranges::equal(**datagram, std::array<std::uint8_t, 3>{0, 2, 3}));
  EXPECT_TRUE(answer.empty());
  ASSERT_TRUE(signalling.receive(bytes, answer));
  EXPECT_TRUE(bytes.empty());
  EXPECT_FALSE(answer.empty());
}

TEST(IpSignalling, EndsAtWhatBreaksTheRules) {
  const auto fails = [](Bytes bytes) {
    IpSignalling signalling(lent());
    return !answer_of(signalling, bytes);
  };
  EXPECT_TRUE(fails(request({any(0, "0.0.0.0/32")})));
  EXPECT_TRUE(fails(request({any(1, "0.0.0.0/32"), any(1, "::/128")})));
  EXPECT_TRUE(fails(request({})));
  EXPECT_TRUE(fails(std::array<std::uint8_t, 4>{2, 2, 1, 4}));                  // cut inside
  EXPECT_TRUE(fails(std::array<std::uint8_t, 9>{2, 7, 1, 9, 1, 2, 3, 4, 32}));  // IP version 9
  EXPECT_TRUE(fails(std::array<std::uint8_t, 5>{2, 0x80, 0, 0x40, 1}));         // 16 KiB and a byte
  IpSignalling signalling(lent());
  EXPECT_TRUE(answer_of(signalling, request({any(1, "0.0.0.0/32")})));
  EXPECT_FALSE(answer_of(signalling, request({any(1, "0.0.0.0/32")})));  // the ID again
}

TEST(IpSignalling, BoundsHowOftenAClientMayAsk) {
  IpSignalling signalling(lent());
  for (std::uint64_t id = 1; id <= IpSignalling::kMaxRequests; ++id) {
    ASSERT_TRUE(answer_of(signalling, request({any(id, "0.0.0.0/32")})));
  }
  EXPECT_FALSE(answer_of(signalling, request({any(1000, "0.0.0.0/32")})));
}

}  // namespace
}  // namespace qdt::server
