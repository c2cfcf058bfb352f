// A whole client but for its sockets, on virtual time, against servers with a right certificate and
// all keys, or with none but that, that do what a program says, by both versions of the protocol.
// At the end the client gets a session from an honest server, and nothing is left.

#include <array>

#include "invariant.h"
#include "memory_bound.h"
#include "player.h"

namespace qdt::fuzz {
namespace {

using testing::ServerNode;
using testing::ServerNodeOptions;

const SocketAddress kHonest = testing::kServerAddress;
const SocketAddress kHostile{IpAddress::v4(0xc6336410), 4433};
const IpAddress kInternet = testing::kInternet;
constexpr std::size_t kMaxMemory = 48u << 20;
constexpr std::size_t kMaxAttempts = 24;

// The byte of the step kTerms.
struct Terms {
  explicit Terms(std::uint8_t byte)
      : auth(byte % 4 == 0   ? Auth::kToken
             : byte % 4 == 1 ? Auth::kProof
                             : Auth::kAuto),
        knows_certificate(byte % 4 != 3),
        who(auth == Auth::kToken ? Who::kVersion1 : static_cast<Who>(1 + byte / 4 % 4 % 3)),
        has_keys((byte & 16) == 0) {}
  // By version 1, it believes whoever has the certificate.
  bool may_speak_version1() const {
    return auth == Auth::kToken || (auth == Auth::kAuto && knows_certificate && who == Who::kToken);
  }
  Auth auth;
  bool knows_certificate;
  Who who;
  bool has_keys;  // the hostile side
};

// A client as the program has it, with what happened to it.
class TargetClient final : public TunnelNode, private client::ConnectorEvents {
 public:
  TargetClient(std::uint8_t settings, const Terms& terms)
      : TunnelNode(64),
        connector(options(settings, terms), testing::test_client_tls(), *this, random_),
        tunnel_(tunnel_options(), nullptr, connector, random_, counters, payloads) {}

  tunnel::Tunnel& tunnel() override { return tunnel_; }

  void connect(const SocketAddress& from, const SocketAddress& to, const std::string& resume_token,
               Timestamp now) {
    ++attempts;
    connector.connect(tunnel_, {from, to}, attempts, now, resume_token);
  }

  testing::SeededRandom random_{2};
  client::Connector connector;
  std::uint64_t attempts = 0;
  std::uint64_t connected = 0;  ///< the latest attempt that had a session
  std::uint64_t endings = 0;
  std::array<bool, kMaxAttempts + 8> has_ended{};
  std::optional<wire::ConnectResponse> response;

 private:
  static client::Connector::Options options(std::uint8_t settings, const Terms& terms) {
    const Keys keys = Keys::honest();
    client::Connector::Options options{.token = keys.token,
                                       .server_name = "localhost",
                                       .auth = terms.auth,
                                       .knows_certificate = terms.knows_certificate,
                                       .client_id = "target",
                                       .platform = "linux",
                                       .send_queue = 32,
                                       .max_reassembly_bytes = 16 * 1024};
    const bool has_key = terms.who == Who::kDevice || terms.who == Who::kSealedDevice;
    if (has_key) options.identity = keys.identity_of(terms.who);
    options.caps.direct = (settings & 1) == 0;
    options.needs_direct = (settings & 3) == 2;
    return options;
  }
  static tunnel::Tunnel::Options tunnel_options() {
    tunnel::Tunnel::Options options{.role = Role::kClient};
    options.endpoint.connection.keep_alive = 10s;
    options.max_packet_bytes = 4096;
    options.max_queued_packets = 64;
    return options;
  }

  void on_connected(client::AttemptId attempt, const UdpPath&,
                    const wire::ConnectResponse& granted) override {
    require(!has_ended.at(attempt), "an attempt that ended does not connect");
    require(granted.client_ip != granted.gateway_ip, "a lease is not the gateway's");
    require(granted.mtu >= 1 && granted.mtu <= 65535, "an MTU is a size");
    connected = attempt;
    response = granted;
  }
  void on_ended(client::AttemptId attempt, const client::Ending& ending) override {
    require(!std::exchange(has_ended.at(attempt), true), "an attempt ends once");
    require(ending.text.size() <= 4096, "what is said of an end is short");
    for (const char letter : ending.text) {
      require(letter == '\n' || static_cast<unsigned char>(letter) >= 0x20,
              "what is said of an end has no control characters");
    }
    ++endings;
  }

