#include "os/linux/marked_resolver.h"

#include <ares.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>

#include "os/host_network.h"
#include "os/linux/socket_address.h"

namespace qdt::os {
namespace {

constexpr int kTimeoutMilliseconds = 2000;
constexpr int kTries = 2;

struct DestroyChannel {
  void operator()(ares_channel channel) const { ares_destroy(channel); }
};
using Channel = std::unique_ptr<ares_channeldata, DestroyChannel>;

struct Outcome {
  int status = ARES_ENOTINITIALIZED;
  bool is_done = false;
  std::vector<IpAddress> addresses;
};

/// Name servers on one link, or of no link.
struct Group {
  std::string zone;
  std::vector<IpAddress> servers;
};

// A link-local address means something on its link alone. c-ares before 1.22 knows no zones: the
// socket is bound to the link instead.
int prepare_socket(ares_socket_t socket, int, void* group) {
  const std::string& zone = static_cast<const Group*>(group)->zone;
  if (!zone.empty() && ::setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, zone.c_str(),
                                    static_cast<socklen_t>(zone.size())) < 0) {
    return -1;
  }
  return ::setsockopt(socket, SOL_SOCKET, SO_MARK, &kTunnelMark, sizeof kTunnelMark);
}

void take_answer(void* argument, int status, int, ares_addrinfo* answer) {
  auto& outcome = *static_cast<Outcome*>(argument);
  outcome.status = status;
  outcome.is_done = true;
  if (!answer) return;
  for (const auto* node = answer->nodes; node != nullptr; node = node->ai_next) {
    outcome.addresses.push_back(from_kernel(node->ai_addr).address);
  }
  ares_freeaddrinfo(answer);
}

Result<Channel> open_channel(Group& group) {
  static const int is_ready = ares_library_init(ARES_LIB_INIT_ALL);
  if (is_ready != ARES_SUCCESS) return fail(ares_strerror(is_ready));
  ares_options options{};
  options.timeout = kTimeoutMilliseconds;
  options.tries = kTries;
  std::array<char, 3> lookups = {"fb"};  // files, then name servers
  options.lookups = lookups.data();
  ares_channel raw = nullptr;
  const int status = ares_init_options(
      &raw, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_ROTATE);
  if (status != ARES_SUCCESS) return fail(ares_strerror(status));
  Channel channel(raw);
  std::string servers;
  for (const IpAddress& server : group.servers) {
    servers += (servers.empty() ? "" : ",") + SocketAddress{server, 53}.to_string();
  }
  const int set = ares_set_servers_ports_csv(raw, servers.c_str());
  if (set != ARES_SUCCESS) return fail(ares_strerror(set));
  ares_set_socket_configure_callback(raw, prepare_socket, &group);
  return channel;
}

// Until c-ares has an answer or has waited long enough.
void wait_for(ares_channel channel, const Outcome& outcome) {
  while (!outcome.is_done) {
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
    const auto wanted =
        static_cast<unsigned>(ares_getsock(channel, sockets.data(), ARES_GETSOCK_MAXNUM));
    std::array<pollfd, ARES_GETSOCK_MAXNUM> polled{};
    nfds_t count = 0;
    for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
      const bool reads = (wanted >> i & 1U) != 0;
      const bool writes = (wanted >> (i + ARES_GETSOCK_MAXNUM) & 1U) != 0;
      if (!reads && !writes) continue;
      const int events = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0);
      polled[count++] = {.fd = sockets[i], .events = static_cast<short>(events), .revents = 0};
    }
    timeval longest{.tv_sec = 1, .tv_usec = 0};
    const timeval* timeout = ares_timeout(channel, &longest, &longest);
    ::poll(polled.data(), count,
           static_cast<int>(timeout->tv_sec * 1000 + timeout->tv_usec / 1000 + 1));
    if (count == 0) ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    for (nfds_t i = 0; i < count; ++i) {
      const pollfd& socket = polled[i];
      const bool has_news = (socket.revents & (POLLIN | POLLERR | POLLHUP)) != 0;
      const bool is_writable = (socket.revents & POLLOUT) != 0;
      ares_process_fd(channel, has_news ? socket.fd : ARES_SOCKET_BAD,
                      is_writable ? socket.fd : ARES_SOCKET_BAD);
    }
  }
}

std::vector<Group> grouped(std::span<const NameServer> name_servers) {
  std::vector<Group> groups;
  for (const auto& [address, zone] : name_servers) {
    auto group = std::ranges::find(groups, zone, &Group::zone);
    if (group == groups.end()) group = groups.insert(groups.end(), {.zone = zone, .servers = {}});
    group->servers.push_back(address);
  }
  return groups;
}

Result<std::vector<IpAddress>> ask(const std::string& name, Group& group) {
  const auto channel = open_channel(group);
  if (!channel) return fail(channel);
  Outcome outcome;
  ares_addrinfo_hints hints{};
  hints.ai_socktype = SOCK_DGRAM;
  ares_getaddrinfo(channel->get(), name.c_str(), nullptr, &hints, take_answer, &outcome);
  wait_for(channel->get(), outcome);
  if (outcome.status == ARES_SUCCESS && !outcome.addresses.empty()) return outcome.addresses;
  return fail(ares_strerror(outcome.status));
}

}  // namespace

Result<std::vector<IpAddress>> resolve_marked(const std::string& name,
                                              std::span<const NameServer> name_servers) {
  std::string reason;
  for (Group& group : grouped(name_servers)) {
    auto addresses = ask(name, group);
    if (addresses) return addresses;
    if (reason.empty()) reason = addresses.error().message;
  }
  std::string asked;
  for (const NameServer& server : name_servers) asked += " " + server.to_string();
  return fail(
      "resolve " + name + ": " + reason + "; asked were" + asked +
      ", outside the tunnel; is the name right? A resolver on this host whose own questions "
      "the kill switch stops cannot answer: then `server` needs an address");
}

}  // namespace qdt::os
