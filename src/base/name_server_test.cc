#include "base/name_server.h"

#include <gtest/gtest.h>

namespace qdt {
namespace {

TEST(NameServer, HasAZoneOnALink) {
  const auto server = NameServer::parse("fe80::53%eth0");
  ASSERT_TRUE(server);
  EXPECT_EQ(server->address.to_string(), "fe80::53");
  EXPECT_EQ(server->zone, "eth0");
  EXPECT_EQ(server->to_string(), "fe80::53%eth0");
  EXPECT_EQ(NameServer::parse("192.0.2.53")->to_string(), "192.0.2.53");
}

TEST(NameServer, IsRefusedWithAZoneElsewhere) {
  for (const char* text : {"2001:db8::1%eth0", "192.0.2.1%eth0", "fe80::1%", "fe80::1%a b",
                           "fe80::1%eth0%1", "fe80::1%a/b", "fe80::1%0123456789abcdef", "%eth0"}) {
    EXPECT_FALSE(NameServer::parse(text)) << text;
  }
}

}  // namespace
}  // namespace qdt
