// qdt-replay: somebody at a few addresses who takes up a server's places for strangers, for the
// namespace tests. He collects Retry tokens, then sends first packets with them over and over, each
// with the beginning of a ClientHello that never goes on.

#include <CLI/CLI.hpp>
#include <array>
#include <iostream>
#include <string>
#include <vector>

#include "os/clock.h"
#include "probe/quic_end.h"
#include "quic/small_initial.h"
#include "support/raw_quic.h"
#include "wire/aead.h"

namespace {

using namespace qdt;

constexpr std::size_t kRetryIdsAt = 5;
constexpr std::uint8_t kTypeBits = 0xf0;
constexpr std::uint8_t kRetry = 0xf0;
constexpr std::size_t kBurst = 64;

struct Options {
  SocketAddress server;
  std::vector<IpAddress> sources;
  std::size_t tokens = 0;    ///< to collect
  double per_second = 9000;  ///< packets
  double fresh_share = 0;    ///< of them, those that ask for another token
  double seconds = 10;
};

class Replay {
 public:
  Replay(const Options& options, probe::Host host) : options_(options), host_(std::move(host)) {}

  void run() {
    const Timestamp begun = os::now();
    while (packets_.size() < options_.tokens && os::now() - begun < 5s) {
      for (std::size_t i = 0; i < 8; ++i) ask();
      flush();
      listen(os::now() + 2ms);
    }
    std::cout << packets_.size() << " tokens" << std::endl;
    flood();
    std::cout << sent_ << " packets sent, " << packets_.size() << " tokens" << std::endl;
  }

 private:
  void flood() {
    const Timestamp begun = os::now();
    std::size_t next = 0;
    double fresh = 0;
    for (double seconds = 0; seconds < options_.seconds && !host_.was_stopped;) {
      seconds = std::chrono::duration<double>(os::now() - begun).count();
      const auto due = static_cast<std::size_t>(seconds * options_.per_second);
      for (std::size_t i = 0; i < kBurst && sent_ < due; ++i, ++sent_) {
        fresh += options_.fresh_share;
        if (fresh >= 1 || packets_.empty()) {
          fresh -= 1;
          ask();
        } else {
          // The newest first, each of them in turn.
          const auto& [path, payload] = packets_[packets_.size() - 1 - next++ % packets_.size()];
          send(path, payload);
        }
      }
      flush();
      listen(os::now() + 1ms);
    }
  }

  // A first packet without a token, which a Retry packet may answer.
  void ask() {
    const IpAddress source = options_.sources[asked_++ % options_.sources.size()];
    const UdpPath path{{source, host_.socket.local_address().port}, options_.server};
    send(path, initial(random_.bytes<8>(), {}));
  }

  testing::ByteVector initial(Bytes destination, Bytes token) {
    testing::ByteWriter frames;
    constexpr std::size_t kPart = 60;
    std::array<std::uint8_t, kPart> part = random_.bytes<kPart>();
    append(part, std::array<std::uint8_t, 4>{1, 0, 2, 0});  // a ClientHello of 512 bytes
    frames.varint(6).varint(0).block(part);
    const std::size_t others = 70 + token.size();
    frames.bytes.resize(quic::kLeastInitialBytes - others);
    testing::PacketHeader header{.space = testing::PacketSpace::kInitial};
    header.destination.assign(destination.begin(), destination.end());
    header.source = {1, 2, 3, 4, 5, 6, 7, 8};
    header.token.assign(token.begin(), token.end());
    auto packet =
        testing::PacketKeys::initial(destination, Role::kClient).seal(header, frames.bytes);
    packet.resize(std::max(packet.size(), quic::kLeastInitialBytes));
    return packet;
  }

  void take(const UdpPath& path, Bytes payload) {
    if (payload.size() < kRetryIdsAt || (payload[0] & kTypeBits) != kRetry) return;
    testing::ByteReader reader(payload.subspan(kRetryIdsAt));
    reader.take(reader.byte());
    const Bytes id = reader.take(reader.byte());
    if (reader.is_short() || reader.rest().size() < wire::kTagBytes) return;
    const Bytes token = reader.rest().first(reader.rest().size() - wire::kTagBytes);
    packets_.emplace_back(path, initial(id, token));
  }

  void send(const UdpPath& path, Bytes payload) {
    if (!out_.has_room()) flush();
    append(out_.next_payload(), payload);
    out_.push(path, Ecn::kNotEct, payload.size());
  }
  void flush() { host_.socket.send(out_); }

  void listen(Timestamp deadline) {
    host_.wait(deadline, received_);
    for (const UdpBurst& burst : received_.bursts()) {
      for_each_payload(burst, [&](Bytes payload) { take(burst.path, payload); });
    }
  }

  const Options& options_;
  probe::Host host_;
  os::SystemRandom random_;
  os::UdpReceiveBatch received_;
  UdpSendQueue out_{256};
  std::vector<std::pair<UdpPath, testing::ByteVector>> packets_;  // with a token each
  std::size_t asked_ = 0;
  std::size_t sent_ = 0;
};

int fail_with(const std::string& message) {
  std::cerr << "qdt-replay: " << message << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::string server;
  std::vector<std::string> sources;
  CLI::App app(
      "Collects Retry tokens of a QDT server, and sends handshakes that never go on with them, "
      "over and over.");
  app.add_option("server", server, "ADDRESS:PORT")->required();
  app.add_option("--source", sources, "an address of this host; as many as you like")->required();
  app.add_option("--tokens", options.tokens, "to collect before anything else");
  app.add_option("--per-second", options.per_second, "packets");
  app.add_option("--fresh", options.fresh_share, "share of packets that ask for another token");
  app.add_option("--seconds", options.seconds);
  CLI11_PARSE(app, argc, argv);

  const auto address = SocketAddress::parse(server);
  if (!address) return fail_with(address.error().message);
  options.server = *address;
  for (const std::string& text : sources) {
    const auto source = IpAddress::parse(text);
    if (!source) return fail_with(source.error().message);
    options.sources.push_back(*source);
  }
  auto host = probe::Host::open({.local = {*IpAddress::parse("::"), 0}});
  if (!host) return fail_with(host.error().message);
  Replay(options, std::move(*host)).run();
  return 0;
}
