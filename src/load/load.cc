#include "load/load.h"

#include <algorithm>
#include <utility>

#include "load/echo.h"

namespace qdt::load {
namespace {

// More of a kind in one turn would keep the socket waiting; what is left out shows in the figures.
constexpr std::size_t kMaxConnectsInTurn = 8;
constexpr std::size_t kMaxEchoesInTurn = 64;

// A client that was refused, or lost its session, tries again after this, and up to as long again.
constexpr Duration kPause = 1s;

client::Connector::Options named(client::Connector::Options options, const std::string& name,
                                 std::size_t index) {
  options.client_id = name + "-" + std::to_string(index);
  return options;
}

}  // namespace

class Load::Client final : public client::ConnectorEvents {
 public:
  Client(Load& load, std::size_t number)
      : index(number),
        connector(named(load.options_.connector, load.options_.name, number), load.tls_, *this,
                  load.random_),
        load_(load) {}

  const std::size_t index;
  client::Connector connector;
  tunnel::Session* session = nullptr;
  client::AttemptId attempt = 0;
  bool is_away = false;     // at the second of its addresses
  bool is_leaving = false;  // its session is ended on purpose
  bool is_granted = false;  // its session is being opened
  Timestamp began;          // the attempt
  Timestamp now;            // of the call that its connector is in
  IpAddress lease;
  IpAddress gateway;
  std::uint16_t sequence = 0;
  std::uint64_t unanswered = 0;  // echoes of this session

  void on_connected(client::AttemptId, const UdpPath&,
                    const wire::ConnectResponse& response) override {
    lease = response.client_ip;
    gateway = response.gateway_ip;
    is_granted = true;
  }
  void on_ended(client::AttemptId, const client::Ending& ending) override {
    load_.on_ended(*this, ending, now);
  }

