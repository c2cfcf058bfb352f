#include "wire/request_target.h"

#include <gtest/gtest.h>

#include <string>

namespace qdt::wire {
namespace {

TEST(Authority, IsAHostAndItsPort) {
  const std::pair<std::string, Authority> cases[] = {
      {"vpn.example.org", {"vpn.example.org", 443}},
      {"VPN.Example.org:8443", {"vpn.example.org", 8443}},
      {"192.0.2.7:1", {"192.0.2.7", 1}},
      {"[2001:DB8::7]", {"[2001:db8::7]", 443}},
      {"[::1]:65535", {"[::1]", 65535}},
      {"localhost:00443", {"localhost", 443}},
  };
  for (const auto& [text, authority] : cases) EXPECT_EQ(parse_authority(text), authority) << text;
}

TEST(Authority, IsNothingElse) {
  for (const std::string text : {"",
                                 ":443",
                                 "host:",
                                 "host:0",
                                 "host:65536",
                                 "host:+1",
                                 "host:1:2",
                                 "user@host",
                                 "ho st",
                                 "host/",
                                 "[::1",
                                 "::1",
                                 "::ffff:192.0.2.7",
                                 "::ffff:192.0.2.7:8443",
                                 "[::1]x",
                                 "[::1]:",
                                 "[192.0.2.7]",
                                 "[host]",
                                 "[fe80::1%25eth0]",
                                 "host..example",
                                 "1.2.3",
                                 "h%6fst",
                                 "*"}) {
    EXPECT_FALSE(parse_authority(text)) << text;
  }
  EXPECT_FALSE(parse_authority(std::string(1000, 'a')));
}

TEST(Authority, IsWrittenWithoutTheUsualPort) {
  EXPECT_EQ(write_authority({"vpn.example.org", 443}), "vpn.example.org");
  EXPECT_EQ(write_authority({"[::1]", 8443}), "[::1]:8443");
}

TEST(Authority, BracketsIpv6Addresses) {
  for (const std::string host : {"vpn.example.org", "192.0.2.7", "2001:db8::7"}) {
    const Authority authority = authority_of(host, 8443);
    EXPECT_EQ(parse_authority(write_authority(authority)), authority) << host;
    EXPECT_EQ(bare_host(authority), host);
  }
  EXPECT_EQ(authority_of("2001:db8::7", 443), (Authority{"[2001:db8::7]", 443}));
}

TEST(PathTemplate, HasBothVariablesOrNone) {
  for (const std::string text : {"/vpn", "/", "/{target}/{ipproto}", "/p?i={ipproto}&t={target}",
                                 "/.well-known/masque/ip/{target}/{ipproto}/"}) {
    EXPECT_TRUE(is_path_template(text)) << text;
  }
  for (const std::string text :
       {"", "vpn", "/{target}", "/{ipproto}/", "/{target}/{target}/{ipproto}", "/{other}",
        "/{target}/{ipproto}/{x}", "/{target}{ipproto}", "/{target}a{ipproto}",
        "/{target}/{ipproto}b", "/}"}) {
    EXPECT_FALSE(is_path_template(text)) << text;
  }
}

TEST(PathTemplate, ExpandsToEverything) {
  EXPECT_EQ(expand_path(kDefaultTemplate), "/.well-known/masque/ip/*/*/");
  EXPECT_EQ(expand_path("/vpn"), "/vpn");
}

PathScope default_scope(const std::string& values) {
  return match_path("/.well-known/masque/ip/" + values, kDefaultTemplate);
}

TEST(Path, AsksForEverythingOrLess) {
  for (const std::string values : {"*/*/", "%2A/%2a/", "*/%2A/"}) {
    EXPECT_EQ(default_scope(values), PathScope::kUnlimited) << values;
  }
  for (const std::string values :
       {"192.0.2.7/*/", "192.0.2.0%2F24/17/", "2001%3Adb8%3A%3A42/*/", "2001%3adb8%3a%3a%2f32/0/",
        "www.example.org/*/", "*/6/", "*/255/", "*/006/"}) {
    EXPECT_EQ(default_scope(values), PathScope::kLimited) << values;
  }
}

TEST(Path, IsRefusedWithAValueThatHasNoForm) {
  for (const std::string values :
       {"/*/", "*//", "192.0.2.7%2F24/*/", "192.0.2.0%2F33/*/", "192.0.2.0%2F/*/", "a b/*/",
        "%2/*/", "%zz/*/", "*/256/", "*/1000/", "*/-1/", "*/tcp/", "*/0006/", "**/*/", "%00/*/"}) {
    EXPECT_EQ(default_scope(values), PathScope::kMalformed) << values;
  }
}

TEST(Path, IsElsewhere) {
  for (const std::string path : {"", "/", "/connect", "/.well-known/masque/ip/*/*",
                                 "/.well-known/masque/ip/*/*//", "/.well-known/masque/ip/*/",
                                 "/.well-known/masque/ip/*/*/?x", "/.well-known/masque/udp/*/*/"}) {
    EXPECT_EQ(match_path(path, kDefaultTemplate), PathScope::kElsewhere) << path;
  }
  EXPECT_EQ(match_path("/" + std::string(2000, 'a'), "/{target}/{ipproto}"), PathScope::kElsewhere);
}

TEST(Path, MatchesOtherTemplates) {
  EXPECT_EQ(match_path("/vpn", "/vpn"), PathScope::kUnlimited);
  EXPECT_EQ(match_path("/vpn/", "/vpn"), PathScope::kElsewhere);
  EXPECT_EQ(match_path("/p?i=*&t=*", "/p?i={ipproto}&t={target}"), PathScope::kUnlimited);
  EXPECT_EQ(match_path("/p?i=6&t=*", "/p?i={ipproto}&t={target}"), PathScope::kLimited);
  EXPECT_EQ(match_path("/p?i=x&t=*", "/p?i={ipproto}&t={target}"), PathScope::kMalformed);
}

}  // namespace
}  // namespace qdt::wire
