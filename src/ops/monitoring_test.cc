#include "ops/monitoring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/test_client.h"

namespace qdt::ops {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const SocketAddress kOtherLoopback{IpAddress::v4(0x7f000002), 0};

class MonitoringTest : public testing::Test {
 protected:
  std::vector<SocketAddress> start(const MonitoringOptions& options) {
    MetricsSource source{.version = "1.2.3", .readiness = [this] { return obstacle_; }};
    auto opened = Monitoring::open(options, std::move(source), logger_);
    if (!opened) return {};
    monitoring_ = std::move(*opened);
    monitoring_->run();
    return monitoring_->addresses();
  }

  MemoryLogger logger_;
  std::optional<std::string> obstacle_;
  std::unique_ptr<Monitoring> monitoring_;
};

TEST_F(MonitoringTest, ServesMetricsAndHealthOnTheMetricsAddress) {
  const auto addresses = start({.metrics_addr = kLoopback});
  ASSERT_EQ(addresses.size(), 1u);
  EXPECT_THAT(http_get(addresses[0], "/metrics"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                    HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"),
                    HasSubstr("\nqdt_ready 1\n")));
  EXPECT_THAT(http_get(addresses[0], "/healthz"), EndsWith("\r\n\r\nok\n"));
}

TEST_F(MonitoringTest, ServesHealthAloneOnTheHealthAddress) {
  const auto addresses = start({.metrics_addr = kLoopback, .health_addr = kOtherLoopback});
  ASSERT_EQ(addresses.size(), 2u);
  EXPECT_THAT(http_get(addresses[1], "/healthz"), EndsWith("\r\n\r\nok\n"));
  EXPECT_THAT(http_get(addresses[1], "/metrics"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(MonitoringTest, TellsWhyItIsNotReady) {
  const auto addresses = start({.health_addr = kLoopback});
  ASSERT_EQ(addresses.size(), 1u);
  obstacle_ = "no TUN device yet";
  EXPECT_THAT(http_get(addresses[0], "/healthz"),
              AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("\r\n\r\nno TUN device yet\n")));
}

TEST_F(MonitoringTest, ListensOnceForEqualAddresses) {
  EXPECT_EQ(start({.metrics_addr = kLoopback, .health_addr = kLoopback}).size(), 1u);
}

TEST_F(MonitoringTest, ServesProfilesWhereAskedTo) {
  const auto addresses = start({.pprof_addr = kLoopback});
  ASSERT_EQ(addresses.size(), 1u);
  EXPECT_THAT(http_get(addresses[0], "/debug/pprof/symbol"), EndsWith("\r\n\r\nnum_symbols: 1\n"));
}

TEST_F(MonitoringTest, MayBeOff) {
  EXPECT_TRUE(start({}).empty());
  EXPECT_NE(monitoring_, nullptr);
}

TEST_F(MonitoringTest, NamesTheKeyOfAnAddressThatIsTaken) {
  const auto taken = start({.metrics_addr = kLoopback});
  ASSERT_EQ(taken.size(), 1u);
  const auto second = Monitoring::open({.pprof_addr = taken[0]}, MetricsSource{}, logger_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, StartsWith("pprof_addr " + taken[0].to_string() + ": "));
}

}  // namespace
}  // namespace qdt::ops