 private:
  Load& load_;
};

Load::Load(const Options& options, const quic::TlsClientContext& tls, Random& random)
    : options_(options),
      tls_(tls),
      random_(random),
      connects_(options.connects_per_second),
      echoes_(options.echoes_per_second * static_cast<double>(options.clients)),
      churns_(options.churn_per_second),
      roams_(options.roams_per_second),
      packet_(options.echo_bytes) {
  report_.clients = options.clients;
  for (std::size_t i = 0; i < options.clients; ++i) {
    clients_.push_back(std::make_unique<Client>(*this, i));
    idle_.push_back(clients_.back().get());
  }
}

Load::~Load() = default;

Load::Client* Load::find(const quic::Connection& connection) const {
  const auto found = by_connection_.find(&connection);
  return found == by_connection_.end() ? nullptr : found->second;
}

UdpPath Load::path_of(const Client& client) const {
  const std::size_t place = client.index + (client.is_away ? clients_.size() : 0);
  const auto offset = static_cast<std::uint32_t>(place % options_.addresses);
  const std::uint32_t first = options_.first_local.address.v4_number();
  return {{IpAddress::v4(first + offset), options_.first_local.port}, options_.server};
}

bool Load::is_there(const SocketAddress& local) const {
  if (options_.roams_per_second <= 0) return true;
  const std::size_t place = local.address.v4_number() - options_.first_local.address.v4_number();
  if (place >= 2 * clients_.size()) return false;
  return clients_[place % clients_.size()]->is_away == (place >= clients_.size());
}

// --- what is due ---

Timestamp Load::next_turn() const {
  if (began_ == kNever) return Timestamp{};
  const Timestamp connect = idle_.empty() ? kNever : connects_.next();
  const Timestamp wait = waiting_.empty() ? kNever : waiting_.top().first;
  return std::min({connect, wait, echoes_.next(), churns_.next(), roams_.next()});
}

void Load::turn(tunnel::Tunnel& tunnel, Timestamp now) {
  if (began_ == kNever) {
    began_ = now;
    connects_.start(now);
  }
  while (!waiting_.empty() && waiting_.top().first <= now) {
    idle_.push_back(waiting_.top().second);
    waiting_.pop();
  }
  if (!idle_.empty()) {
    for (std::size_t count = connects_.take(now, kMaxConnectsInTurn); count > 0 && !idle_.empty();
         --count) {
      Client& next = *idle_.front();
      idle_.pop_front();
      begin(tunnel, next, now);
    }
  }
  if (all_up_ == kNever && are_all_up()) {
    all_up_ = now;
    report_.ramp = std::max(now - began_, Duration(1));
    echoes_.start(now);
    churns_.start(now);
    roams_.start(now);
  }
  for (std::size_t count = echoes_.take(now, kMaxEchoesInTurn); count > 0; --count) {
    send_echo(tunnel, *clients_[next_echo_], now);
    next_echo_ = (next_echo_ + 1) % clients_.size();
  }
  for (std::size_t count = churns_.take(now, kMaxConnectsInTurn); count > 0; --count) {
    churn(tunnel, now);
  }
  for (std::size_t count = roams_.take(now, kMaxConnectsInTurn); count > 0; --count) {
    roam(tunnel, now);
  }
  if (all_up_ != kNever && resting_ == kNever) report_.measured = now - all_up_;
}

void Load::rest(Timestamp now) {
  resting_ = now;
  connects_.stop();
  echoes_.stop();
  churns_.stop();
  roams_.stop();
  waiting_ = {};
}

void Load::begin(tunnel::Tunnel& tunnel, Client& client, Timestamp now) {
  client.began = client.now = now;
  client.is_leaving = false;
  quic::Connection& connection =
      client.connector.connect(tunnel, path_of(client), ++client.attempt, now);
  by_connection_[&connection] = &client;
}

void Load::send_echo(tunnel::Tunnel& tunnel, Client& client, Timestamp now) {
  if (client.session == nullptr) return;
  write_echo_request({.source = client.lease,
                      .destination = client.gateway,
                      .id = static_cast<std::uint16_t>(client.attempt),
                      .sequence = ++client.sequence,
                      .sent = now},
                     packet_);
  ++client.unanswered;
  ++report_.echoes_sent;
  report_.bytes_sent += packet_.size();
  tunnel.forward_by(*client.session, packet_, now);
}

void Load::take_packets(tunnel::Tunnel& tunnel, Timestamp now) {
  for (const Bytes packet : tunnel.packets()) {
    const auto echo = parse_echo_reply(packet);
    if (!echo) continue;
    const auto found = by_lease_.find(echo->destination.v4_number());
    if (found == by_lease_.end()) continue;
    Client& client = *found->second;
    const bool is_of_session = echo->id == static_cast<std::uint16_t>(client.attempt);
    if (!is_of_session || client.unanswered == 0) continue;
    --client.unanswered;
    ++report_.echoes_answered;
    report_.bytes_answered += packet.size();
    report_.echo_times.add(now - echo->sent);
  }
  tunnel.packets().clear();
}

Load::Client* Load::some_client_up() {
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; ++i) {
    Client& client = *clients_[random_.number() % clients_.size()];
    if (client.session != nullptr) return &client;
  }
  return nullptr;
}

void Load::churn(tunnel::Tunnel& tunnel, Timestamp now) {
  Client* client = some_client_up();
  if (client == nullptr) return;
  ++report_.churned;
  client->is_leaving = true;
  tunnel.close_session(*client->session, tunnel::SessionEnd::kDone, now);
}

void Load::roam(tunnel::Tunnel& tunnel, Timestamp now) {
  Client* client = some_client_up();
  if (client == nullptr) return;
  ++report_.roamed;
  client->is_away = !client->is_away;
  client->connector.migrate(tunnel, path_of(*client), now);
}

// --- what comes of it ---

