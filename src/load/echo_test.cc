#include "load/echo.h"

#include <gtest/gtest.h>

#include <vector>

#include "wire/checksum.h"

namespace qdt::load {
namespace {

const Echo kEcho{.source = IpAddress::v4(0x0a080002),
                 .destination = IpAddress::v4(0x0a080001),
                 .id = 7,
                 .sequence = 9,
                 .sent = Timestamp(123456789ns)};

std::vector<std::uint8_t> request(std::size_t bytes) {
  std::vector<std::uint8_t> packet(bytes);
  write_echo_request(kEcho, packet);
  return packet;
}

TEST(Echo, HasChecksumsThatAreRight) {
  for (const std::size_t bytes : {kMinEchoBytes, std::size_t{100}, std::size_t{1401}}) {
    const auto packet = request(bytes);
    EXPECT_EQ(wire::Checksum().add(Bytes(packet).first(20)).finish(), 0u);
    EXPECT_EQ(wire::Checksum().add(Bytes(packet).subspan(20)).finish(), 0u);
  }
}

TEST(Echo, IsFoundInItsAnswer) {
  auto packet = request(100);
  EXPECT_FALSE(parse_echo_reply(packet));  // a request
  packet[20] = 0;
  const auto reply = parse_echo_reply(packet);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->source, kEcho.source);
  EXPECT_EQ(reply->destination, kEcho.destination);
  EXPECT_EQ(reply->id, 7);
  EXPECT_EQ(reply->sequence, 9);
  EXPECT_EQ(reply->sent, kEcho.sent);
}

TEST(Echo, IsNotFoundInWhatIsCutOrOther) {
  auto packet = request(kMinEchoBytes);
  packet[20] = 0;
  for (std::size_t bytes = 0; bytes < packet.size(); ++bytes) {
    EXPECT_FALSE(parse_echo_reply(Bytes(packet).first(bytes))) << bytes;
  }
  packet[9] = 17;
  EXPECT_FALSE(parse_echo_reply(packet));
}

}  // namespace
}  // namespace qdt::load
