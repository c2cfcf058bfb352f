#include "ops/config_value.h"

#include <gtest/gtest.h>

#include "ops/config_address.h"

namespace qdt::ops {
namespace {

YamlNode scalar(std::string text) {
  YamlNode node;
  node.kind = YamlNode::Kind::kScalar;
  node.text = std::move(text);
  return node;
}

YamlNode list(const std::vector<std::string>& texts) {
  YamlNode node;
  node.kind = YamlNode::Kind::kList;
  for (const std::string& text : texts) node.items.push_back(scalar(text));
  return node;
}

template <typename T>
bool refuses(const Reader<T>& reader, const std::string& text) {
  return !reader.read(scalar(text));
}

TEST(Describe, SaysWhatWasFound) {
  EXPECT_EQ(describe(scalar("big")), "\"big\"");
  EXPECT_EQ(describe(scalar("a\n\x1b")), "\"a\\n\\x1b\"");
  EXPECT_EQ(describe(YamlNode{}), "nothing");
  EXPECT_EQ(describe(list({})), "a list");
  EXPECT_EQ(describe(scalar(std::string(60, 'x'))), "\"" + std::string(48, 'x') + "...\"");
}

TEST(WholeNumber, KeepsToItsRange) {
  const auto reader = whole_number(10, 20);
  EXPECT_EQ(reader.expected, "a whole number from 10 to 20");
  EXPECT_EQ(reader.read(scalar("10")).value(), 10u);
  EXPECT_EQ(reader.read(scalar("020")).value(), 20u);
  for (const char* text :
       {"9", "21", "", "-10", "+10", "1e1", "10.0", "0xa", "10 ", "1_0", "18446744073709551626"}) {
    EXPECT_TRUE(refuses(reader, text)) << text;
  }
}

TEST(Rate, TakesDecimals) {
  const std::pair<const char*, double> kNumbers[] = {
      {"0", 0},         {"0.5", 0.5},   {"100", 100},    {"1e6", 1e6},
      {"2.5E+3", 2500}, {"+3", 3},      {"1_000", 1000}, {"10000001", 10'000'001},
      {"1e18", 1e12},   {".inf", 1e12}, {"1e400", 1e12}, {"18446744073709551615", 1e12},
      {"1e-400", 0},    {"5.", 5},      {".5", 0.5}};
  for (const auto& [text, number] : kNumbers) {
    EXPECT_EQ(rate().read(scalar(text)).value_or(-1), number) << text;
  }
  for (const char* text : {"-1", "nan", ".nan", "inf", "", ".", "1,5", "+", "fast", "3 pps"}) {
    EXPECT_TRUE(refuses(rate(), text)) << text;
  }
  EXPECT_TRUE(refuses(rate(1), "0.5"));
}

TEST(Flag, TakesTheUsualWords) {
  for (const char* text : {"true", "yes", "on"}) EXPECT_TRUE(flag().read(scalar(text)).value());
  for (const char* text : {"false", "no", "off"}) EXPECT_FALSE(flag().read(scalar(text)).value());
  for (const char* text : {"1", "True!", ""}) EXPECT_TRUE(refuses(flag(), text)) << text;
}

TEST(DurationReader, AddsUpItsParts) {
  const auto reader = duration(1ms, std::chrono::hours(48));
  const std::pair<const char*, Duration> cases[] = {
      {"2m", 2min},     {"90s", 90s},  {"1m30s", 90s},
      {"500ms", 500ms}, {"1h", 60min}, {"1h1m1s1ms", 61min + 1s + 1ms}};
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(reader.read(scalar(text)).value(), expected) << text;
  }
}

TEST(DurationReader, RefusesNonsense) {
  const auto reader = duration(1ms, std::chrono::hours(48));
  for (const char* text : {"", "5", "0", "m", "5x", "-5s", "1.5s", "5 s", "49h", "4294967295h",
                           "99999999999s", "876000h876000h876000h", "1m 30s"}) {
    EXPECT_TRUE(refuses(reader, text)) << text;
  }
}

TEST(DurationReader, AllowsZeroWhereItMeansNever) {
  EXPECT_EQ(duration(10s, 1min, Zero::kAllowed).read(scalar("0")).value(), Duration::zero());
  EXPECT_EQ(duration(10s, 1min, Zero::kAllowed).read(scalar("0s")).value(), Duration::zero());
  EXPECT_TRUE(refuses(duration(10s, 1min, Zero::kAllowed), "9s"));
}

TEST(DurationText, IsWhatTheReaderTakes) {
  EXPECT_EQ(to_string(Duration::zero()), "0");
  EXPECT_EQ(to_string(Duration(90s)), "1m30s");
  EXPECT_EQ(to_string(Duration(3'600'250ms)), "1h250ms");
}

TEST(ListenAddress, TakesIpAndPort) {
  EXPECT_EQ(listen_address().read(scalar(":443")).value().to_string(), "[::]:443");
  EXPECT_EQ(listen_address().read(scalar("1.2.3.4:443")).value().to_string(), "1.2.3.4:443");
  EXPECT_EQ(listen_address().read(scalar("[::1]:443")).value().to_string(), "[::1]:443");
  for (const char* text : {"", "443", "1.2.3.4", "::1", "[::1]", ":0", ":65536", "host:443"}) {
    EXPECT_TRUE(refuses(listen_address(), text)) << text;
  }
}

TEST(OptionalListenAddress, CanBeOff) {
  const auto reader = optional_listen_address();
  for (const char* text : {"off", "no", "false", ""}) {
    EXPECT_EQ(reader.read(scalar(text)).value(), std::nullopt) << text;
  }
  EXPECT_EQ(reader.read(YamlNode{}).value(), std::nullopt);
  EXPECT_EQ(reader.read(scalar("127.0.0.1:1")).value()->port, 1);
  EXPECT_TRUE(refuses(reader, "none"));
}

TEST(AddressPool, IsIpv4OfUsefulSize) {
  EXPECT_EQ(address_pool().read(scalar("10.0.0.0/8")).value().length(), 8);
  EXPECT_EQ(address_pool().read(scalar("10.8.0.252/30")).value().length(), 30);
  for (const char* text : {"10.0.0.0/7", "10.8.0.0/31", "10.8.0.1/24", "fd00::/64", "10.8.0.0"}) {
    EXPECT_TRUE(refuses(address_pool(), text)) << text;
  }
}

TEST(NameServers, BlameTheOneThatIsWrong) {
  const YamlNode servers = list({"1.1.1.1", "224.0.0.1"});
  const auto reading = pushed_dns().read(servers);
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().culprit, &servers.items[1]);
}

