#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/ip_address.h"
#include "base/logger.h"
#include "base/result.h"
#include "base/udp_burst.h"
#include "os/poller.h"

namespace qdt::os {

/// The payloads of one receive(): a few bursts in memory that is allocated once. One thread.
class UdpReceiveBatch {
 public:
  static constexpr std::size_t kMaxBursts = 32;
  UdpReceiveBatch();
  ~UdpReceiveBatch();

  /// Valid until the next receive().
  std::span<const UdpBurst> bursts() const { return {bursts_.data(), count_}; }

 private:
  friend class UdpSocket;
  struct Messages;

  std::unique_ptr<Messages> messages_;
  std::array<UdpBurst, kMaxBursts> bursts_;
  std::size_t count_ = 0;
  std::size_t received_ = 0;  // messages of the latest call, the unusable ones included
};

/// Work on bursts that the kernel does in one piece, some of it in hardware.
struct UdpOffloads {
  bool gso = true;  ///< cuts what is sent (UDP_SEGMENT)
  bool gro = true;  ///< joins what has arrived (UDP_GRO)
  bool operator==(const UdpOffloads&) const = default;
};

/// A non-blocking UDP socket that reads and writes bursts. One thread.
class UdpSocket {
 public:
  struct Options {
    SocketAddress local;  ///< unspecified IPv6 takes IPv4 too, where the host has both
    /// The only peer, for a client: the kernel then picks the local address, and tells when the
    /// peer's port is closed.
    std::optional<SocketAddress> remote;
    /// Sockets of one group share a port; the kernel spreads arrivals over them.
    bool is_shared = false;
    /// Firewall mark of everything sent (needs CAP_NET_ADMIN); 0: none.
    std::uint32_t mark = 0;
    /// Wanted kernel buffers, each way; what the host refuses is left at its limit.
    std::size_t buffer_bytes = 7 << 20;
    /// Wanted; what a host refuses is switched off, with one log line.
    UdpOffloads offloads = {};
  };

  static Result<UdpSocket> open(const Options& options, Logger& logger);
  UdpSocket(UdpSocket&&) noexcept;
  UdpSocket& operator=(UdpSocket&&) noexcept;
  ~UdpSocket();

  /// Makes `remote` the only peer from now on, as if it had been one of the options; the port and
  /// what has arrived stay.
  Result<void> connect(const SocketAddress& remote);

  /// Fills `batch` with what has arrived; none when nothing has.
  void receive(UdpReceiveBatch& batch);

  struct SendResult {
    std::size_t sent_payloads = 0;
    std::size_t calls = 0;             ///< pieces in which the kernel took them
    std::size_t refused_payloads = 0;  ///< the kernel would not have them: given up
    bool is_blocked = false;           ///< the rest waits until the socket is writable
    bool has_lost_gso = false;         ///< refused by now; payloads go out one by one
  };
  /// Sends and pops what it can from the front of `queue`.
  SendResult send(UdpSendQueue& queue);

  /// Whether UDP_GRO was wanted, and refused: payloads arrive one by one.
  bool has_lost_gro() const;
  /// With the port that the kernel chose where 0 was asked for, and the address where there is a
  /// remote.
  SocketAddress local_address() const;
  PollHandle poll_handle() const;

 private:
  struct State;
  explicit UdpSocket(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace qdt::os