  tunnel::Tunnel tunnel_;
};

class Run {
 public:
  explicit Run(Program program)
      : terms_(program.terms(static_cast<std::uint8_t>(StepKind::kTerms))),
        client_(program.settings(), terms_),
        server_(server_options()),
        stage_(client_),
        player_({.role = Role::kServer,
                 .keys = terms_.has_keys ? Keys::honest() : Keys::strangers(),
                 .who = terms_.who,
                 .target = {}},
                stage_, client_),
        memory_(kMaxMemory) {
    stage_.add_honest(kHonest, server_);
    server_.on_packet = [this](Bytes packet, Timestamp) {
      if (packet.size() == kBytes && packet[29] == 0xa5) ++arrived_;
    };
    client_.on_packet = [](Bytes packet, Timestamp) {
      require(!packet.empty() && packet.size() <= 65535, "a packet has a size");
    };
    player_.on_target = [this](ByteReader& arguments) { act(arguments); };
    player_.on_honest = [](ByteReader&) {};
    player_.check = [this] { check(); };
    connect(kHostile);
    player_.play(program);
    finish();
  }

 private:
  static constexpr std::size_t kBytes = 400;

  static ServerNodeOptions server_options() {
    const Keys keys = Keys::honest();
    ServerNodeOptions options;
    options.token = keys.token;
    options.admission.devices = keys.devices();
    options.identity = keys.server;
    options.caps.direct = true;
    options.send_datagram_queue = 64;
    options.tunnel.max_queued_packets = 64;
    return options;
  }

  SocketAddress own_address() const {
    return {IpAddress::v4(0x0a000002), static_cast<std::uint16_t>(40000 + port_)};
  }

  void connect(const SocketAddress& to) {
    if (client_.attempts >= kMaxAttempts) return;
    const bool resumes = client_.response && client_.attempts % 2 == 1;
    client_.connect(own_address(), to, resumes ? client_.response->resume_token : "", stage_.now());
    stage_.advance_until([&] { return client_.endings > 0 || player_.opened() > 0; }, 100ms);
    stage_.advance(100ms);
  }

  // Does to the client what the program around it may do.
  void act(ByteReader& arguments) {
    const std::uint8_t choice = arguments.byte();
    switch (choice % 6) {
      case 0: connect({kHostile.address, static_cast<std::uint16_t>(4433 + choice / 6 % 2)}); break;
      case 1:
        ++port_;
        client_.connector.migrate(client_.tunnel(), {own_address(), kHostile}, stage_.now());
        break;
      case 2: client_.connector.set_aside(); break;
      case 3: client_.connector.end_set_aside(client_.tunnel(), stage_.now()); break;
      case 4: client_.connector.abandon(client_.tunnel(), stage_.now()); break;
      case 5: client_.tunnel().payloads().set_stalled(choice >= 0x80); break;
    }
  }

  void check() {
    const tunnel::Counters& counters = client_.counters;
    const std::array<std::uint64_t, 4> now = {counters.drops.total(), counters.packets_up.value(),
                                              counters.packets_down.value(),
                                              counters.bytes_down.value()};
    for (std::size_t i = 0; i < now.size(); ++i) {
      require(now[i] >= counted_[i], "a counter never goes back");
    }
    counted_ = now;
    require(client_.tunnel().sessions().size() <= client_.attempts, "a session is an attempt's");
    require(client_.endings <= client_.attempts, "an attempt ends once");
    require(terms_.has_keys || terms_.may_speak_version1() || client_.connected == honest_attempt_,
            "a client believes no server without a key");
    memory_.check();
  }

  void finish() {
    stage_.loses_everything = false;
    client_.tunnel().payloads().set_stalled(false);
    client_.connector.abandon(client_.tunnel(), stage_.now());
    require(client_.tunnel().sessions().size() == 0, "abandon() ends every session");
    ++port_;
    const std::uint64_t attempt = client_.attempts + 1;
    if (client_.connected == 0) honest_attempt_ = attempt;
    client_.connect(own_address(), kHonest, "", stage_.now());
    stage_.advance_until(
        [&] { return client_.connected == attempt || client_.has_ended.at(attempt); }, 30s);
    require(client_.connected == attempt, "an honest server's client gets its session");
    for (int i = 0; i < 10 && arrived_ == 0; ++i) {
      auto packet = testing::udp_packet(client_.response->client_ip, kInternet, kBytes);
      packet[29] = 0xa5;
      client_.inject(packet, stage_.now());
      stage_.advance_until([&] { return arrived_ > 0; }, 2s);
    }
    require(arrived_ > 0, "packets reach the honest server");
    check();
    client_.connector.abandon(client_.tunnel(), stage_.now());
    stage_.advance(1h);
    stage_.advance(1h);
    require(client_.tunnel().connection_count() == 0, "no connection outlives the end");
    require(client_.tunnel().next_timeout() == kNever, "no timer outlives the end");
    require(server_.tunnel().sessions().size() == 0, "the server hears of the end");
  }

  Terms terms_;
  TargetClient client_;
  ServerNode server_;
  Stage stage_;
  Player player_;
  MemoryBound memory_;
  std::array<std::uint64_t, 4> counted_{};
  std::uint64_t arrived_ = 0;
  std::uint64_t honest_attempt_ = 0;  // that may be connected without hostile keys
  std::uint16_t port_ = 0;
};

}  // namespace
}  // namespace qdt::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const qdt::fuzz::Run run(qdt::fuzz::Program({data, size}));
  return 0;
}
