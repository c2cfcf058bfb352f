#include "client/status.h"

#include <gtest/gtest.h>

namespace qdt::client {
namespace {

const Status kConnected{.state = State::kConnected,
                        .since = Timestamp(100s),
                        .server = "vpn.example.com:443",
                        .server_address = "192.0.2.1:443",
                        .addresses = {*IpAddress::parse("10.8.0.2"), *IpAddress::parse("fd00::2")},
                        .mtu = 1350,
                        .path_mtu = 1449,
                        .connects = 2,
                        .rtt_microseconds = 23'450,
                        .window_bytes = 131'072,
                        .bytes_per_second = 1'250'000,
                        .data_plane = PlaneInUse::kQuic};
const Status kDirect = [] {
  Status status = kConnected;
  status.data_plane = PlaneInUse::kDirect;
  status.shaper_bytes_per_second = 2'500'000;
  status.send_rate_bits = 20'000'000;
  status.path_queue_microseconds = 8'200;
  return status;
}();
const Status kRefused{.state = State::kRefused,
                      .reason = "unauthorized: the \"token\" is wrong",
                      .since = Timestamp(100s),
                      .server = "vpn.example.com:443"};

Result<Status> reread(const Status& status) {
  return parse_status(to_json(status, "qdt0", Timestamp(1000s)));
}

TEST(Status, IsReadAsItWasWritten) {
  EXPECT_EQ(reread(kConnected), kConnected);
  EXPECT_EQ(reread(kRefused), kRefused);
  EXPECT_EQ(reread(kDirect), kDirect);
}

TEST(Status, NamesRoutesThatDoNotCount) {
  Status status = kConnected;
  status.ignored_routes = {"203.0.113.0/24 dev eth0", "0.0.0.0/1 via 10.0.0.1 dev eth0"};
  EXPECT_EQ(reread(status), status);
  EXPECT_TRUE(to_json(status, "qdt0", Timestamp(107s))
                  .ends_with(",\"ignored_routes\":[\"203.0.113.0/24 dev eth0\","
                             "\"0.0.0.0/1 via 10.0.0.1 dev eth0\"]}\n"));
  EXPECT_TRUE(describe(status, "qdt0", Timestamp(107s))
                  .contains("  ignored    203.0.113.0/24 dev eth0, 0.0.0.0/1 via 10.0.0.1 dev "
                            "eth0: routes of the local network that the tunnel takes\n"));
}

TEST(Status, TellsWhatItHasCarriedAndWhoWasHeard) {
  Status status = kConnected;
  status.state = State::kSilent;
  status.heard_at = Timestamp(101s);
  status.written_at = Timestamp(106s);
  status.packets_sent = 12;
  status.bytes_sent = 1'234'567;
  status.packets_received = 9;
  status.bytes_received = 740;
  status.name_servers = {"1.1.1.1", "8.8.8.8"};
  status.cipher = "AES-256-GCM";
  status.has_kill_switch = true;
  EXPECT_EQ(reread(status), status);
  const std::string text = describe(status, "qdt0", Timestamp(107s));
  EXPECT_TRUE(text.starts_with("qdt0: silent for 7 s\n")) << text;
  EXPECT_TRUE(
      text.contains("  heard      6 s ago\n"
                    "  packets    1.2 MB in 12 packets sent, 740 B in 9 packets received\n"
                    "  DNS        1.1.1.1, 8.8.8.8\n"
                    "  security   AES-256-GCM, kill switch\n"))
      << text;
}

TEST(Status, TellsThatItIsOld) {
  Status status = kConnected;
  status.written_at = Timestamp(100s);
  EXPECT_TRUE(
      describe(status, "qdt0", Timestamp(130s))
          .starts_with("qdt0: connected for 30 s (as it was 30 s ago: the client has written "
                       "nothing since)\n"));
}

TEST(Status, ALineBreakInAReasonIsNoNewLine) {
  Status status = kRefused;
  status.reason = "no\nstate connected";
  EXPECT_EQ(reread(status)->state, State::kRefused);
}

TEST(Status, RubbishIsRefused) {
  EXPECT_FALSE(parse_status(""));
  EXPECT_FALSE(parse_status("state asleep\nsince 1\nmtu 1\nconnects 1\n"));
  EXPECT_FALSE(parse_status("state connected\nsince now\nmtu 1\nconnects 1\n"));
  EXPECT_FALSE(parse_status("state connected\nsince 1\nmtu 1\nconnects 1\naddresses x\n"));
  EXPECT_FALSE(parse_status("state connected\nsince 1\nmtu 1\nconnects 1\ndata_plane paper\n"));
  EXPECT_FALSE(parse_status("connected"));
}

TEST(Status, IsDescribedForAPerson) {
  EXPECT_EQ(describe(kConnected, "qdt0", Timestamp(100s + 3h + 12min)),
            "qdt0: connected for 3 h 12 min\n"
            "  server     vpn.example.com:443 (192.0.2.1:443)\n"
            "  addresses  10.8.0.2, fd00::2, MTU 1350 (of the path: 1449)\n"
            "  path       round trip 23.5 ms, window 128 KiB, sends 10.0 Mbit/s\n"
            "  data plane QUIC\n"
            "  DNS        this host's own\n"
            "  connects   2\n");
  EXPECT_EQ(describe(kRefused, "qdt0", Timestamp(107s)),
            "qdt0: refused for 7 s: unauthorized: the \"token\" is wrong\n"
            "  server     vpn.example.com:443\n"
            "  connects   0\n");
}

TEST(Status, TellsHowPacketsTravel) {
  const auto lines_of = [](Status status) {
    const std::string text = describe(status, "qdt0", Timestamp(107s));
    const std::size_t begin = text.find("  path ");
    return text.substr(begin, text.find("  DNS") - begin);
  };
  EXPECT_EQ(lines_of(kDirect),
            "  path       round trip 23.5 ms, queue 8.2 ms, sends 10.0 Mbit/s\n"
            "  data plane direct, held to 20.0 Mbit/s to keep the queue short\n"
            "  limit      sends 20.0 Mbit/s at most, this user's rate at the server\n");
  Status status = kDirect;
  status.shaper_bytes_per_second = 0;
  status.send_rate_bits = 0;
  EXPECT_TRUE(lines_of(status).ends_with("  data plane direct\n"));
  status.data_plane = PlaneInUse::kDirectLost;
  EXPECT_EQ(lines_of(status),
            "  path       round trip 23.5 ms, window 128 KiB, sends 10.0 Mbit/s\n"
            "  data plane QUIC, direct packets do not get through\n");
  status.data_plane = PlaneInUse::kUnknown;
  EXPECT_FALSE(lines_of(status).contains("data plane"));
}

TEST(Status, IsDescribedAsJson) {
  EXPECT_EQ(
      to_json(kRefused, "qdt0", Timestamp(107s)),
      "{\"tun\":\"qdt0\",\"state\":\"refused\",\"reason\":\"unauthorized: the \\\"token\\\" "
      "is "
      "wrong\",\"clock_nanoseconds\":107000000000,\"seconds\":7,\"server\":\"vpn.example.com:443\","
      "\"server_address\":\"\","
      "\"addresses\":[],\"mtu\":0,\"path_mtu\":0,\"connects\":0,\"rtt_microseconds\":0,"
      "\"window_bytes\":0,\"bytes_per_second\":0,\"data_plane\":\"\",\"shaper_bytes_per_second\":0,"
      "\"send_rate_bits\":0,\"path_queue_microseconds\":0,\"heard_seconds\":null,\"written_"
      "seconds\":null,"
      "\"packets_sent\":0,\"bytes_sent\":0,\"packets_received\":0,\"bytes_received\":0,"
      "\"name_servers\":[],\"cipher\":\"\",\"kill_switch\":false,\"ignored_routes\":[]}\n");
  Status status = kConnected;
  status.heard_at = Timestamp(103s);
  status.name_servers = {"1.1.1.1", "fe80::53%eth0"};
  status.has_kill_switch = true;
  const std::string json = to_json(status, "qdt0", Timestamp(107s));
  EXPECT_TRUE(json.contains(R"("heard_seconds":4,)")) << json;
  EXPECT_TRUE(json.contains(R"("name_servers":["1.1.1.1","fe80::53%eth0"],)")) << json;
  EXPECT_TRUE(json.contains(R"("kill_switch":true,)")) << json;
}

}  // namespace
}  // namespace qdt::client
