#include "base/peer_text.h"

#include <gtest/gtest.h>

namespace qdt {
namespace {

TEST(PeerText, LeavesPlainWordsAlone) {
  EXPECT_EQ(quote_peer("the server is shutting down"), "the server is shutting down");
  EXPECT_EQ(quote_peer(""), "");
}

TEST(PeerText, QuotesWhatMightBeMoreThanWords) {
  EXPECT_EQ(quote_peer("bye (after 3 s; 1 B from it)"), "\"bye (after 3 s; 1 B from it)\"");
  EXPECT_EQ(quote_peer("bye "), "\"bye \"");
  EXPECT_EQ(quote_peer("a\" opened\\"), "\"a? opened?\"");
  EXPECT_EQ(quote_peer("a\nb\x1b[2J\x7f\xc3\xa9"), "\"a?b?[2J???\"");
}

TEST(PeerText, CutsWhatIsLong) {
  EXPECT_EQ(quote_peer(std::string(129, 'a')), '"' + std::string(128, 'a') + '"');
  EXPECT_EQ(quote_peer("abcdef", 3), "\"abc\"");
}

TEST(PeerText, LeavesNoSpaceInABareName) {
  EXPECT_EQ(quote_peer_name("host-1.example_net"), "host-1.example_net");
  EXPECT_EQ(quote_peer_name("a b"), "\"a b\"");
  EXPECT_EQ(quote_peer_name("a\x00"
                            "b"),
            "a");
  EXPECT_EQ(quote_peer_name(std::string(65, 'a')), '"' + std::string(64, 'a') + '"');
}

}  // namespace
}  // namespace qdt
