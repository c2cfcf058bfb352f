#include "os/windows/outside_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "os/windows/socket_address.h"
#include "os/windows/unique_handle.h"
#include "os/windows/winsock.h"

namespace qdt::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const IpAddress kHere = IpAddress::v4(0x7f000001);

/// A name server on a port of its own that answers every question for an IPv4 address with
/// 203.0.113.5, and every other one with no address.
class NameServer {
 public:
  NameServer() {
    EXPECT_TRUE(start_winsock());
    socket_.reset(::WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, nullptr, 0, WSA_FLAG_OVERLAPPED));
    const KernelAddress any_port = to_kernel({kHere, 0}, AF_INET);
    EXPECT_EQ(::bind(socket_.get(), any_port.get(), any_port.length), 0);
    KernelAddress bound;
    bound.length = sizeof bound.storage;
    EXPECT_EQ(::getsockname(socket_.get(), bound.get(), &bound.length), 0);
    port_ = from_kernel(bound.get()).port;
  }
  std::uint16_t port() const { return port_; }

  void answer(int questions) {
    for (int i = 0; i < questions; ++i) answer_one();
  }

 private:
  void answer_one() {
    std::array<char, 512> message{};
    KernelAddress from;
    from.length = sizeof from.storage;
    const int bytes =
        ::recvfrom(socket_.get(), message.data(), message.size(), 0, from.get(), &from.length);
    ASSERT_GT(bytes, 16);
    std::vector<char> answer(message.begin(), message.begin() + bytes);
    answer[2] = static_cast<char>(0x81);
    answer[3] = static_cast<char>(0x80);
    const bool is_v4 = answer[answer.size() - 3] == 1;
    if (is_v4) {
      answer[7] = 1;
      const unsigned char record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 5};
      answer.insert(answer.end(), std::begin(record), std::end(record));
    }
    ::sendto(socket_.get(), answer.data(), static_cast<int>(answer.size()), 0, from.get(),
             from.length);
  }

  UniqueSocket socket_;
  std::uint16_t port_ = 0;
};

TEST(OutsideResolver, AsksANameServer) {
  NameServer server;
  std::thread answering([&] { server.answer(2); });
  const auto addresses = resolve_outside("vpn.example", {&kHere, 1}, server.port());
  answering.join();
  ASSERT_TRUE(addresses) << addresses.error().message;
  EXPECT_THAT(*addresses, ElementsAre(IpAddress::v4(0xcb007105)));
}

TEST(OutsideResolver, SaysWhomItAskedInVain) {
  std::uint16_t closed_port = 0;
  {
    NameServer gone;
    closed_port = gone.port();
  }
  const auto addresses = resolve_outside("vpn.example", {&kHere, 1}, closed_port);
  ASSERT_FALSE(addresses);
  EXPECT_THAT(
      addresses.error().message,
      HasSubstr("resolve vpn.example: no answer; asked were 127.0.0.1, outside the tunnel"));
}

TEST(OutsideResolver, AsksForNoNameThatIsNone) {
  const auto addresses = resolve_outside("a..b", {&kHere, 1}, 9);
  ASSERT_FALSE(addresses);
  EXPECT_THAT(addresses.error().message, HasSubstr("it is no host name"));
}

}  // namespace
}  // namespace qdt::os
