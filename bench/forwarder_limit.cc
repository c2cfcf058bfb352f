// The limit to measure a tunnel against: packets from a TUN device are cut, sealed once with
// AES-256-GCM and sent as bursts; what arrives is opened, joined and written. The same parts as
// QDT's, and no protocol: one fixed key, no session, no replay window, no queue. Not a VPN.
//
//    qdt_forwarder_limit TUN LOCAL:PORT REMOTE:PORT

#include <array>
#include <cstdio>
#include <string>

#include "base/packet_batch.h"
#include "base/udp_burst.h"
#include "os/clock.h"
#include "os/poller.h"
#include "os/tun_device.h"
#include "os/udp_socket.h"
#include "wire/aead.h"
#include "wire/coalescer.h"
#include "wire/segmenter.h"

namespace qdt {
namespace {

class StandardErrorLogger final : public Logger {
  void write(LogLevel, std::string_view text) override {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
  }
};

enum PollKey { kSocket, kTun };

class Forwarder {
 public:
  Forwarder(os::TunQueue tun, os::UdpSocket socket, os::Poller poller, const UdpPath& path)
      : tun_(std::move(tun)),
        socket_(std::move(socket)),
        poller_(std::move(poller)),
        path_(path),
        coalescer_({.joins_tcp = tun_.offloads().has_tcp, .joins_udp = tun_.offloads().has_udp}) {}

  Result<void> run() {
    if (auto ok = poller_.add(socket_.poll_handle(), kSocket); !ok) return ok;
    if (auto ok = poller_.add(tun_.poll_handle(), kTun); !ok) return ok;
    for (;;) {
      for (const os::PollEvent& event : poller_.wait(kNever, os::now())) {
        if (event.key == kSocket) receive();
        if (event.key == kTun) read();
      }
    }
  }

 private:
  static constexpr std::size_t kCounterBytes = 8;
  static constexpr std::size_t kOverhead = kCounterBytes + wire::kTagBytes;

  static wire::AeadNonce nonce_of(Bytes counter) {
    wire::AeadNonce nonce{};
    append(MutableBytes(nonce).last(kCounterBytes), counter);
    return nonce;
  }

  void read() {
    SuperPacket super;
    for (std::size_t reads = 0; reads < PacketBatch::kMaxPackets && tun_.read(super); ++reads) {
      if (segmenter_.begin(super)) continue;
      bool is_more = true;
      while (is_more) {
        is_more = segmenter_.next(read_);
        for (const Bytes packet : read_) seal(packet);
        read_.clear();
      }
      if (super.bytes.size() > UdpSendQueue::kMaxPayloadBytes) break;
    }
    send();
  }

  void seal(Bytes packet) {
    if (packet.size() + kOverhead > UdpSendQueue::kMaxPayloadBytes) return;
    if (!payloads_.has_room()) send();
    const MutableBytes payload = payloads_.next_payload();
    store_be<std::uint64_t>(payload.data(), ++counter_);
    const Bytes counter = payload.first(kCounterBytes);
    aead_.seal(nonce_of(counter), counter, packet,
               payload.subspan(kCounterBytes, packet.size() + wire::kTagBytes));
    payloads_.push(path_, Ecn::kNotEct, packet.size() + kOverhead);
  }

  void send() {
    while (!payloads_.empty() && socket_.send(payloads_).is_blocked) {
      poller_.watch_writable(socket_.poll_handle(), kSocket, true);
      poller_.wait(kNever, os::now());
      poller_.watch_writable(socket_.poll_handle(), kSocket, false);
    }
  }

  void receive() {
    socket_.receive(received_);
    for (const UdpBurst& burst : received_.bursts()) {
      for_each_payload(burst, [this](Bytes payload) { open(payload); });
    }
    write();
  }

  void open(Bytes payload) {
    if (payload.size() < kOverhead) return;
    if (!packets_.has_room(payload.size())) write();
    const std::size_t bytes = payload.size() - kOverhead;
    const Bytes counter = payload.first(kCounterBytes);
    if (aead_.open(nonce_of(counter), counter, payload.subspan(kCounterBytes),
                   packets_.reserve(bytes))) {
      packets_.commit(bytes);
    }
  }

  void write() {
    tun_.write(coalescer_.join(packets_));
    packets_.clear();
  }

  os::TunQueue tun_;
  os::UdpSocket socket_;
  os::Poller poller_;
  UdpPath path_;
  wire::Segmenter segmenter_;
  wire::Coalescer coalescer_;
  wire::Aead aead_{wire::AeadAlgorithm::kAes256Gcm, std::array<std::uint8_t, 32>{1, 2, 3}};
  PacketBatch read_;
  PacketBatch packets_;
  UdpSendQueue payloads_{1024};
  os::UdpReceiveBatch received_;
  std::uint64_t counter_ = 0;
};

Result<void> run(const std::string& tun_name, const SocketAddress& local,
                 const SocketAddress& remote) {
  StandardErrorLogger logger;
  auto tun = os::TunDevice::open({.name = tun_name}, logger);
  if (!tun) return fail(tun);
  auto socket = os::UdpSocket::open({.local = local, .remote = remote}, logger);
  if (!socket) return fail(socket);
  auto poller = os::Poller::open();
  if (!poller) return fail(poller);
  const UdpPath path{socket->local_address(), remote};
  Forwarder forwarder(std::move(tun->queues.front()), std::move(*socket), std::move(*poller), path);
  return forwarder.run();
}

}  // namespace
}  // namespace qdt

int main(int count, char** arguments) {
  const auto address = [&](int i) {
    const std::string text = i < count ? arguments[i] : "";
    const auto colon = text.rfind(':');
    const auto ip = qdt::IpAddress::parse(text.substr(0, colon));
    const int port = colon == std::string::npos ? 0 : std::atoi(text.c_str() + colon + 1);
    return qdt::SocketAddress{ip.value_or(qdt::IpAddress()), static_cast<std::uint16_t>(port)};
  };
  if (count != 4 || address(2).port == 0 || address(3).port == 0) {
    std::fprintf(stderr, "usage: qdt_forwarder_limit TUN LOCAL:PORT REMOTE:PORT\n");
    return 2;
  }
  const auto ended = qdt::run(arguments[1], address(2), address(3));
  if (!ended) std::fprintf(stderr, "qdt_forwarder_limit: %s\n", ended.error().message.c_str());
  return 1;
}
