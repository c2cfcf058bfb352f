#include "server/certificate_watch.h"

#include <gtest/gtest.h>

namespace qdt::server {
namespace {

constexpr std::int64_t kDay = 24 * 60 * 60;
constexpr std::int64_t kBegin = 1'700'000'000;
constexpr std::int64_t kEnd = kBegin + 90 * kDay;

CertificateWatch watch(bool is_self_signed = false) {
  return {
      "server.crt",
      {.validity = {.not_before = kBegin, .not_after = kEnd}, .is_self_signed = is_self_signed}};
}

TEST(CertificateWatch, SaysNothingWhileMuchTimeIsLeft) {
  EXPECT_FALSE(watch().look(kBegin));
  EXPECT_FALSE(watch().look(kEnd - 30 * kDay - 1));
}

TEST(CertificateWatch, WarnsFrom30DaysBeforeTheEnd) {
  const auto notice = watch().look(kEnd - 30 * kDay);
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->level, LogLevel::kWarning);
  EXPECT_TRUE(notice->text.starts_with(
      "the certificate server.crt expires in 30 days, on 2024-02-12 22:13:20 UTC: clients without"))
      << notice->text;
  EXPECT_NE(watch().look(kEnd)->text.find("expires in 0 days"), std::string::npos);
}

TEST(CertificateWatch, IsAnErrorPastTheEnd) {
  const auto notice = watch().look(kEnd + 1);
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->level, LogLevel::kError);
  EXPECT_NE(notice->text.find("expired on 2024-02-12 22:13:20 UTC"), std::string::npos);
}

TEST(CertificateWatch, IsAnErrorBeforeTheBeginning) {
  const auto notice = watch().look(kBegin - 1);
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->level, LogLevel::kError);
  EXPECT_NE(notice->text.find("is not valid before 2023-11-14 22:13:20 UTC"), std::string::npos);
}

TEST(CertificateWatch, TellsOnceADay) {
  CertificateWatch one = watch();
  EXPECT_TRUE(one.look(kEnd));
  EXPECT_FALSE(one.look(kEnd));
  EXPECT_TRUE(one.look(kEnd + 1)) << "its end";
  EXPECT_FALSE(one.look(kEnd + kDay));
  EXPECT_TRUE(one.look(kEnd + kDay + 1));
  EXPECT_TRUE(one.look(kEnd + 1)) << "the clock was set back";
}

TEST(CertificateWatch, ForgetsTheOneThatWasReplaced) {
  CertificateWatch one = watch();
  EXPECT_TRUE(one.look(kEnd));
  one.replace("new.crt", {.validity = {.not_before = kBegin, .not_after = kEnd + 90 * kDay}});
  EXPECT_FALSE(one.look(kEnd + 2 * kDay));
  EXPECT_EQ(one.expiry(), kEnd + 90 * kDay);
}

TEST(CertificateWatch, SaysThatPinnedClientsGoOn) {
  EXPECT_NE(watch(true).look(kEnd)->text.find("clients with tls_fingerprint go on"),
            std::string::npos);
}

}  // namespace
}  // namespace qdt::server
