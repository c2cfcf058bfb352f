#include "ops/config_address.h"

#include <algorithm>
#include <cctype>

#include "base/ascii.h"
#include "base/domain_name.h"
#include "ops/text.h"
#include "os/internet_name.h"
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
  return or_empty(or_nothing("IP:PORT, :PORT or off", is_off, listen_address()));
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

Reading<NameServer> parse_own_name_server(const std::string& text) {
  const auto server = NameServer::parse(text);
  if (!server && text.find('%') != std::string::npos) return refuse(server.error().message);
  if (!server || server->zone.empty()) {
    const auto address = parse_name_server(text);
    if (!address) return std::unexpected(address.error());
    return NameServer(*address);
  }
  return *server;
}

template <typename T>
Reader<std::vector<T>> list_of(std::string expected, std::size_t max,
                               Reading<T> (*parse)(const std::string&)) {
  return {std::move(expected), [=](const YamlNode& node) -> Reading<std::vector<T>> {
            if (node.kind != YamlNode::Kind::kList) return refuse();
            if (node.items.size() > max) return refuse("too many");
            std::vector<T> values;
            for (const YamlNode& item : node.items) {
              if (item.kind != YamlNode::Kind::kScalar) return refuse("", &item);
              auto value = parse(item.text);
              if (!value) return refuse(value.error().hint, &item);
              values.push_back(std::move(*value));
            }
            return values;
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
  return list_of("a list of at most 8 IP addresses such as [1.1.1.1, 8.8.8.8], or []",
                 kMaxNameServers, parse_pushed_name_server);
}

Reader<std::optional<std::vector<NameServer>>> own_dns() {
  return or_nothing("off or a list of at most 8 IP addresses such as [1.1.1.1, 8.8.8.8], or []",
                    is_off, list_of("", kMaxNameServers, parse_own_name_server));
}

namespace {

// Names are compared without regard to case, and to the dot at the end.
Reading<std::string> parse_domain(const std::string& text) {
  std::string domain = lower_case(text);
  if (domain.ends_with('.')) domain.pop_back();
  if (!is_domain_name(domain)) return refuse("\"" + printable(text) + "\" is no domain's name");
  return domain;
}

}  // namespace

Reader<std::vector<std::string>> domains() {
  const auto list =
      list_of("a list of at most 32 domains such as [corp.example, 7.168.192.in-addr.arpa], or []",
              wire::kMaxPushedDomains, parse_domain);
  return {list.expected,
          [read = list.read](const YamlNode& node) -> Reading<std::vector<std::string>> {
            auto names = read(node);
            if (!names) return names;
            std::size_t bytes = 0;
            for (const std::string& name : *names) bytes += name.size();
            if (bytes > wire::kMaxPushedDomainBytes) return refuse("more than 2048 bytes in all");
            return names;
          }};
}

namespace {

constexpr std::size_t kMaxPrefixes = 256;

Reading<Prefix> parse_prefix(const std::string& text) {
  const auto cleared = Prefix::parse(text, Prefix::HostBits::kCleared);
  if (!cleared) {
    const auto host = IpAddress::parse(text);
    return host ? refuse("write " + Prefix::of_host(*host).to_string() + " for one address")
                : refuse("that is no prefix");
  }
  if (!Prefix::parse(text)) {
    return refuse("bits are set behind the prefix length; probably " + cleared->to_string() +
                  " was meant");
  }
  return *cleared;
}

Reading<Prefix> parse_destination(const std::string& text) {
  const auto prefix = parse_prefix(text);
  if (!prefix) return prefix;
  const IpAddress& address = prefix->address();
  if (address.is_loopback() || address.is_multicast() || address.is_link_local()) {
    return refuse("that never leaves the link");
  }
  return prefix;
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

}  // namespace

Reader<std::vector<Prefix>> routes() {
  return list_of("a list of at most 256 prefixes such as [192.168.7.0/24, \"fd00:7::/64\"], or []",
                 kMaxPrefixes, parse_route);
}

Reader<std::optional<std::vector<Prefix>>> lan_prefixes() {
  return or_nothing(
      "a list of at most 64 prefixes such as [198.51.100.0/24, \"2001:db8:1::/64\"], [] or off",
      is_off, list_of("", 64, parse_route));
}

Reader<std::vector<Prefix>> pushed_routes() {
  return list_of("a list of at most 64 prefixes such as [192.168.7.0/24, \"fd00:7::/64\"], or []",
                 wire::kMaxPushedRoutes, parse_pushed_route);
}

Reader<std::vector<Prefix>> denied_prefixes() {
  return list_of("a list of at most 64 prefixes such as [192.168.7.0/24, \"fd00:7::/64\"], or []",
                 64, parse_prefix);
}

namespace {

constexpr std::uint16_t kDefaultPort = 443;

constexpr std::size_t kMaxNameBytes = 253;
constexpr std::size_t kMaxLabelBytes = 63;

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char letter) { return letter < 0x80; });
}

// The underscore is no letter of host names (RFC 1123 section 2.1), but DNS takes it, and
// containers have it.
bool is_host_letter(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-' || letter == '_';
}

// A number in any of the forms of inet_aton(3), which resolvers take for (a part of) an address.
bool is_number(std::string_view label) {
  if (label.starts_with("0x")) {
    return std::ranges::all_of(label.substr(2),
                               [](unsigned char letter) { return std::isxdigit(letter) != 0; });
  }
  return std::ranges::all_of(label, is_digit);
}

std::vector<std::string_view> labels_of(std::string_view name) {
  std::vector<std::string_view> labels;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    labels.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return labels;
}

// Why an ASCII name, in lower case and without the dot at its end, is none; nothing when it is one.
std::optional<std::string> fault_of_name(std::string_view name) {
  if (name.size() > kMaxNameBytes) return "is longer than the 253 letters of a host name";
  const auto labels = labels_of(name);
  for (const std::string_view label : labels) {
    if (label.empty()) return "is no host name: a part between dots is empty";
    if (label.size() > kMaxLabelBytes) {
      return "is no host name: a part between dots is longer than 63 letters";
    }
    if (label.starts_with('-') || label.ends_with('-')) {
      return "is no host name: a part begins or ends with \"-\"";
    }
    if (!std::ranges::all_of(label, is_host_letter)) {
      return "is no host name: A-Z a-z 0-9 - _ . are allowed, and letters of other scripts";
    }
  }
  if (std::ranges::all_of(labels, is_number)) {
    return "is no IPv4 address: write four numbers from 0 to 255, without leading zeros";
  }
  return std::nullopt;
}

Reading<std::string> parse_host_address(const std::string& host, const IpAddress& address) {
  if (address.is_unspecified() || address.is_multicast()) {
    return refuse(host + " is no host's address");
  }
  if (address.is_v6() && address.is_link_local()) {
    return refuse(host + " is an address of one link alone; give the server another one");
  }
  return address.to_string();
}

// The name as DNS, certificates and SNI have it: lower case, A-labels. A dot at its end stays: it
// keeps resolvers from trying the search domains.
Reading<std::string> parse_host_name(const std::string& host) {
  const std::string quoted = "\"" + printable(host) + "\" ";
  std::string name = host;
  if (!is_ascii(host)) {
    const auto ascii = os::to_ascii_name(host);
    if (!ascii) return refuse(quoted + "is no host name: " + ascii.error().message);
    name = *ascii;
  }
  name = lower_case(name);
  const std::string_view checked =
      std::string_view(name).substr(0, name.size() - name.ends_with('.'));
  if (const auto fault = fault_of_name(checked)) return refuse(quoted + *fault);
  return name;
}

// A DNS name or an IP address that a server can have.
Reading<std::string> parse_host(const std::string& host) {
  if (host.empty()) return refuse("the host is missing");
  if (const auto address = IpAddress::parse(host)) return parse_host_address(host, *address);
  const std::size_t zone = host.find('%');
  if (zone != std::string::npos && IpAddress::parse(host.substr(0, zone))) {
    return refuse(printable(host) +
                  " has a zone: it is an address of one link alone; give the server another one");
  }
  return parse_host_name(host);
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
  const auto address = IpAddress::parse(host.substr(0, host.find('%')));
  if (end == std::string::npos || !address || address->is_v4()) {
    return refuse("brackets are for IPv6 addresses: [2001:db8::1]:443");
  }
  const std::string rest = text.substr(end + 1);
  if (rest.empty()) return with_port(host, std::to_string(kDefaultPort));
  if (rest.front() != ':') return refuse("\":PORT\" has to follow the bracket");
  return with_port(host, rest.substr(1));
}

Reading<HostAndPort> read_server_address(const std::string& text) {
  if (text.find("://") != std::string::npos) return refuse("write it without a scheme");
  if (text.find('/') != std::string::npos) return refuse("write it without a path");
  if (text.find('@') != std::string::npos) return refuse("write it without a user name");
  if (text.find_first_of(" \t\n") != std::string::npos) {
    return refuse("\"" + printable(text) + "\" is no host name: it has spaces");
  }
  if (text.starts_with('[')) return parse_bracketed(text);

  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon != text.rfind(':')) {
    return with_port(text, std::to_string(kDefaultPort));
  }
  return with_port(text.substr(0, colon), text.substr(colon + 1));
}

}  // namespace

constexpr const char* kServerAddress =
    "HOST or HOST:PORT, such as vpn.example.com, 192.0.2.1:443 or [2001:db8::1]:443";

Reader<HostAndPort> server_address() {
  return text_reader<HostAndPort>(kServerAddress, read_server_address);
}

Result<HostAndPort> parse_server_address(const std::string& text) {
  const auto address = read_server_address(text);
  if (address) return *address;
  return fail("found \"" + printable(text) + "\", expected " + kServerAddress + " (" +
              address.error().hint + ")");
}

}  // namespace qdt::ops