void Load::on_up(Client& client, Timestamp now) {
  client.is_granted = false;
  client.unanswered = 0;
  by_lease_[client.lease.v4_number()] = &client;
  ++report_.up;
  ++report_.handshakes;
  if (all_up_ != kNever) ++report_.measured_handshakes;
  report_.handshake_times.add(now - client.began);
}

void Load::on_down(Client& client) {
  client.session = nullptr;
  --report_.up;
  const auto found = by_lease_.find(client.lease.v4_number());
  if (found != by_lease_.end() && found->second == &client) by_lease_.erase(found);
  if (client.is_leaving) report_.echoes_given_up += client.unanswered;
  client.unanswered = 0;
}

void Load::on_ended(Client& client, const client::Ending& ending, Timestamp now) {
  if (resting_ != kNever) return;
  if (client.is_leaving) {
    idle_.push_back(&client);
    return;
  }
  ++(ending.kind == client::Ending::Kind::kLost ? report_.lost : report_.refused);
  report_.note(ending.text.empty() ? "the server did not answer" : ending.text);
  if (ending.is_lasting && report_.handshakes == 0) fatal_ = ending.text;
  const Duration pause = ending.retry_after.value_or(kPause);
  const auto jitter =
      static_cast<Duration::rep>(random_.number() % static_cast<std::uint64_t>(pause.count() + 1));
  waiting_.emplace(now + pause + Duration(jitter), &client);
}

void Load::on_settings(tunnel::Tunnel& tunnel, quic::Connection& connection) {
  Client* client = find(connection);
  if (client == nullptr) return;
  client->now = tunnel.now();
  client->connector.on_settings(tunnel, connection);
}

void Load::on_message(tunnel::Tunnel& tunnel, quic::Connection& connection, quic::StreamId stream,
                      const quic::Message& message) {
  Client* client = find(connection);
  if (client == nullptr) return;
  client->now = tunnel.now();
  client->connector.on_message(tunnel, connection, stream, message);
  take_session(*client, tunnel, connection);
}

void Load::on_stream_bytes(tunnel::Tunnel& tunnel, quic::Connection& connection,
                           quic::StreamId stream, Bytes bytes) {
  Client* client = find(connection);
  if (client == nullptr) return;
  client->now = tunnel.now();
  client->connector.on_stream_bytes(tunnel, connection, stream, bytes);
  take_session(*client, tunnel, connection);
}

// What the connector has just opened, if it has.
void Load::take_session(Client& client, tunnel::Tunnel& tunnel,
                        const quic::Connection& connection) {
  if (!client.is_granted || client.session != nullptr) return;
  client.session = tunnel::Tunnel::session_of(connection);
  on_up(client, tunnel.now());
}

void Load::on_stream_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                            quic::StreamId stream) {
  Client* client = find(connection);
  if (client == nullptr) return;
  client->now = tunnel.now();
  client->connector.on_stream_closed(tunnel, connection, stream);
}

// A real client wants its turn when its server may have fallen silent, to a fraction of a second;
// for thousands of them together, once a second has to do.
Timestamp Load::on_tick(tunnel::Tunnel& tunnel) {
  for (const auto& client : clients_) {
    client->now = tunnel.now();
    client->connector.on_tick(tunnel);
  }
  return kNever;
}

void Load::on_session_closed(tunnel::Tunnel& tunnel, tunnel::Session& session,
                             tunnel::SessionEnd end, const std::string& detail) {
  const plane::QuicPlane* plane = tunnel::Tunnel::quic_plane_of(session);
  Client* client = find(plane->connection());
  if (client == nullptr) return;
  client->now = tunnel.now();
  if (client->session == &session) on_down(*client);
  client->connector.on_session_closed(tunnel, session, end, detail);
}

void Load::on_connection_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                                const quic::CloseReason& reason) {
  Client* client = find(connection);
  if (client == nullptr) return;
  by_connection_.erase(&connection);
  client->now = tunnel.now();
  client->connector.on_connection_closed(tunnel, connection, reason);
}

}  // namespace qdt::load