TEST(NameServers, MayBeThisHostsOwnOnThisHostOnly) {
  EXPECT_TRUE(own_dns().read(list({"127.0.0.53", "fe80::53"})));
  EXPECT_FALSE(pushed_dns().read(list({"127.0.0.53"})));
  EXPECT_FALSE(pushed_dns().read(list({"fe80::53"})));
  EXPECT_TRUE(pushed_dns().read(list({"2001:db8::53"})));
  EXPECT_TRUE(pushed_dns().read(list({})));
  EXPECT_FALSE(own_dns().read(list(std::vector<std::string>(9, "1.1.1.1"))));
}

TEST(NameServers, MayBeOnALinkOfThisHosts) {
  EXPECT_EQ(own_dns().read(list({"fe80::53%eth0"})).value()->front().zone, "eth0");
  EXPECT_FALSE(own_dns().read(list({"2001:db8::53%eth0"})));
  EXPECT_FALSE(pushed_dns().read(list({"fe80::53%eth0"})));
}

TEST(NameServers, StayThisHostsWhenTheyAreOff) {
  EXPECT_EQ(own_dns().read(scalar("off")).value(), std::nullopt);
  EXPECT_TRUE(own_dns().read(list({})).value()->empty());
  EXPECT_FALSE(own_dns().read(scalar("on")));
}

TEST(Domains, AreNamesInSmallLettersWithoutADotAtTheEnd) {
  EXPECT_EQ(domains().read(list({"Corp.Example."})).value()[0], "corp.example");
  EXPECT_FALSE(domains().read(list({"~corp.example"})));
  EXPECT_FALSE(domains().read(list({"192.0.2.1"})));
  EXPECT_FALSE(domains().read(list({"."})));
  EXPECT_TRUE(domains().read(list(std::vector<std::string>(32, "a.example"))));
  EXPECT_FALSE(domains().read(list(std::vector<std::string>(33, "a.example"))));
  EXPECT_FALSE(domains().read(list(std::vector<std::string>(32, std::string(63, 'a') + ".b"))));
}

TEST(Token, RefusesPlaceholders) {
  for (const char* text :
       {"", "changeme", "CHANGE-ME", "change_me", "REPLACE-ME", "<token>", "your-token-here",
        "${TOKEN}", "xxxxxxxxxxxxxxxx", "secret", "YOUR_TOKEN", "{{ token }}", "[token]", "%TOKEN%",
        "$QDT_TOKEN", "PUT-YOUR-SECRET-HERE", "please-change-me-now", "0000000000000000", "TODO"}) {
    EXPECT_TRUE(refuses(token(), text)) << text;
  }
  EXPECT_TRUE(token().read(scalar("pF6BtAxexo4Eo0Bsl9Y8+w==")));
  EXPECT_TRUE(token().read(scalar("correct horse battery")));
}

TEST(Token, FitsAHeader) {
  for (const char* text : {" token", "token ", "to\nken", "to\x7fken", "to\tken"}) {
    EXPECT_TRUE(refuses(token(), text)) << text;
  }
  EXPECT_TRUE(refuses(token(), std::string(256, 'a') + std::string(257, 'b')));
}

