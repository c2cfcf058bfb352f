#include "os/resolver.h"

#include <netdb.h>

#include <filesystem>
#include <memory>
#include <system_error>

#include "os/linux/marked_resolver.h"
#include "os/linux/socket_address.h"

namespace qdt::os {
namespace {

Result<std::vector<SocketAddress>> resolve_as_given(const std::string& host, std::uint16_t port,
                                                    std::span<const NameServer> name_servers) {
  if (const auto address = IpAddress::parse(host)) {
    return std::vector{SocketAddress{*address, port}};
  }
  std::vector<SocketAddress> addresses;
  if (!name_servers.empty()) {
    const auto answer = resolve_marked(host, name_servers);
    if (!answer) return fail(answer);
    for (const IpAddress& address : *answer) addresses.push_back({address, port});
    return addresses;
  }

  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* first = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &first); error != 0) {
    return fail("resolve " + host + ": " + ::gai_strerror(error) +
                "; is the name right, and does this host have DNS?");
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(first, ::freeaddrinfo);

  for (const addrinfo* entry = first; entry != nullptr; entry = entry->ai_next) {
    addresses.push_back({from_kernel(entry->ai_addr).address, port});
  }
  return addresses;
}

}  // namespace

Result<std::vector<SocketAddress>> resolve(const std::string& host, std::uint16_t port,
                                           std::span<const NameServer> name_servers) {
  auto found = resolve_as_given(host, port, name_servers);
  if (found || !host.ends_with('.')) return found;
  // /etc/hosts has names without the final dot.
  auto without_dot = resolve_as_given(host.substr(0, host.size() - 1), port, name_servers);
  return without_dot ? without_dot : found;
}

// Not the whole of /etc and /run: the secrets of other programs are there, a server's key among
// them.
std::vector<std::string> resolver_files() {
  std::vector<std::string> files = {"/run/systemd/resolve", "/run/NetworkManager",
                                    "/run/resolvconf",      "/run/connman",
                                    "/run/dnsmasq",         "/run/nscd"};
  for (const char* file : {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf",
                           "/etc/gai.conf", "/etc/services", "/etc/protocols", "/etc/mdns.allow"}) {
    std::error_code error;
    const auto target = std::filesystem::canonical(file, error);
    if (error) continue;
    // The folder to which a link leads (/mnt/wsl/resolv.conf): files there are replaced.
    const auto folder = target.parent_path();
    const bool is_narrow = folder != "/" && folder != "/etc" && folder != "/run";
    files.push_back((is_narrow ? folder : target).string());
  }
  return files;
}

}  // namespace qdt::os
