#include "os/stream_socket.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <vector>

#include "os/clock.h"

namespace qdt::os {
namespace {

const SocketAddress kLoopback{IpAddress::v4(0x7f000001), 0};

TEST(StreamListener, TellsThePortThatTheKernelChose) {
  const auto listener = StreamListener::open(kLoopback);
  ASSERT_TRUE(listener);
  EXPECT_EQ(listener->address().address, kLoopback.address);
  EXPECT_NE(listener->address().port, 0);
}

TEST(StreamListener, RefusesATakenAddress) {
  const auto first = StreamListener::open(kLoopback);
  ASSERT_TRUE(first);
  const auto second = StreamListener::open(first->address());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, first->address().to_string() + ": Address already in use");
}

TEST(StreamListener, HasNothingWhileNobodyConnects) {
  auto listener = StreamListener::open(kLoopback);
  ASSERT_TRUE(listener);
  const auto accepted = listener->accept();
  ASSERT_TRUE(accepted);
  EXPECT_FALSE(accepted->has_value());
}

class ConnectedPair : public testing::Test {
 protected:
  void SetUp() override {
    auto listener = StreamListener::open(kLoopback);
    ASSERT_TRUE(listener);
    auto connected = StreamConnection::connect(listener->address(), now() + 5s);
    ASSERT_TRUE(connected) << connected.error().message;
    near_ = std::move(*connected);
    auto accepted = listener->accept();
    ASSERT_TRUE(accepted && accepted->has_value());
    far_ = std::move(*accepted);
  }

  std::string read() {
    std::array<std::uint8_t, 64> bytes;
    const auto count = far_->read(bytes, now() + 5s);
    return count ? std::string(as_text(Bytes(bytes).first(*count))) : "nothing";
  }

  std::optional<StreamConnection> near_, far_;
};

TEST_F(ConnectedPair, CarriesBytesAndTheirEnd) {
  EXPECT_TRUE(near_->write(as_bytes("hello"), now() + 5s));
  EXPECT_EQ(read(), "hello");
  near_.reset();
  EXPECT_EQ(read(), "");
}

TEST_F(ConnectedPair, TellsThePeersAddress) {
  EXPECT_EQ(far_->peer(), kLoopback.address);
}

TEST_F(ConnectedPair, TellsThePeersProgress) {
  const std::uint64_t before = far_->progress();
  ASSERT_TRUE(near_->write(as_bytes("hello"), now() + 5s));
  EXPECT_EQ(read(), "hello");
  EXPECT_EQ(far_->progress() - before, 5u);
  const std::vector<std::uint8_t> more_than_fits(64 << 20);
  EXPECT_FALSE(far_->write(more_than_fits, now() + 100ms));
  EXPECT_GT(far_->progress() - before, 5u);  // the peer's kernel took some
}

TEST_F(ConnectedPair, StaysOpenUntilItsDuplicateIsClosedToo) {
  const int duplicate = far_->duplicate();
  ASSERT_GE(duplicate, 0);
  far_.reset();
  EXPECT_EQ(::write(duplicate, "hello", 5), 5);
  ::close(duplicate);
  far_ = std::move(near_);
  EXPECT_EQ(read(), "hello");
  EXPECT_EQ(read(), "");
}

TEST_F(ConnectedPair, StopsWaitingAtTheDeadline) {
  std::array<std::uint8_t, 1> byte;
  EXPECT_EQ(far_->read(byte, now()), std::nullopt);
  EXPECT_TRUE(far_->wait(now()));
  const std::vector<std::uint8_t> more_than_fits(64 << 20);
  EXPECT_FALSE(far_->write(more_than_fits, now()));
}

TEST_F(ConnectedPair, StopsWaitingWhenThePeerHasGone) {
  std::jthread leaving([&] { near_.reset(); });
  EXPECT_FALSE(far_->wait(now() + 60s));
}

TEST_F(ConnectedPair, StopsWaitingWhenShutDown) {
  std::jthread stopping([&] { far_->shut_down(); });
  EXPECT_FALSE(far_->wait(now() + 60s));
  EXPECT_EQ(read(), "");
  EXPECT_FALSE(far_->write(as_bytes("late"), now() + 60s));
}

TEST(StreamConnection, SaysWhatItCouldNotReach) {
  auto listener = StreamListener::open(kLoopback);
  ASSERT_TRUE(listener);
  const SocketAddress address = listener->address();
  {
    const StreamListener closed = std::move(*listener);
  }
  const auto connected = StreamConnection::connect(address, now() + 5s);
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().message,
            "connect to " + address.to_string() + ": Connection refused");
}

}  // namespace
}  // namespace qdt::os
