#include "ops/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace qdt::ops {
namespace {

using testing::HasSubstr;
using testing::Not;
using tunnel::Counters;

class Metrics : public testing::Test {
 protected:
  Metrics() { source_.shards = {&shards_[0], &shards_[1]}; }

  std::string text() const { return metrics_text(source_); }

  Counters shards_[2];
  tunnel::HandshakeCounters handshakes_;
  MetricsSource source_{.version = "1.2.3", .handshakes = &handshakes_, .max_sessions = [] {
                          return std::size_t{100};
                        }};
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++found;
  return found;
}

TEST_F(Metrics, SumUpTheShards) {
  shards_[0].packets_up.set(5);
  shards_[1].packets_up.set(7);
  shards_[1].bytes_down.set(1500);
  shards_[0].sessions.set(2);
  shards_[1].sessions.set(1);
  EXPECT_THAT(text(), HasSubstr("\nqdt_packets_total{direction=\"up\"} 12\n"));
  EXPECT_THAT(text(), HasSubstr("\nqdt_packets_total{direction=\"down\"} 0\n"));
  EXPECT_THAT(text(), HasSubstr("\nqdt_bytes_total{direction=\"down\"} 1500\n"));
  EXPECT_THAT(text(), HasSubstr("\nqdt_sessions_active 3\n"));
}

TEST_F(Metrics, TellWhyThereAreSessionsNoMore) {
  shards_[0].session_ends[tunnel::index_of(tunnel::SessionEnd::kIdle)].set(2);
  shards_[1].session_ends[tunnel::index_of(tunnel::SessionEnd::kIdle)].set(3);
  shards_[1].session_ends[tunnel::index_of(tunnel::SessionEnd::kConnectionLost)].set(1);
  EXPECT_THAT(text(), HasSubstr("\nqdt_session_ends_total{reason=\"idle\"} 5\n"));
  EXPECT_THAT(text(), HasSubstr("\nqdt_session_ends_total{reason=\"connection_lost\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("\nqdt_session_ends_total{reason=\"quota_used\"} 0\n"));
}

TEST_F(Metrics, TellWhatUsersHaveCarried) {
  EXPECT_THAT(text(), Not(HasSubstr("qdt_user_bytes_total")));
  source_.users = [] { return std::vector<UserBytes>(); };
  EXPECT_THAT(text(), Not(HasSubstr("qdt_user_bytes_total")));
  source_.users = [] { return std::vector<UserBytes>{{.user = "ann", .up = 7, .down = 8}}; };
  EXPECT_THAT(text(), HasSubstr("\nqdt_user_bytes_total{user=\"ann\",direction=\"up\"} 7\n"));
  EXPECT_THAT(text(), HasSubstr("\nqdt_user_bytes_total{user=\"ann\",direction=\"down\"} 8\n"));
}

TEST_F(Metrics, TellWhenTheCertificateEnds) {
  EXPECT_THAT(text(), Not(HasSubstr("qdt_certificate_expiry")));
  const std::atomic<std::int64_t> expiry{2'000'000'000};
  source_.certificate_expiry = &expiry;
  EXPECT_THAT(text(), HasSubstr("\nqdt_certificate_expiry_timestamp_seconds 2000000000\n"));
}

TEST_F(Metrics, TellOfHttpConnections) {
  HttpCounters http;
  http.connections = 3;
  http.gave_way = 44;
  source_.http = &http;
  EXPECT_THAT(text(), HasSubstr("\nqdt_http_connections 3\n"));
  EXPECT_THAT(text(), HasSubstr("\nqdt_http_gave_way_total 44\n"));
}

TEST_F(Metrics, TellOfTheControlSocket) {
  EXPECT_THAT(text(), Not(HasSubstr("qdt_control_connections")));
  HttpCounters control;
  control.connections = 2;
  source_.control = &control;
  EXPECT_THAT(text(), HasSubstr("\nqdt_control_connections 2\n"));
}

TEST_F(Metrics, TellPacketsFromThePiecesTheyCrossedTheTunDeviceIn) {
  shards_[0].tun_packets_read.set(40);
  shards_[0].tun_reads.set(2);
  shards_[1].tun_packets_written.set(30);
  shards_[1].tun_writes.set(3);
  EXPECT_THAT(text(), HasSubstr("\nqdt_tun_packets_total{direction=\"in\"} 40\n"));
  EXPECT_THAT(text(), HasSubstr("\nqdt_tun_bursts_total{direction=\"in\"} 2\n"));
  EXPECT_THAT(text(), HasSubstr("\nqdt_tun_packets_total{direction=\"out\"} 30\n"));
  EXPECT_THAT(text(), HasSubstr("\nqdt_tun_bursts_total{direction=\"out\"} 3\n"));
}

TEST_F(Metrics, TellShardsApartWhereOneMayBeInTrouble) {
  shards_[0].packets_up.set(5);
  shards_[1].packets_down.set(7);
  shards_[1].queued_packets.set(9);
  EXPECT_THAT(text(), HasSubstr("qdt_shards 2\n"));
  EXPECT_THAT(text(), HasSubstr("qdt_shard_packets_total{shard=\"0\"} 5\n"));
  EXPECT_THAT(text(), HasSubstr("qdt_shard_packets_total{shard=\"1\"} 7\n"));
  EXPECT_THAT(text(), HasSubstr("qdt_shard_queued_packets{shard=\"1\"} 9\n"));
}

TEST_F(Metrics, HaveEveryReasonFromTheStart) {
  shards_[1].drops.count(Drop::kForged, 4);
  for (std::size_t i = 0; i < kDropCount; ++i) {
    const std::string label(drop_label(static_cast<Drop>(i)));
    EXPECT_EQ(count(text(), "qdt_drops_total{reason=\"" + label + "\"}"), 1u) << label;
  }
  EXPECT_THAT(text(), HasSubstr("qdt_drops_total{reason=\"forged\"} 4\n"));
}

TEST_F(Metrics, HaveEveryHandshakeResultFromTheStart) {
  handshakes_.count(wire::HandshakeResult::kOk);
  handshakes_.count(wire::HandshakeResult::kOk);
  EXPECT_THAT(text(), HasSubstr("qdt_handshakes_total{result=\"ok\"} 2\n"));
  EXPECT_THAT(text(), HasSubstr("qdt_handshakes_total{result=\"pool_exhausted\"} 0\n"));
  EXPECT_EQ(count(text(), "qdt_handshakes_total{"),
            static_cast<std::size_t>(wire::HandshakeResult::kCount));
}

TEST_F(Metrics, TellOfOffloadsThatWereRefused) {
  shards_[0].udp_gso_disabled.add();
  shards_[1].udp_gso_disabled.add();
  EXPECT_THAT(text(), HasSubstr("qdt_offloads_disabled_total{kind=\"udp_gso\"} 2\n"));
  EXPECT_THAT(text(), HasSubstr("qdt_offloads_disabled_total{kind=\"udp_gro\"} 0\n"));
}

TEST_F(Metrics, HaveNoRoundTripTimeWithoutSessions) {
  shards_[0].connections.set(3);
  EXPECT_THAT(text(), Not(HasSubstr("qdt_rtt_seconds{")));
}

TEST_F(Metrics, WeighMediansBySessions) {
  shards_[0].sessions.set(3);
  shards_[0].rtt_p50_microseconds.set(10'000);
  shards_[0].rtt_max_microseconds.set(250'000);
  shards_[1].sessions.set(1);
  shards_[1].rtt_p50_microseconds.set(50'000);
  EXPECT_THAT(text(), HasSubstr("qdt_rtt_seconds{stat=\"median\"} 0.02"));
  EXPECT_THAT(text(), HasSubstr("qdt_rtt_seconds{stat=\"max\"} 0.25"));
}

TEST_F(Metrics, TellOfStrangers) {
  shards_[0].ended_connections.set(5);
  shards_[1].ended_connections.set(1);
  shards_[0].strangers.set(3);
  shards_[1].strangers.set(4);
  shards_[1].stranger_bytes.set(90'000);
  shards_[1].strangers_out_of_time.set(2);
  EXPECT_THAT(text(), HasSubstr("qdt_ended_connections 6\n"));
  EXPECT_THAT(text(), HasSubstr("qdt_strangers 7\n"));
  EXPECT_THAT(text(), HasSubstr("qdt_stranger_memory_bytes 90000\n"));
  EXPECT_THAT(text(), HasSubstr("qdt_strangers_ended_total{reason=\"time\"} 2\n"));
}

TEST_F(Metrics, TellWhatKeepsSessionsFromSendingMore) {
  shards_[0].limited_nanoseconds[2].add(1'500'000'000);
  shards_[1].limited_nanoseconds[2].add(500'000'000);
  shards_[1].limited_nanoseconds[0].add(250'000'000);
  EXPECT_THAT(text(), HasSubstr("qdt_send_limited_seconds_total{by=\"pacing\"} 2"));
  EXPECT_THAT(text(), HasSubstr("qdt_send_limited_seconds_total{by=\"application\"} 0.25"));
  EXPECT_THAT(text(), HasSubstr("qdt_send_limited_seconds_total{by=\"window\"} 0"));
}

TEST_F(Metrics, TellWindowsAndWhatIsDelivered) {
  shards_[0].sessions.set(1);
  shards_[0].window_p50_bytes.set(20'000);
  shards_[0].window_max_bytes.set(90'000);
  shards_[1].delivered_bytes.add(7000);
  EXPECT_THAT(text(), HasSubstr("qdt_window_bytes{stat=\"median\"} 20000"));
  EXPECT_THAT(text(), HasSubstr("qdt_window_bytes{stat=\"max\"} 90000"));
  EXPECT_THAT(text(), HasSubstr("qdt_delivered_bytes_total 7000"));
}

TEST_F(Metrics, TellReadiness) {
  EXPECT_THAT(text(), HasSubstr("qdt_ready 1\n"));
  source_.readiness = [] { return std::optional<std::string>("no TUN device yet"); };
  EXPECT_THAT(text(), HasSubstr("qdt_ready 0\n"));
}

TEST_F(Metrics, TellBuildLimitsAndProcess) {
  EXPECT_THAT(text(), HasSubstr("qdt_build_info{version=\"1.2.3\",compiler=\""));
  EXPECT_THAT(text(), HasSubstr("qdt_sessions_limit 100\n"));
  for (const char* name :
       {"process_start_time_seconds ", "process_cpu_seconds_total ",
        "process_resident_memory_bytes ", "process_open_fds ", "process_max_fds "}) {
    EXPECT_THAT(text(), HasSubstr(std::string("\n") + name));
  }
}

TEST_F(Metrics, DescribeEveryFamilyOnce) {
  std::istringstream stream(text());
  std::vector<std::string> families;
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("# TYPE ")) families.push_back(line);
  }
  EXPECT_EQ(families.size(), count(text(), "# HELP "));
  for (const std::string& family : families) EXPECT_EQ(count(text(), family + "\n"), 1u) << family;
}

}  // namespace
}  // namespace qdt::ops
