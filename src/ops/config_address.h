#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/name_server.h"
#include "base/result.h"
#include "ops/config_value.h"

namespace qdt::ops {

/// `IP:PORT` or `:PORT`.
Reader<SocketAddress> listen_address();
/// The same, or `off`.
Reader<std::optional<SocketAddress>> optional_listen_address();
Reader<IpAddress> ipv4_address();
/// A range of IPv4 addresses to lend to clients.
Reader<Prefix> address_pool();
/// A range of IPv6 addresses to lend to clients beside these; empty: none.
Reader<std::optional<Prefix>> optional_ipv6_pool();
/// Empty: none.
Reader<IpAddress> optional_ipv6_address();
/// Name servers for clients inside the tunnel.
Reader<std::vector<IpAddress>> pushed_dns();
/// Destinations: for the tunnel or to be kept out of it, and to be pushed to clients.
Reader<std::vector<Prefix>> routes();
Reader<std::vector<Prefix>> pushed_routes();
Reader<std::vector<Prefix>> denied_prefixes();
/// Local networks, or `off`: nothing.
Reader<std::optional<std::vector<Prefix>>> lan_prefixes();
/// Name servers for this host, or `off`: those that it has.
Reader<std::optional<std::vector<NameServer>>> own_dns();
/// Domains whose names are asked of a tunnel's name servers, in small letters.
Reader<std::vector<std::string>> domains();

struct HostAndPort {
  std::string host;
  std::uint16_t port = 0;
};
/// A name comes out as DNS and certificates have it: in lower case, with A-labels (`xn--`) for
/// letters outside ASCII, and with its final dot, if any.
/// `HOST`, `HOST:PORT`, `[IPV6]:PORT` or an IPv6 address; port 443 when there is none.
Reader<HostAndPort> server_address();
/// The same from a command line; the error says what was expected.
Result<HostAndPort> parse_server_address(const std::string& text);

}  // namespace qdt::ops
