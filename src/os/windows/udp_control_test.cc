#include "os/windows/udp_control.h"

#include <gtest/gtest.h>

#include <cstring>

namespace qdt::os {
namespace {

class UdpControl : public testing::Test {
 protected:
  // The control message number `index` of `bytes` in `buffer`.
  const WSACMSGHDR* header(std::size_t index) {
    std::size_t at = 0;
    for (; index > 0; --index) at += (at_offset(at)->cmsg_len + 7) & ~std::size_t{7};
    return at_offset(at);
  }
  const WSACMSGHDR* at_offset(std::size_t at) {
    return reinterpret_cast<const WSACMSGHDR*>(buffer.data() + at);
  }
  ReceivedControl read(std::size_t bytes) {
    WSAMSG message{};
    message.Control = {.len = static_cast<ULONG>(bytes), .buf = buffer.data()};
    return read_control(message);
  }

  alignas(WSACMSGHDR) ControlBuffer buffer{};
};

TEST_F(UdpControl, IsEmptyForOnePlainPayload) {
  EXPECT_EQ(write_control({}, buffer), 0u);
}

TEST_F(UdpControl, TellsTheStrideOfSeveralPayloads) {
  const std::size_t bytes = write_control({.segment_bytes = 1350}, buffer);
  EXPECT_EQ(bytes, std::size_t{WSA_CMSG_SPACE(sizeof(DWORD))});
  EXPECT_EQ(header(0)->cmsg_level, 17);  // IPPROTO_UDP
  EXPECT_EQ(header(0)->cmsg_type, 2);    // UDP_SEND_MSG_SIZE
  EXPECT_EQ(header(0)->cmsg_len, sizeof(WSACMSGHDR) + sizeof(DWORD));
  DWORD stride = 0;
  std::memcpy(&stride, buffer.data() + sizeof(WSACMSGHDR), sizeof stride);
  EXPECT_EQ(stride, 1350u);
}

TEST_F(UdpControl, TellsSourceAndMarkAtTheLevelOfTheRemote) {
  write_control({.source = IpAddress::v4(0x0a000001), .is_v4 = true, .ecn = Ecn::kEct0}, buffer);
  EXPECT_EQ(header(0)->cmsg_level, 0);
  EXPECT_EQ(header(0)->cmsg_type, 19);  // IP_PKTINFO
  EXPECT_EQ(header(1)->cmsg_type, 50);  // IP_ECN
  write_control({.source = IpAddress::parse("2001:db8::1").value(), .is_v4 = false}, buffer);
  EXPECT_EQ(header(0)->cmsg_level, 41);
  EXPECT_EQ(header(0)->cmsg_type, 19);  // IPV6_PKTINFO
}

TEST_F(UdpControl, ReadsAddressAndMark) {
  const IpAddress source = *IpAddress::parse("2001:db8::7");
  const auto received =
      read(write_control({.source = source, .is_v4 = false, .ecn = Ecn::kCe}, buffer));
  EXPECT_EQ(received.local, source);
  EXPECT_EQ(received.ecn, Ecn::kCe);
  EXPECT_EQ(received.segment_bytes, 0u);
}

TEST_F(UdpControl, ReadsTheStrideOfJoinedPayloads) {
  const std::size_t bytes = write_control({.segment_bytes = 1200}, buffer);
  reinterpret_cast<WSACMSGHDR*>(buffer.data())->cmsg_type = 3;  // UDP_COALESCED_INFO
  EXPECT_EQ(read(bytes).segment_bytes, 1200u);
}

TEST_F(UdpControl, ReadsNothingFromNothing) {
  EXPECT_EQ(read(0).local, std::nullopt);
}

}  // namespace
}  // namespace qdt::os
