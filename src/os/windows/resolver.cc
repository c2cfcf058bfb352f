#include "os/resolver.h"

#include <algorithm>
#include <array>
#include <memory>

#include "os/file.h"
#include "os/windows/hosts_file.h"
#include "os/windows/outside_resolver.h"
#include "os/windows/socket_address.h"
#include "os/windows/system_error.h"
#include "os/windows/wide.h"
#include "os/windows/winsock.h"

namespace qdt::os {
namespace {

std::vector<SocketAddress> with_port(std::span<const IpAddress> addresses, std::uint16_t port) {
  std::vector<SocketAddress> all;
  for (const IpAddress& address : addresses) all.push_back({address, port});
  return all;
}

std::string hosts_file() {
  std::array<wchar_t, MAX_PATH> folder{};
  const UINT length = ::GetSystemDirectoryW(folder.data(), static_cast<UINT>(folder.size()));
  const std::string path = to_utf8({folder.data(), std::min<std::size_t>(length, folder.size())}) +
                           "\\drivers\\etc\\hosts";
  return read_file(path).value_or("");
}

Result<std::vector<SocketAddress>> ask_system(const std::string& host, std::uint16_t port) {
  if (auto ok = start_winsock(); !ok) return fail(ok);
  ADDRINFOW hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_ADDRCONFIG;
  ADDRINFOW* first = nullptr;
  const int error = ::GetAddrInfoW(to_wide(host).c_str(), nullptr, &hints, &first);
  if (error != 0) {
    return fail("resolve " + host + ": " + windows_text(static_cast<DWORD>(error)) +
                "; is the name right, and does this host have DNS?");
  }
  const std::unique_ptr<ADDRINFOW, decltype(&::FreeAddrInfoW)> owner(first, ::FreeAddrInfoW);
  std::vector<SocketAddress> addresses;
  for (const ADDRINFOW* entry = first; entry != nullptr; entry = entry->ai_next) {
    const bool is_ip = entry->ai_family == AF_INET || entry->ai_family == AF_INET6;
    if (is_ip) addresses.push_back({from_kernel(entry->ai_addr).address, port});
  }
  return addresses;
}

}  // namespace

Result<std::vector<SocketAddress>> resolve(const std::string& host, std::uint16_t port,
                                           std::span<const NameServer> name_servers) {
  if (const auto address = IpAddress::parse(host)) {
    return std::vector{SocketAddress{*address, port}};
  }
  if (name_servers.empty()) return ask_system(host, port);
  const auto known = addresses_in_hosts(hosts_file(), host);
  if (!known.empty()) return with_port(known, port);
  std::vector<IpAddress> asked_ones;  // Windows knows no zones by name
  for (const NameServer& server : name_servers) asked_ones.push_back(server.address);
  const auto asked = resolve_outside(host, asked_ones);
  if (!asked) return fail(asked);
  return with_port(*asked, port);
}

std::vector<std::string> resolver_files() {
  return {};
}

}  // namespace qdt::os
