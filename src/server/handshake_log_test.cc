#include "server/handshake_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qdt::server {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class Lines final : public Logger {
 public:
  std::vector<std::string> lines;

 private:
  void write(LogLevel, std::string_view message) override { lines.emplace_back(message); }
};

constexpr Timestamp kStart{1h};

SocketAddress client(std::uint32_t number) {
  return {IpAddress::v4(0xc0000200 + number), 4000};
}

class HandshakeLogTest : public testing::Test {
 protected:
  Lines out_;
  HandshakeLog log_{out_};
};

TEST_F(HandshakeLogTest, HasAddressAndReason) {
  log_.add(client(1), "unauthorized", kStart);
  EXPECT_THAT(out_.lines, SizeIs(0));  // a shard does not wait for it
  log_.tell(kStart);
  log_.tell(kStart);
  EXPECT_THAT(out_.lines, ElementsAre("handshake from 192.0.2.1:4000 failed: unauthorized"));
}

TEST_F(HandshakeLogTest, HasOneLineASecondForAnAddress) {
  for (int i = 0; i < 25; ++i) {
    log_.add(client(1), "unauthorized", kStart + i * 100ms);
    log_.tell(kStart);
  }
  EXPECT_THAT(out_.lines, SizeIs(3));
  log_.add(client(2), "unauthorized", kStart + 2500ms);
  log_.tell(kStart);
  EXPECT_THAT(out_.lines, SizeIs(4));
}

TEST_F(HandshakeLogTest, HasTenLinesASecondAndCountsTheOthers) {
  for (std::uint32_t i = 0; i < 200; ++i) log_.add(client(i), "rate limited", kStart);
  log_.tell(kStart + 500ms);
  EXPECT_THAT(out_.lines, SizeIs(10));
  log_.tell(kStart + 1s);
  log_.tell(kStart + 2s);
  EXPECT_THAT(out_.lines, SizeIs(11));
  EXPECT_EQ(out_.lines.back(), "190 more handshakes failed, from the same or other addresses");
}

TEST_F(HandshakeLogTest, KeepsNoMoreWhileNobodyTells) {
  for (std::uint32_t i = 0; i < 200; ++i) log_.add(client(i), "unauthorized", kStart + i * 1s);
  log_.tell(kStart + 200s);
  EXPECT_THAT(out_.lines, SizeIs(11));
}

}  // namespace
}  // namespace qdt::server
