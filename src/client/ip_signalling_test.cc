#include "client/ip_signalling.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "wire/ip_ranges.h"

namespace qdt::client {
namespace {

using wire::CapsuleAddress;

std::vector<std::uint8_t> addresses(std::uint64_t type, const std::vector<CapsuleAddress>& list) {
  std::vector<std::uint8_t> out;
  wire::append_capsule(out, type, wire::write_addresses(list));
  return out;
}

std::vector<std::uint8_t> assign(const std::vector<CapsuleAddress>& list) {
  return addresses(wire::capsule::kAddressAssign, list);
}

CapsuleAddress address(const char* prefix, std::uint64_t id = 0) {
  return {.request_id = id, .prefix = *Prefix::parse(prefix)};
}

std::vector<std::uint8_t> routes(const char* prefix) {
  const std::array<Prefix, 1> prefixes{*Prefix::parse(prefix)};
  std::vector<std::uint8_t> out;
  wire::append_capsule(out, wire::capsule::kRouteAdvertisement,
                       wire::write_routes(wire::ranges_of(prefixes)));
  return out;
}

// The answer to `bytes`, in which there is no datagram.
Result<std::vector<std::uint8_t>> answer_of(IpSignalling& signalling, Bytes bytes) {
  std::vector<std::uint8_t> answer;
  const auto datagram = signalling.receive(bytes, answer);
  if (!datagram) return fail(datagram);
  EXPECT_FALSE(*datagram);
  EXPECT_TRUE(bytes.empty());
  return answer;
}

bool fails(IpSignalling& signalling, Bytes bytes) {
  return !answer_of(signalling, bytes).has_value();
}

std::string lent(const IpSignalling& signalling) {
  if (!signalling.lent()) return "nothing said";
  std::string text;
  for (const Prefix& prefix : *signalling.lent()) text += prefix.to_string() + " ";
  return text;
}

TEST(ClientIpSignalling, KnowsWhatIsLentOnceItIsSaid) {
  IpSignalling signalling;
  EXPECT_EQ(lent(signalling), "nothing said");
  EXPECT_FALSE(signalling.routes());
  ASSERT_TRUE(answer_of(signalling, assign({address("10.8.0.5/32"), address("fd00::5/128")})));
  EXPECT_EQ(lent(signalling), "10.8.0.5/32 fd00::5/128 ");
  ASSERT_TRUE(answer_of(signalling, routes("10.0.0.0/8")));
  ASSERT_EQ(signalling.routes()->size(), 1u);
  EXPECT_EQ(signalling.routes()->front().last.to_string(), "10.255.255.255");
}

TEST(ClientIpSignalling, KnowsTheRateThatIsAskedForOnce) {
  IpSignalling signalling;
  const auto rate = [](Bytes value) {
    std::vector<std::uint8_t> out;
    wire::append_capsule(out, wire::capsule::kSendRate, value);
    return out;
  };
  EXPECT_FALSE(signalling.take_send_rate());
  ASSERT_TRUE(answer_of(signalling, rate(wire::write_send_rate(1'000))));
  ASSERT_TRUE(answer_of(signalling, rate(wire::write_send_rate(20'000'000))));
  EXPECT_EQ(signalling.take_send_rate(), 20'000'000u);
  EXPECT_FALSE(signalling.take_send_rate());
  ASSERT_TRUE(answer_of(signalling, rate(wire::write_send_rate(0))));
  EXPECT_EQ(signalling.take_send_rate(), 0u);

  const std::uint8_t two_bytes[] = {1, 2};
  const std::uint8_t cut[] = {0x80};
  const std::uint8_t long_one[9] = {0xc0};
  for (const Bytes bad : {Bytes(), Bytes(two_bytes), Bytes(cut), Bytes(long_one)}) {
    IpSignalling fresh;
    EXPECT_TRUE(fails(fresh, rate(bad))) << bad.size();
  }
}

TEST(ClientIpSignalling, LeavesRefusalsOut) {
  IpSignalling signalling;
  ASSERT_TRUE(answer_of(signalling, assign({address("10.8.0.5/32", 1), address("::/128", 2)})));
  EXPECT_EQ(lent(signalling), "10.8.0.5/32 ");
  ASSERT_TRUE(answer_of(signalling, assign({address("0.0.0.0/32", 1)})));
  EXPECT_EQ(lent(signalling), "");
}

TEST(ClientIpSignalling, TakesEachListInPlaceOfTheOneBefore) {
  IpSignalling signalling;
  ASSERT_TRUE(answer_of(signalling, assign({address("10.8.0.5/32"), address("fd00::5/128")})));
  ASSERT_TRUE(answer_of(signalling, assign({address("10.8.0.6/32")})));
  EXPECT_EQ(lent(signalling), "10.8.0.6/32 ");
}

TEST(ClientIpSignalling, LendsNothingToAServerThatAsks) {
  IpSignalling signalling;
  const auto answer =
      answer_of(signalling, addresses(wire::capsule::kAddressRequest,
                                      {address("192.0.2.0/24", 7), address("::/128", 8)}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(*answer, assign({address("0.0.0.0/32", 7), address("::/128", 8)}));
}

TEST(ClientIpSignalling, HandsDatagramsOutWhereTheyAre) {
  IpSignalling signalling;
  std::vector<std::uint8_t> stream;
  wire::append_capsule(stream, wire::capsule::kDatagram, std::array<std::uint8_t, 3>{0, 1, 2});
  const auto behind = assign({address("10.8.0.5/32")});
  stream.insert(stream.end(), behind.begin(), behind.end());
  std::vector<std::uint8_t> answer;
  Bytes bytes = stream;
  const auto datagram = signalling.receive(bytes, answer);
  ASSERT_TRUE(datagram && *datagram);
  EXPECT_EQ((*datagram)->size(), 3u);
  EXPECT_EQ(lent(signalling), "nothing said");
  ASSERT_TRUE(answer_of(signalling, bytes));
  EXPECT_EQ(lent(signalling), "10.8.0.5/32 ");
}

TEST(ClientIpSignalling, FailsForGoodAtAListThatBreaksARule) {
  IpSignalling signalling;
  ASSERT_TRUE(answer_of(signalling, assign({address("10.8.0.5/32")})));
  std::vector<std::uint8_t> broken = assign({address("10.8.0.6/32")});
  broken.back() = 33;  // the prefix length
  EXPECT_TRUE(fails(signalling, broken));
  EXPECT_EQ(lent(signalling), "10.8.0.5/32 ");
}

TEST(ClientIpSignalling, MayNotEndInsideACapsule) {
  IpSignalling signalling;
  const auto capsule = assign({address("10.8.0.5/32")});
  for (const std::uint8_t& byte : capsule) {
    ASSERT_TRUE(answer_of(signalling, std::array{byte}));
    EXPECT_EQ(signalling.may_end(), &byte == &capsule.back());
  }
  EXPECT_EQ(lent(signalling), "10.8.0.5/32 ");
}

TEST(ClientIpSignalling, AsksForAnAddressOfEachKind) {
  const auto request = IpSignalling::request_for_addresses();
  Bytes bytes = request;
  wire::CapsuleReader reader;
  const auto capsule = reader.take(bytes);
  ASSERT_TRUE(capsule && *capsule);
  EXPECT_EQ((*capsule)->type, wire::capsule::kAddressRequest);
  const auto asked = wire::parse_address_request((*capsule)->value);
  ASSERT_TRUE(asked);
  ASSERT_EQ(asked->size(), 2u);
  EXPECT_TRUE(asked->front().prefix.address().is_v4());
  EXPECT_TRUE(asked->back().is_unspecified_host());
}

}  // namespace
}  // namespace qdt::client
