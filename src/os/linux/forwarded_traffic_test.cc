// The changes of HostNetwork, seen by packets.
//
//   10.8.0.2 ---- qdt0 | this host | up0 ------- world0 | the world
//   (the test)         |           | 192.0.2.2          | 192.0.2.1, 198.51.100.1

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <array>
#include <vector>

#include "os/host_network.h"
#include "os/linux/network_fixture.h"

namespace qdt::os {
namespace {

sockaddr_in address_of(const char* text, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(IpAddress::parse(text)->v4_number());
  return address;
}

const sockaddr_in kWorld = address_of("198.51.100.1", 4433);
const sockaddr_in kInner = address_of("10.8.0.2", 80);

const sockaddr* generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

std::string text_of(const sockaddr_in& address) {
  return IpAddress::v4(ntohl(address.sin_addr.s_addr)).to_string();
}

/// A process in another network that answers each UDP payload with its sender's address, and then
/// begins a TCP connection to 10.8.0.2.
class World {
 public:
  World() {
    int to_world[2];
    int to_host[2];
    EXPECT_EQ(::pipe(to_world) + ::pipe(to_host), 0);
    process_ = ::fork();
    if (process_ == 0) run(to_world[0], to_host[1]);

    wait_for(to_host[0]);
    EXPECT_EQ(shell("ip link add up0 type veth peer name world0 netns " + std::to_string(process_) +
                    " && ip link set up0 up && ip address add 192.0.2.2/24 dev up0 "
                    "&& ip route add default via 192.0.2.1"),
              "");
    signal(to_world[1]);
    wait_for(to_host[0]);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

 private:
  static void signal(int pipe) { EXPECT_EQ(::write(pipe, "x", 1), 1); }
  static void wait_for(int pipe) {
    char letter;
    EXPECT_EQ(::read(pipe, &letter, 1), 1);
  }

  [[noreturn]] static void run(int from_host, int to_host) {
    ::unshare(CLONE_NEWNET);
    signal(to_host);
    wait_for(from_host);
    shell(
        "ip link set lo up; ip link set world0 up; ip address add 192.0.2.1/24 dev world0; "
        "ip address add 198.51.100.1/32 dev lo; ip route add 10.8.0.0/24 via 192.0.2.2");
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM, 0));
    EXPECT_EQ(::bind(socket.get(), generic(kWorld), sizeof kWorld), 0);
    signal(to_host);
    for (;;) {
      char payload[1];
      sockaddr_in sender{};
      socklen_t bytes = sizeof sender;
      ::recvfrom(socket.get(), payload, 1, 0, reinterpret_cast<sockaddr*>(&sender), &bytes);
      const std::string answer = text_of(sender);
      ::sendto(socket.get(), answer.data(), answer.size(), 0, generic(sender), bytes);
      const UniqueFd connecting(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      EXPECT_LT(::connect(connecting.get(), generic(kInner), sizeof kInner), 0);  // in progress
    }
  }

  pid_t process_ = -1;
};

// The next packet from a socket or a TUN device; empty when none comes.
std::string receive(int fd) {
  pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
  if (::poll(&readable, 1, 3000) != 1) return {};
  std::array<char, 2048> buffer;
  const ssize_t bytes = ::read(fd, buffer.data(), buffer.size());
  return {buffer.data(), bytes > 0 ? static_cast<std::size_t>(bytes) : 0};
}

// How the world sees a socket with this mark; empty when no answer comes back.
std::string ask_world(std::uint32_t mark) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM, 0));
  EXPECT_EQ(::setsockopt(socket.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark), 0);
  EXPECT_EQ(::connect(socket.get(), generic(kWorld), sizeof kWorld), 0);
  EXPECT_EQ(::send(socket.get(), "x", 1, 0), 1);
  return receive(socket.get());
}

TEST(ForwardedTraffic, LeavesTheTunnelsOwnPacketsOutsideUnderAStrictReversePathFilter) {
  in_fresh_network([] {
    World world;
    TestTun tun("qdt0");
    TestLogger logger;
    write_text("/proc/sys/net/ipv4/conf/all/rp_filter", "1");
    auto network = *open_host_network("qdt0", logger);
    ASSERT_TRUE(network->configure_tun(*IpAddress::parse("10.8.0.2"), 24, 1350));
    ASSERT_TRUE(network->route_everything_through_tunnel());
    EXPECT_EQ(ask_world(kTunnelMark), "192.0.2.2");
  });
}

TEST(ForwardedTraffic, IsTranslatedOnItsWayOutAndBack) {
  in_fresh_network([] {
    World world;
    TestTun tun("qdt0");
    TestLogger logger;
    auto network = *open_host_network("qdt0", logger);
    ASSERT_TRUE(network->configure_tun(*IpAddress::parse("10.8.0.1"), 24, 1350));
    ASSERT_TRUE(network->enable_forwarding());
    ASSERT_TRUE(network->install_nat({*Prefix::parse("10.8.0.0/24")}));

    // "x" from 10.8.0.2:12345 to 198.51.100.1:4433
    const std::vector<std::uint8_t> packet = {
        0x45, 0x00, 0x00, 0x1d, 0x00, 0x00, 0x00, 0x00, 0x40, 0x11, 0x46, 0x92, 10,   8,  0,
        2,    198,  51,   100,  1,    0x30, 0x39, 0x11, 0x51, 0x00, 0x09, 0x00, 0x00, 'x'};
    ASSERT_EQ(::write(tun.fd(), packet.data(), packet.size()), 29);
    const std::string answer = receive(tun.fd());
    ASSERT_EQ(answer.size(), 28u + 9u);
    EXPECT_EQ(answer.substr(16, 4), std::string({10, 8, 0, 2}));
    EXPECT_EQ(answer.substr(28), "192.0.2.2");
  });
}

}  // namespace
}  // namespace qdt::os