TEST(InterfaceName, FollowsTheKernel) {
  EXPECT_TRUE(user_name().read(scalar("_qdt-2")));
  for (const char* text :
       {"", "0", "-x", "Qdt", "a b", "qdt;", "abcdefghijklmnopqrstuvwxyz0123456"}) {
    EXPECT_TRUE(refuses(user_name(), text)) << text;
  }
  EXPECT_TRUE(interface_name().read(scalar("qdt0")));
  EXPECT_TRUE(interface_name().read(scalar("fifteen-letters")));
  for (const char* text : {"", ".", "..", "a b", "a/b", "a:b", "tun%d", "sixteen-letters-"}) {
    EXPECT_TRUE(refuses(interface_name(), text)) << text;
  }
  EXPECT_EQ(optional_interface_name().read(YamlNode{}).value(), "");
}

TEST(ServerAddress, TakesEveryForm) {
  const std::tuple<const char*, const char*, int> cases[] = {
      {"vpn.example.com", "vpn.example.com", 443},
      {"vpn.example.com:8443", "vpn.example.com", 8443},
      {"192.0.2.1", "192.0.2.1", 443},
      {"192.0.2.1:1", "192.0.2.1", 1},
      {"2001:db8::1", "2001:db8::1", 443},
      {"[2001:db8::1]", "2001:db8::1", 443},
      {"[2001:db8::1]:65535", "2001:db8::1", 65535},
      {"localhost", "localhost", 443},
      {"VPN.Example.COM", "vpn.example.com", 443},
      {"vpn.example.com.", "vpn.example.com.", 443},
      {"vpn.example.com.:8443", "vpn.example.com.", 8443},
      {"my_vpn", "my_vpn", 443},
      {"_vpn._udp.test:1", "_vpn._udp.test", 1},
      {"b\xC3\x9C"
       "cher.test:1",
       "xn--bcher-kva.test", 1},
      {"XN--BCHER-KVA.test", "xn--bcher-kva.test", 443},
      {"4.example", "4.example", 443},
      {"2001:DB8:0:0::1", "2001:db8::1", 443},
      {"::ffff:192.0.2.1", "192.0.2.1", 443}};
  for (const auto& [text, host, port] : cases) {
    const auto server = server_address().read(scalar(text));
    ASSERT_TRUE(server) << text;
    EXPECT_EQ(server->host, host);
    EXPECT_EQ(server->port, port);
  }
}

TEST(ServerAddress, KeepsToTheLengthsOfDns) {
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  EXPECT_TRUE(server_address().read(scalar(longest)));
  EXPECT_TRUE(server_address().read(scalar(longest + ".")));
  EXPECT_TRUE(refuses(server_address(), longest + "a"));
  EXPECT_TRUE(refuses(server_address(), label + "a.test"));
}

TEST(ServerAddress, RefusesWhatCannotBeReached) {
  for (const char* text : {"",
                           ":443",
                           "https://a.example",
                           "a.example/path",
                           "a.example:",
                           "a.example:0",
                           "a.example:65536",
                           "a b",
                           "1.2.3",
                           "256.1.1.1",
                           "0.0.0.0",
                           "224.0.0.1",
                           "::",
                           "[::1",
                           "[1.2.3.4]:443",
                           "[::1]443",
                           "a..b",
                           ".a",
                           "-a",
                           "1:2:3",
                           "fe80::1",
                           "[fe80::1%eth0]:443",
                           "010.1.1.1",
                           "0x7f.1",
                           "127.1",
                           "2130706433",
                           "1.2.3.4.",
                           "a..",
                           ".",
                           "a-",
                           "a.-b.test",
                           "a*b.test",
                           "user@a.example",
                           " a.example",
                           "a.example ",
                           "\xE2\x80\x8B",
                           "a\xC2\xA0"
                           "b.test",
                           "fe80::1%eth0"}) {
    EXPECT_TRUE(refuses(server_address(), text)) << text;
  }
}

TEST(CertificateFingerprint, TakesColonsBetweenBytes) {
  std::string plain = "sha256:", spaced = "sha256:";
  for (int i = 0; i < 32; ++i) {
    plain += "aB";
    spaced += i == 0 ? "aB" : ":Ab";
  }
  EXPECT_EQ(certificate_fingerprint().read(scalar(plain)).value()->at(31), 0xab);
  EXPECT_EQ(certificate_fingerprint().read(scalar(spaced)).value()->at(31), 0xab);
  for (const std::string& text :
       {std::string(), std::string("sha256:"), plain.substr(7), plain + "aa", plain.substr(0, 70),
        "sha1:" + plain.substr(7), spaced + ":", plain.substr(0, 69) + "xy"}) {
    EXPECT_TRUE(refuses(certificate_fingerprint(), text)) << text;
  }
}

}  // namespace
}  // namespace qdt::ops
