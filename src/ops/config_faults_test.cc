// The messages about a bad configuration, word by word: one test for each kind of fault.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/config.h"

namespace qdt::ops {
namespace {

struct BadConfig {
  const char* name;
  const char* yaml;   ///< from line 2 on; line 1 holds a good token
  const char* fault;  ///< all of it, behind the file's name
};

std::ostream& operator<<(std::ostream& out, const BadConfig& bad) {
  return out << bad.name;
}

class BadServerConfig : public testing::TestWithParam<BadConfig> {};

TEST_P(BadServerConfig, IsExplained) {
  const std::string text = std::string("token: 0123456789abcdef\n") + GetParam().yaml;
  const auto loaded = parse_server_config(text, "s.yaml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().message, std::string("s.yaml") + GetParam().fault);
}

constexpr BadConfig kBadServerConfigs[] = {
    // Keys.
    {"SwappedLetters", "mut: 1350", ":2:1: mut: unknown key; did you mean mtu?"},
    {"OtherSpelling", "logLevel: info", ":2:1: logLevel: unknown key; did you mean log_level?"},
    {"SecretBehindATypo", "tokne: hunter2", ":2:1: tokne: unknown key; did you mean token?"},
    {"ClientKey", "insecure: true", ":2:1: insecure: unknown key; it belongs into client.yaml"},
    {"KeyOfAGroupAtTheTop", "external_iface: eth0",
     ":2:1: external_iface: unknown key; did you mean nat.external_iface?"},
    {"DottedKey", "handshake_rate.pps: 5",
     ":2:1: handshake_rate.pps: unknown key; write pps below handshake_rate"},
    {"TypoInAGroup", "handshake_rate:\n  ppps: 3",
     ":3:3: handshake_rate.ppps: unknown key; did you mean handshake_rate.pps?"},
    {"TopKeyInAGroup", "nat: {mtu: 1400}",
     ":2:7: nat.mtu: unknown key; mtu does not belong below nat"},
    {"UnknownKeyInAGroup", "nat:\n  masquerade: true",
     ":3:3: nat.masquerade: unknown key; known are enabled, external_iface, ipv6, inbound"},
    {"Twice", "mtu: 1350\nmtu: 1350", ":3:1: mtu: given again; line 2 has it already"},
    {"TwiceInAGroup", "nat:\n  enabled: true\n  enabled: no",
     ":4:3: nat.enabled: given again; line 3 has it already"},
    {"TokenTwice", "token: abcdefghijklmnop", ":2:1: token: given again; line 1 has it already"},
    {"GroupAsValue", "nat: yes",
     ":2:6: nat: found \"yes\", expected keys below it: enabled, external_iface, ipv6, inbound"},
    {"EmptyGroup",
     "rate_limit:", ":2:1: rate_limit: found nothing, expected keys below it: pps, burst"},

    // Numbers, words, durations.
    {"WordForANumber", "mtu: big",
     ":2:6: mtu: found \"big\", expected auto or a whole number from 576 to 65535"},
    {"TooSmall", "mtu: 575",
     ":2:6: mtu: found \"575\", expected auto or a whole number from 576 to 65535"},
    {"TooLarge", "send_workers:   65",
     ":2:17: send_workers: found \"65\", expected a whole number from 0 to 64"},
    {"Negative", "max_sessions: -1",
     ":2:15: max_sessions: found \"-1\", expected a whole number from 0 to 16777216"},
    {"NoValue",
     "mtu:", ":2:1: mtu: found nothing, expected auto or a whole number from 576 to 65535"},
    {"ListForANumber", "mtu: [1350]",
     ":2:6: mtu: found a list, expected auto or a whole number from 576 to 65535"},
    {"MapForANumber", "mtu:\n  size: 1",
     ":3:3: mtu: found keys below it, expected auto or a whole number from 576 to 65535"},
    {"WordForARate", "handshake_rate: {pps: fast}",
     ":2:23: handshake_rate.pps: found \"fast\", expected a number from 0 on"},
    {"BurstOfNothing", "handshake_rate: {burst: 0}",
     ":2:25: handshake_rate.burst: found \"0\", expected a number from 1 on"},
    {"BurstWithoutRate", "rate_limit: {burst: 5}",
     ":2:21: rate_limit.burst: limits nothing alone, expected rate_limit.pps too"},
    {"NumberForAFlag", "log_json: 1", ":2:11: log_json: found \"1\", expected true or false"},
    {"UnknownLevel", "log_level: verbose",
     ":2:12: log_level: found \"verbose\", expected debug, info, warn or error"},
    {"DurationWithoutUnit", "session_timeout: 30",
     ":2:18: session_timeout: found \"30\", expected a duration from 1s to 720h such as 90s, 2m "
     "or "
     "1m30s, or 0 (the unit is missing: ms, s, m or h)"},
    {"DurationInDays", "handshake_ip_rate: {ttl: 2d}",
     ":2:26: handshake_ip_rate.ttl: found \"2d\", expected a duration from 1s to 24h such as 90s, "
     "2m or 1m30s (the units are ms, s, m and h)"},
    {"DurationTooShort", "session_timeout: 500ms",
     ":2:18: session_timeout: found \"500ms\", expected a duration from 1s to 720h such as 90s, 2m "
     "or 1m30s, or 0"},
    {"LessReassemblyThanAPacket", "max_reassembly_bytes: 2048\nmtu: 9000",
     ":2:23: max_reassembly_bytes: found 2048, expected at least mtu, 9000, or no full packet "
     "could "
     "be put together"},

    // Addresses and names.
    {"AddrWithoutPort", "addr: 192.0.2.1",
     ":2:7: addr: found \"192.0.2.1\", expected IP:PORT or :PORT, such as :443, 192.0.2.1:443 or "
     "[::1]:443 (the port is missing)"},
    {"AddrWithPortZero", "addr: \":0\"",
     ":2:7: addr: found \":0\", expected IP:PORT or :PORT, such as :443, 192.0.2.1:443 or "
     "[::1]:443 (port 0 is no port)"},
    {"AddrOff", "addr: off",
     ":2:7: addr: found \"off\", expected IP:PORT or :PORT, such as :443, 192.0.2.1:443 or "
     "[::1]:443"},
    {"PortAlone", "metrics_addr: 9435",
     ":2:15: metrics_addr: found \"9435\", expected IP:PORT, :PORT or off (write \":9435\" for a "
     "port alone)"},
    {"NameForAnAddress", "health_addr: localhost:9436",
     ":2:14: health_addr: found \"localhost:9436\", expected IP:PORT, :PORT or off (write "
     "127.0.0.1 "
     "for localhost)"},
    {"OverlappingAddresses", "metrics_addr: :9436",
     ":2:15: metrics_addr: [::]:9436 overlaps health_addr, 127.0.0.1:9436; expected another port"},
    {"ProfilesOnTheMetricsPort", "metrics_addr: 127.0.0.1:6060\npprof_addr: 127.0.0.1:6060",
     ":3:13: pprof_addr: 127.0.0.1:6060 overlaps metrics_addr, 127.0.0.1:6060; expected another "
     "port"},
    {"PublicProfiles", "pprof_addr: :6060",
     ":2:13: pprof_addr: found \"[::]:6060\", expected a loopback address such as 127.0.0.1:6060 "
     "unless pprof_public is true"},
    {"PoolWithHostBits", "pool_cidr: 10.8.0.1/24",
     ":2:12: pool_cidr: found \"10.8.0.1/24\", expected an IPv4 prefix from /8 to /30 such as "
     "10.8.0.0/24 (bits are set behind the prefix length; probably 10.8.0.0/24 was meant)"},
    {"PoolOfIpv6", "pool_cidr: fd00::/64",
     ":2:12: pool_cidr: found \"fd00::/64\", expected an IPv4 prefix from /8 to /30 such as "
     "10.8.0.0/24 (that is an IPv6 prefix; see pool_cidr6)"},
    {"PoolTooSmall", "pool_cidr: 10.8.0.0/31",
     ":2:12: pool_cidr: found \"10.8.0.0/31\", expected an IPv4 prefix from /8 to /30 such as "
     "10.8.0.0/24"},
    {"GatewayOutsideThePool", "gateway_ip: 10.9.0.1",
     ":2:13: gateway_ip: found \"10.9.0.1\", expected an address in pool_cidr, 10.8.0.0/24"},
    {"GatewayIsTheNetwork", "gateway_ip: 10.8.0.0",
     ":2:13: gateway_ip: found \"10.8.0.0\", the network address of 10.8.0.0/24, expected a "
     "host's"},
    {"GatewayIsTheBroadcast", "pool_cidr: 10.9.0.0/30\ngateway_ip: 10.9.0.3",
     ":3:13: gateway_ip: found \"10.9.0.3\", the broadcast address of 10.9.0.0/30, expected a "
     "host's"},
    {"GatewayOfIpv6", "gateway_ip: fd00::1",
     ":2:13: gateway_ip: found \"fd00::1\", expected an IPv4 address such as 10.8.0.1 (that is an "
     "IPv6 address; see gateway_ip6)"},
    {"Pool6OfIpv4", "pool_cidr6: 10.8.0.0/24",
     ":2:13: pool_cidr6: found \"10.8.0.0/24\", expected an IPv6 prefix from /32 to /126 such as "
     "fd12:3456:789a::/64 (that is an IPv4 prefix; see pool_cidr)"},
    {"Pool6WithHostBits", "pool_cidr6: fd00:8::1/64",
     ":2:13: pool_cidr6: found \"fd00:8::1/64\", expected an IPv6 prefix from /32 to /126 such as "
     "fd12:3456:789a::/64 (bits are set behind the prefix length; probably fd00:8::/64 was meant)"},
    {"Pool6OfALink", "pool_cidr6: fe80::/64",
     ":2:13: pool_cidr6: found \"fe80::/64\", expected an IPv6 prefix from /32 to /126 such as "
     "fd12:3456:789a::/64 (those are no hosts' addresses)"},
    {"Pool6TooWide", "pool_cidr6: fd00::/8",
     ":2:13: pool_cidr6: found \"fd00::/8\", expected an IPv6 prefix from /32 to /126 such as "
     "fd12:3456:789a::/64"},
    {"Pool6SmallerThanThePool", "pool_cidr6: fd00:8::/121",
     ":2:13: pool_cidr6: found \"fd00:8::/121\", which has fewer addresses than pool_cidr, "
     "10.8.0.0/24"},
    {"Pool6WithASmallMtu", "pool_cidr6: fd00:8::/64\nmtu: 1279",
     ":3:6: mtu: found 1279, expected at least 1280, which IPv6 needs (pool_cidr6)"},
    {"Gateway6Alone", "gateway_ip6: fd00:8::1",
     ":2:14: gateway_ip6: has no meaning alone, expected pool_cidr6 too"},
    {"Gateway6OutsideThePool", "pool_cidr6: fd00:8::/64\ngateway_ip6: fd00:9::1",
     ":3:14: gateway_ip6: found \"fd00:9::1\", expected an address in pool_cidr6, fd00:8::/64"},
    {"Gateway6IsTheNetwork", "pool_cidr6: fd00:8::/64\ngateway_ip6: \"fd00:8::\"",
     ":3:14: gateway_ip6: found \"fd00:8::\", the network address of fd00:8::/64, expected a "
     "host's"},
    {"Gateway6OfIpv4", "pool_cidr6: fd00:8::/64\ngateway_ip6: 10.8.0.1",
     ":3:14: gateway_ip6: found \"10.8.0.1\", expected an IPv6 address such as "
     "fd12:3456:789a::1"},
    {"DnsOfIpv6WithoutPool6", "dns: [1.1.1.1, \"2606:4700::1111\"]",
     ":2:6: dns: found \"2606:4700::1111\", which clients reach only with pool_cidr6"},
    {"DnsOfALink", "pool_cidr6: fd00:8::/64\ndns: [\"fe80::53\"]",
     ":3:7: dns: found \"fe80::53\", expected a list of at most 8 IP addresses such as [1.1.1.1, "
     "8.8.8.8], or [] (that is an address of one link alone)"},
    {"Nat6ByAnotherName", "nat: {ipv6: on}",
     ":2:13: nat.ipv6: found \"on\", expected masquerade or off"},
    {"InboundByAnotherWord", "nat: {inbound: drop}",
     ":2:16: nat.inbound: found \"drop\", expected auto, refuse or allow"},
    {"HostAccessByAnotherWord", "host_access: ping",
     ":2:14: host_access: found \"ping\", expected none, icmp or all"},
    {"DeniedHost", "deny: [169.254.169.254]",
     ":2:8: deny: found \"169.254.169.254\", expected a list of at most 64 prefixes such as "
     "[192.168.7.0/24, \"fd00:7::/64\"], or [] (write 169.254.169.254/32 for one address)"},
    {"DnsWithoutList", "dns: 1.1.1.1",
     ":2:6: dns: found \"1.1.1.1\", expected a list of at most 8 IP addresses such as [1.1.1.1, "
     "8.8.8.8], or []"},
    {"DnsByName", "dns:\n  - 1.1.1.1\n  - dns.example",
     ":4:5: dns: found \"dns.example\", expected a list of at most 8 IP addresses such as "
     "[1.1.1.1, 8.8.8.8], or [] (that is no IP address)"},
    {"DnsOnLoopback", "dns: [127.0.0.53]",
     ":2:7: dns: found \"127.0.0.53\", expected a list of at most 8 IP addresses such as "
     "[1.1.1.1, 8.8.8.8], or [] (that would be the client itself)"},
    {"LongInterfaceName", "tun_name: qdt-tunnel-device",
     ":2:11: tun_name: found \"qdt-tunnel-device\", expected an interface name: 1 to 15 characters "
     "without space, \"/\", \":\" or \"%\" (it has 17)"},
    {"InterfaceNameWithSlash", "tun_name: a/b",
     ":2:11: tun_name: found \"a/b\", expected an interface name: 1 to 15 characters without "
     "space, \"/\", \":\" or \"%\""},
    {"NatIntoTheTunnel", "tun_name: vpn\nnat: {external_iface: vpn}",
     ":3:23: nat.external_iface: found \"vpn\", which is tun_name, expected the interface to the "
     "world"},
    {"EmptyPath", "tls_cert: \"\"", ":2:11: tls_cert: found \"\", expected the path of a file"},

    // YAML.
    {"Tab", "nat:\n\tenabled: true",
     ":3:1: not valid YAML: indented with a tab; YAML takes spaces only"},
    {"OpenBracket", "dns: [1.1.1.1\n", ":3:1: not valid YAML: a \"[\" above is never closed"},
    {"WrongIndentation", "mtu: 1350\n tun_name: vpn",
     ":3:10: not valid YAML: \"KEY: VALUE\" is not possible here; is the indentation right, and a "
     "value that contains \": \" in quotes?"},
    {"SecondDocument", "---\nmtu: 1350",
     ":2:1: one YAML document is expected, and another begins here"},
    {"ControlCharacters", "log_level: \"a\\x1b[2J\\n\"",
     ":2:12: log_level: found \"a\\x1b[2J\\n\", expected debug, info, warn or error"},
};

const auto kName = [](const auto& info) { return std::string(info.param.name); };

INSTANTIATE_TEST_SUITE_P(Faults, BadServerConfig, testing::ValuesIn(kBadServerConfigs), kName);

class BadClientConfig : public testing::TestWithParam<BadConfig> {};

TEST_P(BadClientConfig, IsExplained) {
  const std::string text = std::string("token: 0123456789abcdef\n") + GetParam().yaml;
  const auto loaded = parse_client_config(text, "c.yaml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().message, std::string("c.yaml") + GetParam().fault);
}

constexpr const char* kServerExpected =
    ", expected HOST or HOST:PORT, such as vpn.example.com, 192.0.2.1:443 or [2001:db8::1]:443";

constexpr BadConfig kBadClientConfigs[] = {
    {"NoServer", "mtu: 1350",
     ": server: missing, expected HOST or HOST:PORT, such as vpn.example.com, 192.0.2.1:443 or "
     "[2001:db8::1]:443"},
    {"ServerKey", "server: a\npool_cidr: 10.8.0.0/24",
     ":3:1: pool_cidr: unknown key; it belongs into server.yaml"},
    {"UnknownRouteMode", "server: a\nroute_mode: all",
     ":3:13: route_mode: found \"all\", expected default, cidr or none"},
    {"TimeoutTooLong", "server: a\ntimeout: 1h",
     ":3:10: timeout: found \"1h\", expected a duration from 1s to 10m such as 90s, 2m or 1m30s"},
    {"FingerprintWithoutAlgorithm", "server: a\ntls_fingerprint: AB:CD",
     ":3:18: tls_fingerprint: found \"AB:CD\", expected sha256: followed by 64 hex digits "
     "(\"sha256:\" has to come first)"},
    {"ShortFingerprint", "server: a\ntls_fingerprint: sha256:ab",
     ":3:18: tls_fingerprint: found \"sha256:ab\", expected sha256: followed by 64 hex digits (it "
     "is too short)"},
    {"FingerprintWithOtherDigits", "server: a\ntls_fingerprint: sha256:abxy",
     ":3:18: tls_fingerprint: found \"sha256:abxy\", expected sha256: followed by 64 hex digits "
     "(\"xy\" is no hex byte)"},
    {"RoutesBesideEverything", "server: a\nroute_mode: default\nroutes: [10.0.0.0/8]",
     ":4:9: routes: everything goes into the tunnel already; expected route_mode: cidr, for the "
     "server's pool and these, or none, for these alone"},
    {"RouteWithHostBits", "server: a\nroutes: [10.0.0.0/8, 10.1.2.3/16]",
     ":3:22: routes: found \"10.1.2.3/16\", expected a list of at most 256 prefixes such as "
     "[192.168.7.0/24, \"fd00:7::/64\"], or [] (bits are set behind the prefix length; probably "
     "10.1.0.0/16 was meant)"},
    {"RouteToOneAddress", "server: a\nexclude: [10.1.2.3]",
     ":3:11: exclude: found \"10.1.2.3\", expected a list of at most 256 prefixes such as "
     "[192.168.7.0/24, \"fd00:7::/64\"], or [] (write 10.1.2.3/32 for one address)"},
    {"RouteToEverything", "server: a\nroutes: [\"::/0\"]",
     ":3:10: routes: found \"::/0\", expected a list of at most 256 prefixes such as "
     "[192.168.7.0/24, \"fd00:7::/64\"], or [] (for everything there is route_mode: default)"},
    {"HookWithoutAPath", "server: a\nup: [ip, link]",
     ":3:6: up: found \"ip\", expected [PROGRAM, ARGUMENT...] with the program's full path, or [] "
     "(the path begins with /)"},
    {"HookAsText", "server: a\ndown: /bin/true",
     ":3:7: down: found \"/bin/true\", expected [PROGRAM, ARGUMENT...] with the program's full "
     "path, or []"},
    {"ClientIdWithOtherLetters", "server: a\nclient_id: Büro",
     ":3:12: client_id: found \"Büro\", expected a name of 1 to 64 printable ASCII characters"},
};

INSTANTIATE_TEST_SUITE_P(Faults, BadClientConfig, testing::ValuesIn(kBadClientConfigs), kName);

struct BadValue {
  const char* name;
  const char* value;
  const char* hint;
};

std::ostream& operator<<(std::ostream& out, const BadValue& bad) {
  return out << bad.name;
}

class BadServerAddress : public testing::TestWithParam<BadValue> {};

TEST_P(BadServerAddress, IsExplained) {
  const std::string value = GetParam().value;
  const auto loaded =
      parse_client_config("token: 0123456789abcdef\nserver: '" + value + "'\n", "c.yaml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().message, "c.yaml:2:9: server: found \"" + value + "\"" +
                                        kServerExpected + " (" + GetParam().hint + ")");
}

constexpr BadValue kBadServerAddresses[] = {
    {"Url", "https://vpn.example.com", "write it without a scheme"},
    {"Path", "vpn.example.com/connect", "write it without a path"},
    {"NoHost", ":443", "the host is missing"},
    {"EmptyPort", "vpn.example.com:", "\"\" is no port from 1 to 65535"},
    {"LargePort", "vpn.example.com:65536", "\"65536\" is no port from 1 to 65535"},
    {"SpaceInName", "vpn example", "\"vpn example\" is no host name: it has spaces"},
    {"HalfAnAddress", "192.0.2",
     "\"192.0.2\" is no IPv4 address: write four numbers from 0 to 255, without leading zeros"},
    {"OctalAddress", "010.1.1.1",
     "\"010.1.1.1\" is no IPv4 address: write four numbers from 0 to 255, without leading zeros"},
    {"Zone", "fe80::1%eth0",
     "fe80::1%eth0 has a zone: it is an address of one link alone; give the server another one"},
    {"UserName", "me@vpn.test", "write it without a user name"},
    {"EmptyPart", "vpn..test", "\"vpn..test\" is no host name: a part between dots is empty"},
    {"HyphenAtTheEnd", "vpn-.test",
     "\"vpn-.test\" is no host name: a part begins or ends with \"-\""},
    {"Unspecified", "0.0.0.0:443", "0.0.0.0 is no host's address"},
    {"BracketedIpv4", "[192.0.2.1]:443", "brackets are for IPv6 addresses: [2001:db8::1]:443"},
    {"OpenBracket", "[2001:db8::1", "brackets are for IPv6 addresses: [2001:db8::1]:443"},
    {"NoColonBehindBracket", "[2001:db8::1]443", "\":PORT\" has to follow the bracket"},
};

INSTANTIATE_TEST_SUITE_P(Faults, BadServerAddress, testing::ValuesIn(kBadServerAddresses), kName);

class BadToken : public testing::TestWithParam<BadValue> {};

TEST_P(BadToken, IsExplainedWithoutBeingRepeated) {
  const auto loaded =
      parse_server_config("token: " + std::string(GetParam().value) + "\n", "s.yaml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().message,
            "s.yaml:1:8: token: found something else, expected a secret of 1 to 512 characters "
            "without spaces around it (" +
                std::string(GetParam().hint) + ")");
}

constexpr BadValue kBadTokens[] = {
    {"Empty", "\"\"", "it is empty"},
    {"Placeholder", "REPLACE-ME",
     "it is the example's placeholder, REPLACE-ME; make one with: openssl rand -base64 32, on the "
     "server, and give it to the clients"},
    {"SpaceBehind", "\"0123456789abcdef \"", "it has spaces around it"},
    {"ControlCharacter", "\"0123456789\\x07abcdef\"", "it has a control character"},
    {"OpenQuote", "\"0123456789abcdef\n\nmtu: 1350", "it has a line break; is a quote not closed?"},
};

INSTANTIATE_TEST_SUITE_P(Faults, BadToken, testing::ValuesIn(kBadTokens), kName);

TEST(BadConfig, RefusesTheServersOfExamples) {
  for (const char* name : {"vpn.example.com:443", "VPN.Example.Org", "example.net", "YOUR_SERVER",
                           "your-server.com", "your-server-ip:443", "CHANGE-ME"}) {
    const auto loaded = parse_client_config(
        "token: 0123456789abcdef\nserver: '" + std::string(name) + "'\n", "c.yaml");
    ASSERT_FALSE(loaded) << name;
    EXPECT_THAT(loaded.error().message, testing::HasSubstr("the example's placeholder")) << name;
  }
  for (const char* name : {"myexample.com", "server.lan", "example.de", "192.0.2.1"}) {
    EXPECT_TRUE(parse_client_config("token: 0123456789abcdef\nserver: " + std::string(name) + "\n",
                                    "c.yaml"))
        << name;
  }
}

TEST(BadConfig, RefusesAFingerprintOfZeros) {
  const auto loaded = parse_client_config(
      "token: 0123456789abcdef\nserver: vpn.corp.test\n"
      "tls_fingerprint: sha256:" +
          std::string(64, '0') + "\n",
      "c.yaml");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, testing::HasSubstr("it is a placeholder; the server logs"));
}

TEST(BadConfig, TellsAllFaultsInTheOrderOfTheFile) {
  const auto loaded = parse_server_config(
      "mtu: big\n"
      "nat:\n"
      "  enabled: maybe\n"
      "lgo_level: info\n"
      "gateway_ip: 1.2.3.4\n",
      "s.yaml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(
      loaded.error().message,
      "s.yaml:1:6: mtu: found \"big\", expected auto or a whole number from 576 to 65535\n"
      "s.yaml:3:12: nat.enabled: found \"maybe\", expected true or false\n"
      "s.yaml:4:1: lgo_level: unknown key; did you mean log_level?\n"
      "s.yaml:5:13: gateway_ip: found \"1.2.3.4\", expected an address in pool_cidr, "
      "10.8.0.0/24\n"
      "s.yaml: token: missing, expected a secret of 1 to 512 characters without spaces around "
      "it, or devices instead");
}

TEST(BadConfig, IsNotJudgedByAValueThatIsWrongItself) {
  const auto loaded = parse_server_config(
      "token: 0123456789abcdef\npool_cidr: everything\ngateway_ip: 172.16.0.1\n", "s.yaml");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, testing::Not(testing::HasSubstr("gateway_ip")));
}

TEST(BadConfig, MayBeNoMapAtAll) {
  EXPECT_EQ(parse_server_config("- token\n", "s.yaml").error().message,
            "s.yaml:1:1: found a list, expected lines of the form KEY: VALUE");
  EXPECT_EQ(parse_server_config("token\n", "s.yaml").error().message,
            "s.yaml:1:1: found \"token\", expected lines of the form KEY: VALUE");
  EXPECT_EQ(
      parse_server_config("", "s.yaml").error().message,
      "s.yaml: token: missing, expected a secret of 1 to 512 characters without spaces around "
      "it, or devices instead");
}

TEST(BadConfig, ListsTheKeysWhenNoneIsNear) {
  const auto loaded = parse_client_config("server: a\ntoken: b-secret\nfrobnicate: 1\n", "c.yaml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(
      loaded.error().message,
      "c.yaml:3:1: frobnicate: unknown key; known are server, token, key, key_file, server_key, "
      "psk, auth, path, tls_fingerprint, "
      "insecure, route_mode, dns, dns_domains, dns_required, routes, exclude, lan, kill_switch, "
      "kill_switch_lan, tun_name, tun_offloads, mtu, up, down, client_id, timeout, "
      "wait_for_server, keepalive, "
      "congestion, aead, data_plane, shaping, max_reassembly_bytes, udp_gso, udp_gro, caps, "
      "log_level, log_json, user");
}

}  // namespace
}  // namespace qdt::ops
