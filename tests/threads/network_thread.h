#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <thread>

#include "os/linux/network_fixture.h"
#include "os/linux/unique_fd.h"

namespace qdt::testing {

/// Until `condition` holds, or for a minute, which a sanitizer on a busy machine does not need.
inline bool wait_for(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

/// A thread in a network namespace of its own, which a cable joins to that of the thread that makes
/// it: `cable` at this end, with 10.99.`number`.1, and eth0 at the other, with 10.99.`number`.2.
class NetworkThread {
 public:
  explicit NetworkThread(int number, std::function<void()> body) {
    std::promise<pid_t> entered;
    std::promise<void> joined;
    const std::string net = "10.99." + std::to_string(number) + ".";
    thread_ = std::thread([&entered, &joined, net, body = std::move(body)] {
      EXPECT_EQ(::unshare(CLONE_NEWNET), 0);
      entered.set_value(::gettid());
      joined.get_future().wait();
      EXPECT_EQ(os::shell("ip link set lo up; ip address add " + net +
                          "2/24 dev eth0; "
                          "ip link set eth0 up; ip route add default via " +
                          net + "1"),
                "");
      body();
    });
    const std::string cable = "cable" + std::to_string(number);
    const pid_t thread = entered.get_future().get();
    EXPECT_EQ(os::shell("ip link add " + cable + " type veth peer name eth0 netns " +
                        std::to_string(thread) + "; ip address add " + net + "1/24 dev " + cable +
                        "; ip link set " + cable + " up"),
              "");
    joined.set_value();
  }
  ~NetworkThread() { thread_.join(); }

  /// To this thread alone.
  void send_signal(int signal) { ::pthread_kill(thread_.native_handle(), signal); }

 private:
  std::thread thread_;
};

/// A UDP socket whose receive() waits a tenth of a second at most.
class PlainSocket {
 public:
  PlainSocket() : file_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const timeval wait{.tv_sec = 0, .tv_usec = 100'000};
    ::setsockopt(file_.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  }
  static sockaddr_in address(const char* text, std::uint16_t port) {
    sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(port)};
    ::inet_pton(AF_INET, text, &address.sin_addr);
    return address;
  }
  bool bind(std::uint16_t port) {
    const sockaddr_in any = address("0.0.0.0", port);
    return ::bind(file_.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
  }
  void send(const void* bytes, std::size_t size, const sockaddr_in& to) {
    ::sendto(file_.get(), bytes, size, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  /// The size of what came, and from where; negative when nothing did.
  ssize_t receive(void* bytes, std::size_t size, sockaddr_in* from = nullptr) {
    socklen_t length = sizeof *from;
    return ::recvfrom(file_.get(), bytes, size, 0, reinterpret_cast<sockaddr*>(from),
                      from != nullptr ? &length : nullptr);
  }

 private:
  os::UniqueFd file_;
};

}  // namespace qdt::testing
