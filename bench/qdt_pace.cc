// Sends UDP packets at a steady rate from one network namespace to another and counts those that
// arrive. iperf3 sends them one by one, and is itself the limit where a tunnel is not yet.
//
// qdt_pace FROM TO ADDRESS RATE SECONDS BYTES: namespaces as in /run/netns, TO's address, packets
// per second, bytes of each IP packet. Prints {"planned": N, "sent": N, "received": N}.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

constexpr std::size_t kIpAndUdpHeaderBytes = 28;
constexpr std::size_t kMaxBytes = 1500;
/// The kernel's send and receive calls are for this many packets at most.
constexpr std::size_t kBatch = 64;
/// A packet that has not arrived this long after the last one that did will not.
constexpr int kQuietMilliseconds = 300;
/// A receiver that has to wait for its turn on a busy machine loses nothing meanwhile.
constexpr int kReceiveBufferBytes = 64 << 20;
/// How often the sender wakes up. At 200,000 packets per second that makes bursts of 40.
constexpr microseconds kPause(200);

[[noreturn]] void fail(const std::string& doing) {
  std::fprintf(stderr, "qdt_pace: %s: %s\n", doing.c_str(), std::strerror(errno));
  std::exit(1);
}

std::uint64_t parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec == std::errc() && end.ptr == text.data() + text.size()) return number;
  errno = EINVAL;
  fail("read \"" + std::string(text) + "\"");
}

/// A socket belongs to the namespace that it was made in, whoever uses it.
int open_socket_in(const std::string& name) {
  const int there = open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC);
  if (there < 0 || setns(there, CLONE_NEWNET) < 0) fail("enter namespace " + name);
  close(there);
  const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) fail("make a socket in " + name);
  return descriptor;
}

sockaddr_in parse_address(const char* text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  errno = EINVAL;
  if (inet_pton(AF_INET, text, &address.sin_addr) != 1) fail(std::string("read address ") + text);
  return address;
}

/// A receiver's own loss would be taken for the tunnel's: as much memory as it may need.
void bind_receiver(int descriptor, sockaddr_in& address) {
  const int bytes = kReceiveBufferBytes;
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(descriptor, generic, length) < 0) fail("bind");
  if (getsockname(descriptor, generic, &length) < 0) fail("getsockname");
}

/// A batch of packets in the shape that sendmmsg and recvmmsg take.
class Messages {
 public:
  explicit Messages(std::size_t bytes) : payload_(bytes) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      // All in one place: what is in them matters to nobody.
      pieces_[i] = {.iov_base = payload_.data(), .iov_len = payload_.size()};
      messages_[i].msg_hdr.msg_iov = &pieces_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  mmsghdr* get() { return messages_.data(); }

 private:
  std::vector<std::uint8_t> payload_;
  std::array<iovec, kBatch> pieces_{};
  std::array<mmsghdr, kBatch> messages_{};
};

std::uint64_t receive(int descriptor, const std::atomic<bool>& has_sent) {
  Messages messages(kMaxBytes);
  std::uint64_t received = 0;
  pollfd readable{.fd = descriptor, .events = POLLIN, .revents = 0};
  for (;;) {
    const bool is_last_wait = has_sent;
    if (poll(&readable, 1, kQuietMilliseconds) == 0) {
      if (is_last_wait) return received;
      continue;
    }
    const int count = recvmmsg(descriptor, messages.get(), kBatch, MSG_DONTWAIT, nullptr);
    if (count > 0) received += static_cast<std::uint64_t>(count);
  }
}

/// Packets that fall due while the sender sleeps go out at its next turn, all of them: a sender
/// that is late catches up, as long as it is not late for good.
std::uint64_t send_paced(int descriptor, std::uint64_t rate, std::uint64_t planned,
                         std::size_t payload_bytes) {
  Messages messages(payload_bytes);
  const auto begun = Clock::now();
  const auto deadline = begun +
                        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                            static_cast<double>(planned) / static_cast<double>(rate))) +
                        std::chrono::milliseconds(50);
  std::uint64_t tried = 0;
  std::uint64_t sent = 0;
  for (auto wake = begun; tried < planned; wake += kPause) {
    std::this_thread::sleep_until(wake);
    const auto now = Clock::now();
    if (now > deadline) break;
    const double seconds = std::chrono::duration<double>(now - begun).count();
    const auto due =
        std::min(planned, static_cast<std::uint64_t>(seconds * static_cast<double>(rate)));
    while (tried < due) {
      const auto count = static_cast<unsigned>(std::min<std::uint64_t>(kBatch, due - tried));
      const int done = sendmmsg(descriptor, messages.get(), count, 0);
      // The first of the rest was refused, by a full queue say: it is lost like any other.
      tried += done > 0 ? static_cast<std::uint64_t>(done) : 1;
      sent += done > 0 ? static_cast<std::uint64_t>(done) : 0;
    }
  }
  return sent;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: qdt_pace FROM TO ADDRESS RATE SECONDS BYTES\n");
    return 2;
  }
  sockaddr_in address = parse_address(argv[3]);
  const std::uint64_t rate = std::max<std::uint64_t>(1, parse_number(argv[4]));
  const auto planned = static_cast<std::uint64_t>(std::atof(argv[5]) * static_cast<double>(rate));
  const std::size_t payload_bytes =
      std::clamp<std::size_t>(parse_number(argv[6]), kIpAndUdpHeaderBytes, kMaxBytes) -
      kIpAndUdpHeaderBytes;

  const int to = open_socket_in(argv[2]);
  bind_receiver(to, address);
  const int from = open_socket_in(argv[1]);
  if (connect(from, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    fail("connect");
  }

  std::atomic<bool> has_sent = false;
  std::uint64_t received = 0;
  std::thread receiver([&] { received = receive(to, has_sent); });
  const std::uint64_t sent = send_paced(from, rate, planned, payload_bytes);
  has_sent = true;
  receiver.join();
  std::printf("{\"planned\": %llu, \"sent\": %llu, \"received\": %llu}\n",
              static_cast<unsigned long long>(planned), static_cast<unsigned long long>(sent),
              static_cast<unsigned long long>(received));
}
