#include "ops/config_address.h"

#include <algorithm>
#include <cctype>

#include "ops/text.h"
#include "wire/handshake.h"

namespace qdt::ops {
namespace {

Reading<SocketAddress> parse_listen_address(const std::string& text) {
  if (parse_whole<std::uint64_t>(text)) return refuse("write \":" + text + "\" for a port alone");
  const auto address = SocketAddress::parse(text);
  if (!address) {
    if (text.starts_with("localhost:")) return refuse("write 127.0.0.1 for localhost");
    if (IpAddress::parse(text)) return refuse("the port is missing");
    return refuse();
  }
  if (address->port == 0) return refuse("port 0 is no port");
  return *address;
}

}  // namespace

Reader<SocketAddress> listen_address() {
  return text_reader<SocketAddress>("IP:PORT or :PORT, such as :443, 192.0.2.1:443 or [::1]:443",
                                    parse_listen_address);
}

Reader<std::optional<SocketAddress>> optional_listen_address() {
  return or_empty(text_reader<std::optional<SocketAddress>>(
      "IP:PORT, :PORT or off",
      [](const std::string& text) -> Reading<std::optional<SocketAddress>> {
        if (text == "off" || text == "false" || text == "no") return std::nullopt;
        return parse_listen_address(text);
      }));
}

namespace {

Reading<IpAddress> parse_ipv4(const std::string& text) {
  const auto address = IpAddress::parse(text);
  if (!address) return refuse();
  if (address->is_v6()) return refuse("that is an IPv6 address; see gateway_ip6");
  return *address;
}

// An address where a name server can be.
Reading<IpAddress> parse_name_server(const std::string& text) {
  const auto address = IpAddress::parse(text);
  if (!address) return refuse("that is no IP address");
  if (address->is_unspecified() || address->is_multicast()) {
    return refuse("that is no host's address");
  }
  return *address;
}

Reading<IpAddress> parse_pushed_name_server(const std::string& text) {
  const auto address = parse_name_server(text);
  if (!address) return address;
  if (address->is_link_local()) return refuse("that is an address of one link alone");
  if (address->is_loopback()) return refuse("that would be the client itself");
  return address;
}

constexpr std::size_t kMaxNameServers = 8;

Reader<std::vector<IpAddress>> address_list(std::string expected,
                                            Reading<IpAddress> (*parse)(const std::string&)) {
  return {std::move(expected), [=](const YamlNode& node) -> Reading<std::vector<IpAddress>> {
            if (node.kind != YamlNode::Kind::kList) return refuse();
            if (node.items.size() > kMaxNameServers) return refuse("too many");
            std::vector<IpAddress> addresses;
            for (const YamlNode& item : node.items) {
              if (item.kind != YamlNode::Kind::kScalar) return refuse("", &item);
              const auto address = parse(item.text);
              if (!address) return refuse(address.error().hint, &item);
              addresses.push_back(*address);
            }
            return addresses;
          }};
}

}  // namespace

Reader<IpAddress> ipv4_address() {
  return text_reader<IpAddress>("an IPv4 address such as 10.8.0.1", parse_ipv4);
}

Reader<Prefix> address_pool() {
  return text_reader<Prefix>("an IPv4 prefix from /8 to /30 such as 10.8.0.0/24",
                             [](const std::string& text) -> Reading<Prefix> {
                               const auto cleared = Prefix::parse(text, Prefix::HostBits::kCleared);
                               if (!cleared) return refuse();
                               if (cleared->address().is_v6()) {
                                 return refuse("that is an IPv6 prefix; see pool_cidr6");
                               }
                               if (cleared->length() < 8 || cleared->length() > 30) return refuse();
                               if (!Prefix::parse(text)) {
                                 return refuse("bits are set behind the prefix length; probably " +
                                               cleared->to_string() + " was meant");
                               }
                               return *cleared;
                             });
}

Reader<std::optional<Prefix>> optional_ipv6_pool() {
  return or_empty(text_reader<std::optional<Prefix>>(
      "an IPv6 prefix from /32 to /126 such as fd12:3456:789a::/64",
      [](const std::string& text) -> Reading<std::optional<Prefix>> {
        const auto cleared = Prefix::parse(text, Prefix::HostBits::kCleared);
        if (!cleared) return refuse();
        const IpAddress& first = cleared->address();
        if (first.is_v4()) return refuse("that is an IPv4 prefix; see pool_cidr");
        if (cleared->length() < 32 || cleared->length() > 126) return refuse();
        if (first.is_unspecified() || first.is_multicast() || first.is_link_local()) {
          return refuse("those are no hosts' addresses");
        }
        if (!Prefix::parse(text)) {
          return refuse("bits are set behind the prefix length; probably " + cleared->to_string() +
                        " was meant");
        }
        return *cleared;
      }));
}

Reader<IpAddress> optional_ipv6_address() {
  return or_empty(text_reader<IpAddress>("an IPv6 address such as fd12:3456:789a::1",
                                         [](const std::string& text) -> Reading<IpAddress> {
                                           const auto address = IpAddress::parse(text);
                                           if (!address || address->is_v4()) return refuse();
                                           return *address;
                                         }));
}

Reader<std::vector<IpAddress>> pushed_dns() {
  return address_list("a list of at most 8 IP addresses such as [1.1.1.1, 8.8.8.8], or []",
                      parse_pushed_name_server);
}

Reader<std::vector<IpAddress>> own_dns() {
  return address_list("a list of at most 8 IP addresses such as [1.1.1.1, 8.8.8.8], or []",
                      parse_name_server);
}

namespace {

constexpr std::size_t kMaxPrefixes = 256;

Reading<Prefix> parse_destination(const std::string& text) {
  const auto cleared = Prefix::parse(text, Prefix::HostBits::kCleared);
  if (!cleared) {
    const auto host = IpAddress::parse(text);
    return host ? refuse("write " + Prefix(*host, host->bit_length()).to_string() +
                         " for one address")
                : refuse("that is no prefix");
  }
  if (!Prefix::parse(text)) {
    return refuse("bits are set behind the prefix length; probably " + cleared->to_string() +
                  " was meant");
  }
  const IpAddress& address = cleared->address();
  if (address.is_loopback() || address.is_multicast() || address.is_link_local()) {
    return refuse("that never leaves the link");
  }
  return *cleared;
}

Reading<Prefix> parse_route(const std::string& text) {
  auto route = parse_destination(text);
  if (route && route->length() == 0) return refuse("for everything there is route_mode: default");
  return route;
}

Reading<Prefix> parse_pushed_route(const std::string& text) {
  auto route = parse_destination(text);
  if (!route) return route;
  const bool is_v4 = route->address().is_v4();
  if (route->length() < (is_v4 ? wire::kMinPrefixLength4 : wire::kMinPrefixLength6)) {
    return refuse("clients take no wider one than /8, or /16 of IPv6");
  }
  if (route->address().is_unspecified()) return refuse("that is no network");
  return route;
}

Reader<std::vector<Prefix>> prefix_list(std::string expected, std::size_t max,
                                        Reading<Prefix> (*parse)(const std::string&)) {
  return {std::move(expected), [=](const YamlNode& node) -> Reading<std::vector<Prefix>> {
            if (node.kind != YamlNode::Kind::kList) return refuse();
            if (node.items.size() > max) return refuse("too many");
            std::vector<Prefix> prefixes;
            for (const YamlNode& item : node.items) {
              if (item.kind != YamlNode::Kind::kScalar) return refuse("", &item);
              const auto prefix = parse(item.text);
              if (!prefix) return refuse(prefix.error().hint, &item);
              prefixes.push_back(*prefix);
            }
            return prefixes;
          }};
}

}  // namespace

Reader<std::vector<Prefix>> routes() {
  return prefix_list(
      "a list of at most 256 prefixes such as [192.168.7.0/24, \"fd00:7::/64\"], or []",
      kMaxPrefixes, parse_route);
}

Reader<std::vector<Prefix>> excluded_prefixes() {
  return prefix_list(
      "a list of at most 256 prefixes such as [192.168.7.0/24, \"fd00:7::/64\"], or []",
      kMaxPrefixes, parse_route);
}

Reader<std::vector<Prefix>> pushed_routes() {
  return prefix_list(
      "a list of at most 64 prefixes such as [192.168.7.0/24, \"fd00:7::/64\"], or []",
      wire::kMaxPushedRoutes, parse_pushed_route);
}

namespace {

constexpr std::uint16_t kDefaultPort = 443;

bool is_host_letter(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-' || letter == '_' ||
         letter == '.';
}

// A DNS name or an IP address that a server can have.
Reading<std::string> parse_host(const std::string& host) {
  if (host.empty()) return refuse("the host is missing");
  if (const auto address = IpAddress::parse(host)) {
    if (address->is_unspecified() || address->is_multicast()) {
      return refuse(host + " is no host's address");
    }
    return host;
  }
  const bool is_name = host.size() <= 253 && std::ranges::all_of(host, is_host_letter) &&
                       host.front() != '.' && host.front() != '-' &&
                       host.find("..") == std::string::npos;
  if (!is_name) return refuse("\"" + printable(host) + "\" is no host name");
  if (host.find_first_not_of("0123456789.") == std::string::npos) {
    return refuse(host + " is no IPv4 address");
  }
  return host;
}

Reading<HostAndPort> with_port(const std::string& host, std::string_view port_text) {
  const auto port = parse_whole<std::uint16_t>(port_text);
  if (!port || *port == 0) {
    return refuse("\"" + printable(port_text) + "\" is no port from 1 to 65535");
  }
  const auto parsed = parse_host(host);
  if (!parsed) return std::unexpected(parsed.error());
  return HostAndPort{*parsed, *port};
}

Reading<HostAndPort> parse_bracketed(const std::string& text) {
  const std::size_t end = text.find(']');
  const std::string host = text.substr(1, end == std::string::npos ? end : end - 1);
  const auto address = IpAddress::parse(host);
  if (end == std::string::npos || !address || address->is_v4()) {
    return refuse("brackets are for IPv6 addresses: [2001:db8::1]:443");
  }
  const std::string rest = text.substr(end + 1);
  if (rest.empty()) return with_port(host, std::to_string(kDefaultPort));
  if (rest.front() != ':') return refuse("\":PORT\" has to follow the bracket");
  return with_port(host, rest.substr(1));
}

Reading<HostAndPort> parse_server_address(const std::string& text) {
  if (text.find("://") != std::string::npos) return refuse("write it without a scheme");
  if (text.find('/') != std::string::npos) return refuse("write it without a path");
  if (text.starts_with('[')) return parse_bracketed(text);

  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon != text.rfind(':')) {
    return with_port(text, std::to_string(kDefaultPort));
  }
  return with_port(text.substr(0, colon), text.substr(colon + 1));
}

}  // namespace

Reader<HostAndPort> server_address() {
  return text_reader<HostAndPort>(
      "HOST or HOST:PORT, such as vpn.example.com, 192.0.2.1:443 or [2001:db8::1]:443",
      parse_server_address);
}

}  // namespace qdt::ops
