#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "base/time.h"
#include "base/udp_burst.h"
#include "plane/plane.h"
#include "tunnel/packet_source.h"

namespace qdt::tunnel {

class Forwarder;
class Session;

/// The plane that a session rests on, whatever its type: sessions of one shard may rest on planes
/// of different types. Its functions are called once for a burst of packets or more seldom; what is
/// done for each packet is in BasePlaneOf, with the plane's own functions inlined.
class BasePlane {
 public:
  virtual ~BasePlane() = default;

  virtual plane::Step send(PacketSource& packets, UdpSendQueue& out, Timestamp now) = 0;

  // As plane::Base.
  virtual plane::Step flush(UdpSendQueue& out, Timestamp now) = 0;
  virtual bool has_something(Timestamp now) const = 0;
  virtual Timestamp next_timeout() const = 0;
  virtual plane::PacketLimits limits() const = 0;
  virtual plane::PathView view() const = 0;
  virtual void ping(UdpSendQueue& out, Timestamp now) = 0;
  virtual void send_close(std::uint8_t reason, UdpSendQueue& out, Timestamp now) = 0;
  virtual void close(std::string_view text, Timestamp now) = 0;
  virtual void detach() = 0;
  virtual Timestamp next_delivery() const = 0;

  /// Delivers what the plane held back until now, as far as there is room. False: the peer has
  /// ended the session.
  virtual bool deliver_due(Forwarder& forwarder, Session& session, Timestamp now) = 0;
};

/// A session's base plane of type `P`. forwarder.h has the rest of it.
template <plane::Base P>
class BasePlaneOf final : public BasePlane {
 public:
  template <typename... Arguments>
  explicit BasePlaneOf(Arguments&&... arguments) : plane(std::forward<Arguments>(arguments)...) {}

  plane::Step send(PacketSource& packets, UdpSendQueue& out, Timestamp now) override {
    return packets.send_by(plane, out, now);
  }
  plane::Step flush(UdpSendQueue& out, Timestamp now) override { return plane.flush(out, now); }
  bool has_something(Timestamp now) const override { return plane.has_something(now); }
  Timestamp next_timeout() const override { return plane.next_timeout(); }
  plane::PacketLimits limits() const override { return plane.limits(); }
  plane::PathView view() const override { return plane.view(); }
  void ping(UdpSendQueue& out, Timestamp now) override { plane.ping(out, now); }
  void send_close(std::uint8_t reason, UdpSendQueue& out, Timestamp now) override {
    plane.send_close(reason, out, now);
  }
  void close(std::string_view text, Timestamp now) override { plane.close(text, now); }
  void detach() override { plane.detach(); }
  Timestamp next_delivery() const override { return plane.next_delivery(); }
  bool deliver_due(Forwarder& forwarder, Session& session, Timestamp now) override;

  P plane;
};

}  // namespace qdt::tunnel
