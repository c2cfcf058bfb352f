// Input that anyone may send to a server's port: a sequence of payloads, each behind a two-byte
// length.

#include <algorithm>

#include "quic/endpoint.h"
#include "support/seeded_random.h"
#include "support/test_certificate.h"

namespace {

struct Silent final : qdt::quic::ConnectionEvents {
  void on_settings(qdt::quic::Connection&) override {}
  void on_message(qdt::quic::Connection&, qdt::quic::StreamId, const qdt::quic::Message&) override {
  }
  void on_stream_closed(qdt::quic::Connection&, qdt::quic::StreamId) override {}
  void on_closed(qdt::quic::Connection&, const qdt::quic::CloseReason&) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  Silent events;
  testing::SeededRandom random(1);
  DropCounters drops;
  quic::Endpoint endpoint({}, &testing::test_server_tls(), events, random, drops);
  UdpSendQueue out(64);
  const UdpPath path{{IpAddress::v4(0x0a000001), 443}, {IpAddress::v4(0x0a000002), 5000}};
  Timestamp now{1s};
  for (Bytes rest(data, size); rest.size() > 2;) {
    const std::size_t bytes =
        std::min<std::size_t>(load_be<std::uint16_t>(rest.data()) % 1500, rest.size() - 2);
    endpoint.receive(path, Ecn::kNotEct, rest.subspan(2, bytes), out, now);
    (void)endpoint.write(out, now);
    out.clear();
    now += 100ms;
    endpoint.handle_timeouts(now);
    rest = rest.subspan(2 + bytes);
  }
  return 0;
}
