#include "quic/outgoing_bytes.h"

#include <gtest/gtest.h>

#include <string_view>

namespace qdt::quic {
namespace {

std::vector<std::uint8_t> bytes(std::string_view text) {
  return {text.begin(), text.end()};
}

TEST(OutgoingBytes, AreTakenOnceInTheirOrder) {
  OutgoingBytes out;
  EXPECT_TRUE(out.take().empty());
  ASSERT_TRUE(out.add(bytes("one")));
  ASSERT_TRUE(out.add(bytes("two")));
  EXPECT_EQ(as_text(out.take()), "onetwo");
  ASSERT_TRUE(out.add(bytes("three")));
  EXPECT_EQ(as_text(out.take()), "three");
  EXPECT_TRUE(out.take().empty());
}

TEST(OutgoingBytes, StayWhereTheyAreUntilAcknowledged) {
  OutgoingBytes out;
  ASSERT_TRUE(out.add(bytes("first")));
  const Bytes first = out.take();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(out.add(bytes("more")));
    out.take();
  }
  out.acknowledge(4);
  EXPECT_EQ(as_text(first), "first");
  EXPECT_EQ(out.size(), 401u);
}

TEST(OutgoingBytes, AreAcknowledgedAcrossPieces) {
  OutgoingBytes out;
  for (const auto* piece : {"one", "two", "three"}) {
    ASSERT_TRUE(out.add(bytes(piece)));
    out.take();
  }
  out.acknowledge(7);
  EXPECT_EQ(out.size(), 4u);
  out.acknowledge(4);
  EXPECT_EQ(out.size(), 0u);
  ASSERT_TRUE(out.add(bytes("again")));
  EXPECT_EQ(as_text(out.take()), "again");
}

TEST(OutgoingBytes, AreBounded) {
  OutgoingBytes out;
  ASSERT_TRUE(out.add(std::vector<std::uint8_t>(OutgoingBytes::kMaxBytes)));
  EXPECT_FALSE(out.add(bytes("x")));
  out.take();
  EXPECT_FALSE(out.add(bytes("x")));
  out.acknowledge(1);
  EXPECT_TRUE(out.add(bytes("x")));
  EXPECT_EQ(out.size(), OutgoingBytes::kMaxBytes);
}

// Whoever counts wrongly does not make us read what is not there.
TEST(OutgoingBytes, WhatWasNotTakenIsNotAcknowledged) {
  OutgoingBytes out;
  ASSERT_TRUE(out.add(bytes("one")));
  out.acknowledge(100);
  EXPECT_EQ(as_text(out.take()), "one");
}

}  // namespace
}  // namespace qdt::quic
