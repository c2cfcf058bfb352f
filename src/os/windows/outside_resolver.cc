#include "os/windows/outside_resolver.h"

#include <algorithm>
#include <array>

#include "os/clock.h"
#include "os/system_random.h"
#include "os/windows/dns_message.h"
#include "os/windows/socket_address.h"
#include "os/windows/system_error.h"
#include "os/windows/udp_options.h"
#include "os/windows/unique_handle.h"
#include "os/windows/winsock.h"

namespace qdt::os {
namespace {

constexpr Duration kTimeout = 2s;
constexpr int kTries = 2;
constexpr std::uint8_t kNoSuchName = 3;

struct Question {
  DnsType type;
  std::uint16_t id = 0;
  std::optional<DnsAnswer> answer;
};

Result<UniqueSocket> open_socket(const SocketAddress& server) {
  const std::string doing = "ask the name server " + server.address.to_string();
  const int family = server.address.is_v4() ? AF_INET : AF_INET6;
  UniqueSocket socket(::WSASocketW(family, SOCK_DGRAM, IPPROTO_UDP, nullptr, 0,
                                   WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
  if (!socket.is_open()) return windows_error(doing, static_cast<DWORD>(::WSAGetLastError()));
  u_long is_non_blocking =
      1;  // what poll reports may be an error that is gone when it is looked at
  ::ioctlsocket(socket.get(), FIONBIO, &is_non_blocking);
  stay_outside(socket.get(), server);
  const KernelAddress to = to_kernel(server, family);
  if (::connect(socket.get(), to.get(), to.length) != 0) {
    return windows_error(doing, static_cast<DWORD>(::WSAGetLastError()));
  }
  return socket;
}

// Waits for one message, and gives it to the question that it answers. False when time is up, or
// when nobody listens there.
bool take_message(const UniqueSocket& socket, std::span<Question> questions,
                  const std::string& name, Timestamp deadline) {
  const Timestamp now = os::now();
  if (now >= deadline) return false;
  const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now);
  WSAPOLLFD polled{.fd = socket.get(), .events = POLLRDNORM, .revents = 0};
  if (::WSAPoll(&polled, 1, static_cast<int>(rest.count() + 1)) <= 0) return false;
  std::array<std::uint8_t, 4096> buffer;
  const int bytes = ::recv(socket.get(), reinterpret_cast<char*>(buffer.data()),
                           static_cast<int>(buffer.size()), 0);
  if (bytes <= 0) return false;
  const Bytes message(buffer.data(), static_cast<std::size_t>(bytes));
  for (Question& question : questions) {
    if (question.answer) continue;
    question.answer = parse_dns_answer(message, question.id, name, question.type);
  }
  return true;
}

/// The answer of one server, or the reason for its silence.
Result<std::vector<IpAddress>> ask(const SocketAddress& server, const std::string& name) {
  const auto socket = open_socket(server);
  if (!socket) return fail(socket);
  SystemRandom random;
  // In the order of RFC 6724 for a host with both.
  std::array<Question, 2> questions = {Question{.type = DnsType::kAaaa},
                                       Question{.type = DnsType::kA}};
  for (Question& question : questions) {
    question.id = load_be<std::uint16_t>(random.bytes<2>().data());
    const auto query = make_dns_query(question.id, name, question.type);
    if (query.empty()) return fail("it is no host name");
    ::send(socket->get(), reinterpret_cast<const char*>(query.data()),
           static_cast<int>(query.size()), 0);
  }
  const auto is_answered = [](const Question& question) { return question.answer.has_value(); };
  const Timestamp deadline = os::now() + kTimeout;
  while (!std::ranges::all_of(questions, is_answered)) {
    if (!take_message(*socket, questions, name, deadline)) break;
  }
  std::vector<IpAddress> addresses;
  for (const Question& question : questions) {
    if (!question.answer) continue;
    std::ranges::copy(question.answer->addresses, std::back_inserter(addresses));
  }
  if (!addresses.empty()) return addresses;
  const bool has_answer = std::ranges::any_of(questions, is_answered);
  if (!has_answer) return fail("no answer");
  const bool is_unknown = std::ranges::any_of(questions, [](const Question& question) {
    return question.answer && question.answer->code == kNoSuchName;
  });
  return fail(is_unknown ? "there is no such name" : "it has no address");
}

}  // namespace

Result<std::vector<IpAddress>> resolve_outside(const std::string& name,
                                               std::span<const IpAddress> name_servers,
                                               std::uint16_t port) {
  if (auto ok = start_winsock(); !ok) return fail(ok);
  std::string reason;
  for (int i = 0; i < kTries; ++i) {
    for (const IpAddress& server : name_servers) {
      auto addresses = ask({server, port}, name);
      if (addresses) return addresses;
      reason = addresses.error().message;
    }
  }
  std::string asked;
  for (const IpAddress& server : name_servers) asked += " " + server.to_string();
  return fail(
      "resolve " + name + ": " + reason + "; asked were" + asked +
      ", outside the tunnel; is the name right? A resolver on this host whose own questions "
      "the kill switch stops cannot answer: then `server` needs an address");
}

}  // namespace qdt::os
