#include "os/internet_name.h"

#include <gtest/gtest.h>

#include <string>

namespace qdt::os {
namespace {

TEST(InternetName, WritesOtherLettersAsDnsHasThem) {
  EXPECT_EQ(to_ascii_name("b\xC3\xBC"
                          "cher.test"),
            "xn--bcher-kva.test");
  EXPECT_EQ(to_ascii_name("B\xC3\x9C"
                          "CHER.test"),
            "xn--bcher-kva.test");
  EXPECT_EQ(to_ascii_name("\xE4\xBE\x8B\xE3\x81\x88.test"), "xn--r8jz45g.test");
}

TEST(InternetName, TakesTheFullStopsOfOtherScripts) {
  EXPECT_EQ(to_ascii_name("b\xC3\xBC"
                          "cher\xE3\x80\x82test"),
            "xn--bcher-kva.test");
}

TEST(InternetName, RefusesWhatIsNoName) {
  // RFC 1035 section 2.3.4: a label has at most 63 bytes.
  EXPECT_FALSE(to_ascii_name(std::string(70, 'a') + "\xC3\xBC.test"));
}

}  // namespace
}  // namespace qdt::os
