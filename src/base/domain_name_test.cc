#include "base/domain_name.h"

#include <gtest/gtest.h>

#include <string>

namespace qdt {
namespace {

TEST(DomainName, IsLabelsBetweenDots) {
  for (const char* name :
       {"lan", "corp.example", "2.0.192.in-addr.arpa", "_x.a-b.C", "xn--bcher-kva.example"}) {
    EXPECT_TRUE(is_domain_name(name)) << name;
  }
  const std::string longest = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                              std::string(63, 'c') + "." + std::string(61, 'd');
  EXPECT_TRUE(is_domain_name(longest));
  EXPECT_FALSE(is_domain_name(longest + "e"));
}

TEST(DomainName, IsNothingElse) {
  for (const char* name : {"", ".", "a..b", ".a", "a.", "-a", "a-", "a b", "a\nb", "~a", "*.a",
                           "b\xc3\xbc"
                           "cher",
                           "192.0.2.1", "a.1", "a/b", "a;b"}) {
    EXPECT_FALSE(is_domain_name(name)) << name;
  }
  EXPECT_FALSE(is_domain_name(std::string(64, 'a')));
}

}  // namespace
}  // namespace qdt
