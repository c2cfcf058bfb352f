#pragma once

// For tests only: a client's and a server's endpoint in the simulated world.

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "quic/endpoint.h"
#include "support/sim_world.h"
#include "support/test_certificate.h"

namespace qdt::quic {

using testing::LinkOptions;
using testing::SeededRandom;
using testing::SimWorld;

inline const SocketAddress kServer{IpAddress::v4(0x0a000001), 443};
inline const SocketAddress kClient{IpAddress::v4(0x0a000002), 50000};

inline Connection::SendStatus send_datagram(Connection& connection, Bytes datagram,
                                            UdpSendQueue& out, Timestamp now) {
  return connection.send_datagrams({&datagram, 1}, out, now).status;
}

// An endpoint in the simulated world that keeps what it is told.
class Node final : public testing::SimNode, public ConnectionEvents {
 public:
  Node(const Endpoint::Options& options, const TlsServerContext* server, std::uint64_t seed)
      : random(seed), endpoint(options, server, *this, random, drops) {}

  void receive(const UdpPath& path, Ecn ecn, Bytes payload, UdpSendQueue& out,
               Timestamp now) override {
    shards.insert(endpoint.shard_of_payload(payload));
    endpoint.receive(path, ecn, payload, out, now);
  }
  bool send(UdpSendQueue& out, Timestamp now) override {
    while (connection != nullptr && !datagrams.empty()) {
      const auto status = send_datagram(*connection, as_bytes(datagrams.front()), out, now);
      if (status == Connection::SendStatus::kFull) return false;
      if (status != Connection::SendStatus::kSent) break;
      datagrams.pop_front();
    }
    return endpoint.write(out, now);
  }
  Timestamp next_timeout() override { return endpoint.next_timeout(); }
  void handle_timeouts(Timestamp now) override { endpoint.handle_timeouts(now); }

  void on_settings(Connection& from) override {
    connection = &from;
    took_extended_connect = from.peer_takes_extended_connect();
  }
  void on_message(Connection& from, StreamId stream, const Message& message) override {
    connection = &from;
    last_stream = stream;
    last_message = message;
    if (answer) answer(from, stream, message);
  }
  void on_stream_bytes(Connection& from, StreamId stream, Bytes bytes) override {
    stream_bytes.append(as_text(bytes));
    if (take) take(from, stream);
  }
  void on_stream_closed(Connection&, StreamId) override { ++closed_streams; }
  void on_closed(Connection&, const CloseReason& reason) override {
    connection = nullptr;
    closed = reason;
  }

  void take_datagrams(StreamId stream) {
    connection->set_datagram_sink(
        stream, {[](void* context, Bytes datagram) {
                   static_cast<Node*>(context)->received.emplace_back(as_text(datagram));
                 },
                 this});
  }

  SeededRandom random;
  DropCounters drops;
  Endpoint endpoint;
  Connection* connection = nullptr;
  std::function<void(Connection&, StreamId, const Message&)> answer;
  std::function<void(Connection&, StreamId)> take;  // bytes of a stream came
  std::string stream_bytes;                         // of all streams
  std::optional<bool> took_extended_connect;        // the peer, when its settings came
  std::deque<std::string> datagrams;
  std::vector<std::string> received;
  std::set<std::size_t> shards;  // that payloads belong to
  StreamId last_stream = -1;
  Message last_message;
  void on_path_tried(Connection&, const UdpPath& path, bool is_usable) override {
    tried_paths.push_back({path, is_usable});
  }

  struct TriedPath {
    UdpPath path;
    bool is_usable = false;
    bool operator==(const TriedPath&) const = default;
  };
  std::vector<TriedPath> tried_paths;
  int closed_streams = 0;
  std::optional<CloseReason> closed;
};

class EndpointTest : public ::testing::Test {
 protected:
  explicit EndpointTest(Endpoint::Options server_options = {})
      : server(server_options, &testing::test_server_tls(), 1), client({}, nullptr, 2) {
    world.attach(kServer, server, {.delay = 10ms});
    world.attach(kClient, client, {.delay = 10ms});
  }

  void connect(const TlsClientContext& tls = testing::test_client_tls()) {
    client.connection = &client.endpoint.connect(tls, "localhost", {kClient, kServer}, world.now());
  }
  bool settle(Duration duration = 5s) {
    return world.run_until(
        [&] { return client.connection && client.connection->has_settings() && server.connection; },
        duration);
  }
  // A request that the server answers and keeps open, with datagrams both ways.
  void open_session() {
    connect();
    ASSERT_TRUE(settle());
    server.answer = [&](Connection& connection, StreamId stream, const Message&) {
      connection.respond(stream, {.status = 200, .body = "{}", .keeps_stream_open = true});
      server.take_datagrams(stream);
    };
    const auto stream = client.connection->request({"POST", "localhost", "/connect", {}, "{}"});
    ASSERT_TRUE(stream);
    ASSERT_TRUE(world.run_until([&] { return client.last_message.body == "{}"; }, 1s));
    client.take_datagrams(*stream);
  }

  SimWorld world{3};
  Node server;
  Node client;
};

}  // namespace qdt::quic
