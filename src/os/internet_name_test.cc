#include "os/internet_name.h"

#include <gtest/gtest.h>

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
  EXPECT_FALSE(
      to_ascii_name("\xE2\x80\x8D"
                    "\xCC\x81.test"));  // a mark without a letter
}

}  // namespace
}  // namespace qdt::os
