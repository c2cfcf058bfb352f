#include "client/tunnel_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qdt::client {
namespace {

using testing::HasSubstr;

Prefix prefix(const char* text) {
  return *Prefix::parse(text);
}

std::string text_of(const std::vector<Prefix>& prefixes) {
  std::string text;
  for (const Prefix& each : prefixes) text += (text.empty() ? "" : " ") + each.to_string();
  return text;
}

TEST(Without, CutsOutOfAPrefix) {
  const Prefix ten = prefix("10.0.0.0/8");
  EXPECT_EQ(text_of(without(ten, {})), "10.0.0.0/8");
  EXPECT_EQ(text_of(without(ten, std::vector{prefix("192.0.2.0/24")})), "10.0.0.0/8");
  EXPECT_EQ(text_of(without(ten, std::vector{ten})), "");
  EXPECT_EQ(text_of(without(ten, std::vector{prefix("0.0.0.0/0")})), "");
  EXPECT_EQ(text_of(without(ten, std::vector{prefix("10.128.0.0/10")})),
            "10.0.0.0/9 10.192.0.0/10");
  EXPECT_EQ(text_of(without(prefix("10.0.0.0/30"), std::vector{prefix("10.0.0.2/32")})),
            "10.0.0.0/31 10.0.0.3/32");
  EXPECT_EQ(text_of(without(prefix("fd00::/126"), std::vector{prefix("fd00::1/128")})),
            "fd00::/128 fd00::2/127");
  EXPECT_EQ(without(prefix("2000::/3"), std::vector{prefix("2001:db8::1/128")}).size(), 125u);
}

struct Case {
  const char* routes;  ///< the server's
  const char* exclude;
  const char* server;
  const char* result;  ///< or a part of the error
};

class TunnelRoutes : public testing::TestWithParam<Case> {};

TEST_P(TunnelRoutes, AreWhatIsLeft) {
  const auto list = [](const std::string& text) {
    return text.empty() ? std::vector<Prefix>() : std::vector{prefix(text.c_str())};
  };
  const HostSetup::Options options{.routing = Routing::kPool,
                                   .routes = {prefix("192.168.7.0/24")},
                                   .exclude = list(GetParam().exclude)};
  wire::ConnectResponse response{.cidr = prefix("10.8.0.0/24")};
  response.routes = list(GetParam().routes);
  const auto routes = routes_into_tunnel(options, response, *IpAddress::parse(GetParam().server));
  EXPECT_THAT(routes ? text_of(*routes) : routes.error().message, HasSubstr(GetParam().result));
}

INSTANTIATE_TEST_SUITE_P(
    Of, TunnelRoutes,
    testing::Values(
        Case{"", "", "192.0.2.1", "10.8.0.0/24 192.168.7.0/24"},
        Case{"172.16.0.0/12", "", "192.0.2.1", "10.8.0.0/24 172.16.0.0/12 192.168.7.0/24"},
        Case{"10.8.0.0/24", "", "192.0.2.1", "10.8.0.0/24 192.168.7.0/24"},
        Case{"10.0.0.0/8", "10.0.0.0/8", "192.0.2.1", "192.168.7.0/24"},
        Case{"2001:db8::/32", "", "192.0.2.1", "2001:db8::/32"},
        Case{"192.0.0.0/8", "", "192.0.2.1",
             "the server's route 192.0.0.0/8 covers the server's own"},
        Case{"192.0.2.1/32", "", "192.0.2.1", "add 192.0.2.1/32 to exclude"},
        Case{"192.0.2.0/31", "192.0.2.1/32", "192.0.2.1", "192.0.2.0/32"},
        Case{"2001:db8::/32", "", "2001:db8::1", "add 2001:db8::1/128 to exclude"},
        Case{"", "", "10.8.0.77", "the server's pool 10.8.0.0/24 covers"},
        Case{"", "", "192.168.7.9", "the configuration's route 192.168.7.0/24 covers"}));

TEST(TunnelRoutes, AreTheUsersAloneWithoutTheServers) {
  const HostSetup::Options options{.routing = Routing::kNothing,
                                   .routes = {prefix("192.168.7.0/24")}};
  wire::ConnectResponse response{.cidr = prefix("10.8.0.0/24")};
  response.routes = {prefix("172.16.0.0/12")};
  EXPECT_EQ(text_of(*routes_into_tunnel(options, response, *IpAddress::parse("192.0.2.1"))),
            "192.168.7.0/24");
}

}  // namespace
}  // namespace qdt::client
