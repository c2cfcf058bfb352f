// A whole server but for its sockets, on virtual time, against clients with all keys, or with none
// that the server knows, that do what a program says, by both versions of the protocol. What has to
// hold is checked after every step, and at the end an honest client gets its packets through,
// everything ends, and nothing is left.

#include <array>

#include "invariant.h"
#include "memory_bound.h"
#include "player.h"

namespace qdt::fuzz {
namespace {

using testing::ClientNode;
using testing::ServerNode;
using testing::ServerNodeOptions;

constexpr std::string_view kHonestName = "honest";
const SocketAddress kServer = testing::kServerAddress;
const SocketAddress kHonest = testing::kClientAddress;
const IpAddress kInternet = testing::kInternet;
constexpr std::size_t kMaxMemory = 48u << 20;
constexpr std::size_t kMaxStrangers = 8;
constexpr std::size_t kMaxStrangerBytes = std::size_t{1} << 20;

std::shared_ptr<const server::Decoy> site() {
  static const auto decoy = [] {
    const auto page = [](std::size_t bytes) {
      return server::Decoy::Page{.headers = {{"content-type", "text/html"}, {"etag", "\"1\""}},
                                 .body = std::make_shared<const std::string>(bytes, 'x')};
    };
    return std::make_shared<const server::Decoy>(
        server::Decoy::site({{"/index.html", page(300)}, {"/large/index.html", page(200'000)}}));
  }();
  return decoy;
}

// The byte of the step kTerms.
struct Terms {
  explicit Terms(std::uint8_t byte)
      : takes_version1(byte % 4 != 1),
        takes_version2(byte % 4 != 2),
        honest(takes_version2 ? static_cast<Who>(byte / 4 % 4) : Who::kVersion1),
        has_keys((byte & 16) == 0) {
    if (!takes_version1 && honest == Who::kVersion1) honest = Who::kToken;
  }
  bool takes_version1;
  bool takes_version2;
  Who honest;
  bool has_keys;  // the hostile side
};

ServerNodeOptions server_options(std::uint8_t settings, const Terms& terms) {
  const Keys keys = Keys::honest();
  ServerNodeOptions options;
  options.token = keys.token;
  options.admission.devices = keys.devices();
  options.takes_version1 = terms.takes_version1;
  if (terms.takes_version2) options.identity = keys.server;
  options.pool = *Prefix::parse("10.8.0.0/28");
  options.caps.direct = (settings & 1) == 0;
  if ((settings & 2) != 0) options.ipv6 = testing::kIpv6Pool;
  if ((settings & 4) != 0) options.tunnel.session_timeout = 60s;
  if ((settings & 8) != 0) options.admission.max_sessions = 4;
  if ((settings & 16) != 0) {
    options.admission.address_rate = {.per_second = 5, .burst = 10};
    options.rate_limit = {.per_second = 1000, .burst = 100};
  }
  if ((settings & 32) != 0) options.decoy = site();
  if ((settings & 64) != 0) options.tunnel.endpoint.half_open_before_retry = 1;
  options.tunnel.endpoint.strangers = {.max_connections = kMaxStrangers,
                                       .max_per_address = kMaxStrangers / 2,
                                       .max_per_site = kMaxStrangers / 2 + 1,
                                       .max_bytes = kMaxStrangerBytes};
  options.send_datagram_queue = 64;
  options.tunnel.max_queued_packets = 64;
  options.send_queue = 32;
  options.max_reassembly_bytes = 16 * 1024;
  options.lease_grace = 1min;
  return options;
}

client::Connector::Options client_options(std::uint8_t settings, const Terms& terms) {
  const Keys keys = Keys::honest();
  const bool is_version1 = terms.honest == Who::kVersion1;
  client::Connector::Options options{.token = keys.token,
                                     .auth = is_version1 ? Auth::kToken : Auth::kProof,
                                     .client_id = std::string(kHonestName)};
  if (!is_version1) options.identity = keys.identity_of(terms.honest);
  options.caps.direct = (settings & 1) == 0;
  return options;
}

class Run {
 public:
  explicit Run(Program program)
      : terms_(program.terms(static_cast<std::uint8_t>(StepKind::kTerms))),
        server_(server_options(program.settings(), terms_)),
        honest_(client_options(program.settings(), terms_)),
        stage_(server_),
        player_({.role = Role::kClient,
                 .keys = terms_.has_keys ? Keys::honest() : Keys::strangers(),
                 .target = kServer},
                stage_, server_),
        begins_honest_((program.settings() & 128) != 0),
        memory_(kMaxMemory) {
    stage_.add_honest(kHonest, honest_);
    server_.on_packet = [this](Bytes packet, Timestamp) { note(packet, arrived_up_); };
    honest_.on_packet = [this](Bytes packet, Timestamp) { note(packet, arrived_down_); };
    player_.on_target = [this](ByteReader& arguments) { trouble(arguments); };
    player_.on_honest = [this](ByteReader&) { send_honest(); };
    player_.check = [this] { check(); };
    if (begins_honest_) require(passes(3), "an honest client gets in at the beginning");
    player_.play(program);
    finish();
  }

 private:
  static constexpr std::size_t kBytes = 400;

  void note(Bytes packet, std::uint64_t& last) const {
    const bool is_honest = packet.size() == kBytes && packet[28] == 0x5a && packet[29] == 0xa5;
    if (is_honest) last = load_be<std::uint64_t>(&packet[32]);
  }

  testing::Packet honest_packet(bool is_up) {
    const IpAddress lease = honest_.response->client_ip;
    auto packet = is_up ? testing::udp_packet(lease, kInternet, kBytes, 0x5a)
                        : testing::udp_packet(kInternet, lease, kBytes, 0x5a);
    packet[29] = 0xa5;
    store_be<std::uint64_t>(&packet[32], sent_);
    return packet;
  }

  void send_honest() {
    if (!honest_.response || honest_.ending) return;
    ++sent_;
    honest_.inject(honest_packet(true), stage_.now());
    server_.inject(honest_packet(false), stage_.now());
  }

  // Whether an honest client gets packets through in both directions, which may connect `attempts`
  // times for it.
  bool passes(int attempts) {
    for (int attempt = 0; attempt < attempts; ++attempt) {
      if (honest_.ending || !honest_.response) {
        honest_.ending.reset();
        honest_.response.reset();
        honest_.connect(kHonest, kServer, stage_.now());
        stage_.advance_until([&] { return honest_.response || honest_.ending; }, 30s);
      }
      for (int i = 0; i < 4 && honest_.response && !honest_.ending; ++i) {
        send_honest();
        const std::uint64_t awaited = sent_;
        if (stage_.advance_until([&] { return arrived_up_ == awaited && arrived_down_ == awaited; },
                                 3s)) {
          return true;
        }
      }
      if (honest_.response && !honest_.ending) {
        honest_.connector.abandon(honest_.tunnel(), stage_.now());
        honest_.response.reset();
      }
      stage_.advance(60s);
    }
    return false;
  }

  // Does to the server what happens on its own side.
  void trouble(ByteReader& arguments) {
    const std::uint8_t choice = arguments.byte();
    auto& sessions = server_.tunnel().sessions();
    switch (choice % 4) {
      case 0: server_.admission.set_ready(choice < 0x80); break;
      case 1:
        if (sessions.size() > 0) {
          server_.tunnel().close_session(**sessions.begin(), tunnel::SessionEnd::kReplaced,
                                         stage_.now());
        }
        break;
      case 2: server_.tunnel().payloads().set_stalled(choice >= 0x80); break;
      case 3:
        server_.inject(testing::udp_packet(kInternet, IpAddress::v4(0x0a080000u + choice / 4), 600),
                       stage_.now());
        break;
    }
  }

  void check() {
    auto& tunnel = server_.tunnel();
    const tunnel::Counters& counters = server_.counters;
    const std::array<std::uint64_t, 6> now = {
        counters.drops.total(),    counters.packets_up.value(), counters.packets_down.value(),
        counters.bytes_up.value(), counters.bytes_down.value(), counters.delivered_bytes.value()};
    for (std::size_t i = 0; i < now.size(); ++i) {
      require(now[i] >= counted_[i], "a counter never goes back");
    }
    counted_ = now;
    require(tunnel.sessions().size() <= server_.leases.capacity(), "a session has a lease");
    require(server_.admission.sessions() == tunnel.sessions().size(),
            "admission counts the sessions that are there");
    require(server_.leases.lent() == tunnel.sessions().size(), "each session has one lease");
    require(tunnel.sessions().size() <= tunnel.connection_count(), "each session has a connection");
    for (const auto& session : tunnel.sessions()) {
      require(terms_.has_keys || session->client_id() == kHonestName,
              "nobody gets a session without a key");
    }
    require(counters.strangers.value() <= kMaxStrangers, "few connections are without a session");
    require(counters.stranger_bytes.value() <= kMaxStrangerBytes, "they hold little memory");
    memory_.check();
  }

  void finish() {
    stage_.loses_everything = false;
    server_.admission.set_ready(true);
    server_.tunnel().payloads().set_stalled(false);
    require(passes(5), "an honest client gets its packets through in the end");
    check();
    honest_.connector.abandon(honest_.tunnel(), stage_.now());
    server_.tunnel().close_all(tunnel::SessionEnd::kShutdown, "the end", stage_.now());
    stage_.advance(1h);
    stage_.advance(1h);
    check();
    require(server_.tunnel().sessions().size() == 0, "no session outlives the end");
    require(server_.admission.sessions() == 0, "every place is given back");
    require(server_.leases.lent() == 0, "every lease is given back");
    require(server_.tunnel().connection_count() == 0, "no connection outlives the end");
    require(server_.tunnel().next_timeout() == kNever, "no timer outlives the end");
    const tunnel::Counters& counters = server_.counters;
    require(counters.strangers.value() == 0 && counters.stranger_bytes.value() == 0,
            "nothing is counted for connections that are gone");
    require(counters.connections.value() == 0 && counters.queued_packets.value() == 0,
            "the gauges say that nothing is there");
    require(honest_.tunnel().connection_count() == 0, "nor at the honest client");
  }

  Terms terms_;
  ServerNode server_;
  ClientNode honest_;
  Stage stage_;
  Player player_;
  bool begins_honest_;
  MemoryBound memory_;
  std::array<std::uint64_t, 6> counted_{};
  std::uint64_t sent_ = 0;
  std::uint64_t arrived_up_ = 0;
  std::uint64_t arrived_down_ = 0;
};

}  // namespace
}  // namespace qdt::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const qdt::fuzz::Run run(qdt::fuzz::Program({data, size}));
  return 0;
}
