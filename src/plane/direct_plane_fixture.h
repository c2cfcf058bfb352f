#pragma once

// For tests only: a server's direct plane, and a client that may send it anything.

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "plane/direct_plane.h"
#include "quic/endpoint_fixture.h"

namespace qdt::plane {
using quic::kClient;
using quic::kServer;
using wire::DirectFrameType;
using Octets = std::vector<std::uint8_t>;

inline constexpr wire::DirectSecrets kSecrets = {
    .algorithm = wire::AeadAlgorithm::kAes256Gcm, .client = {1}, .server = {2}};
inline constexpr wire::DirectId kServerIds[] = {{0x10}, {0x11}};
inline constexpr wire::DirectId kClientIds[] = {{0x20}, {0x21}, {0x22}};
inline const UdpPath kPath{kServer, kClient};
inline const UdpPath kElsewhere{kServer, {IpAddress::v4(0x0a000063), 7}};

inline Octets packet(std::size_t bytes) {
  Octets packet(bytes);
  packet[0] = 0x45;
  store_be<std::uint16_t>(&packet[2], static_cast<std::uint16_t>(bytes));
  return packet;
}

inline Octets octets(const auto& bytes) {
  return {bytes.begin(), bytes.end()};
}

// A server's plane, and a client that is free to send it anything.
class DirectPlaneTest : public quic::EndpointTest {
 protected:
  void SetUp() override {
    connect();
    ASSERT_TRUE(settle());
    world.run_for(3s);  // path MTU discovery
    open_plane();
  }
  void open_plane() {
    plane.emplace(DirectPlane::Options{.role = Role::kServer,
                                       .secrets = kSecrets,
                                       .own_ids = {kServerIds[0], kServerIds[1]},
                                       .peer_ids = {kClientIds[0], kClientIds[1], kClientIds[2]}},
                  *server.connection, server.random, now());
  }

  Timestamp now() const { return world.now() + passed; }

  Octets seal(Bytes payload, std::size_t id = 0) {
    Octets sealed(payload.size() + wire::kDirectOverhead);
    sealer.seal(kServerIds[id], payload, sealed, now());
    return sealed;
  }
  // An inner packet to the client; what does not go at once is given up.
  Step send(Bytes inner) {
    Cut cut;
    return plane->send(inner, cut, out, now());
  }
  // Hands the plane a packet and the frames in it; the first thing that is wrong.
  std::optional<Drop> give(Bytes sealed, const UdpPath& path = kPath) {
    Octets slot(2000);
    auto opened = plane->open(path, Ecn::kNotEct, sealed, slot, now());
    if (!opened) return opened.error();
    while (!opened->rest.empty()) {
      if (const auto piece = plane->next(*opened, path, now()); !piece) return piece.error();
    }
    return std::nullopt;
  }
  std::optional<Drop> tell(const wire::Feedback& feedback) {
    return give(seal(wire::encode_feedback(feedback)));
  }

  struct Sent {
    UdpPath path;
    wire::DirectId id;
    std::size_t bytes = 0;
    std::vector<DirectFrameType> frames;
    wire::PingCookie cookie{};
  };
  // The payloads that the plane has sent since the last call, as the client reads them.
  std::vector<Sent> sent() {
    std::vector<Sent> all;
    for (const UdpBurst& burst : out.bursts()) {
      for_each_payload(burst, [&](Bytes payload) { all.push_back(read(burst.path, payload)); });
    }
    out.clear();
    return all;
  }
  std::vector<Sent> flush() {
    plane->flush(out, now());
    return sent();
  }
  std::size_t bytes_to(const UdpPath& path) {
    std::size_t bytes = 0;
    for (const Sent& one : flush()) bytes += one.path == path ? one.bytes : 0;
    return bytes;
  }
  // The client has answered the plane's ping.
  void come_up() {
    const auto pings = flush();
    ASSERT_EQ(pings.size(), 1u);
    ASSERT_FALSE(give(pong(pings[0].cookie)));
    ASSERT_TRUE(plane->is_usable());
  }
  Octets pong(const wire::PingCookie& cookie) {
    return seal(wire::encode_ping(DirectFrameType::kPong, cookie));
  }

  Duration passed{};
  std::optional<DirectPlane> plane;
  wire::DirectSealer sealer{kSecrets.algorithm, kSecrets.client, {}};
  wire::DirectOpener opener{kSecrets.algorithm, kSecrets.server};
  UdpSendQueue out{64};

 private:
  Sent read(const UdpPath& path, Bytes payload) {
    Sent sent{.path = path, .id = *wire::direct_id_of(payload), .bytes = payload.size()};
    Octets slot(2000);
    const auto opened = opener.open(payload, slot, now(), 1s);
    // As long as it may be at either address, the client gets packets at both.
    const bool is_copy = !opened && opened.error() == Drop::kReplayed;
    EXPECT_TRUE(opened || is_copy);
    if (!opened) return sent;
    for (MutableBytes rest = MutableBytes(slot).first(opened->bytes); !rest.empty();) {
      const auto frame = *wire::take_direct_frame(rest);
      sent.frames.push_back(frame.type);
      if (frame.type == DirectFrameType::kPing) append(sent.cookie, frame.body);
    }
    return sent;
  }
};

}  // namespace qdt::plane
