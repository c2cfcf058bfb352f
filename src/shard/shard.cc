#include "shard/shard.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "os/clock.h"
#include "os/process.h"
#include "os/sandbox.h"
#include "wire/ip_packet.h"

namespace qdt::shard {
namespace {

// A link takes two keys.
enum PollKey { kTun, kMail, kFirstLink };

constexpr std::size_t kMaxReadsPerTurn = PacketBatch::kMaxPackets;

// Strays are a few at a time or a fault; beyond this many batches they are dropped.
constexpr std::size_t kMaxWaitingMail = 256;

// TCP sends again what waited longer; more than any TUN queue holds.
constexpr Duration kMaxHeldTime = 5s;
constexpr std::size_t kMaxStaleReads = 10000;

wire::Coalescer::Options joining(const os::TunQueue& tun) {
  return {.joins_tcp = tun.offloads().has_tcp, .joins_udp = tun.offloads().has_udp};
}

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

}  // namespace

Result<std::unique_ptr<Shard>> Shard::create(const Options& options, os::TunQueue tun,
                                             const quic::TlsServerContext* server_tls,
                                             tunnel::TunnelEvents& events, Random& random,
                                             tunnel::Counters& counters) {
  auto poller = os::Poller::open();
  if (!poller) return fail(poller);
  auto waker = os::Waker::open();
  if (!waker) return fail(waker);

  std::unique_ptr<Shard> shard(new Shard(options, std::move(tun), std::move(*poller),
                                         std::move(*waker), server_tls, events, random, counters));
  if (auto ok = shard->poller_.add(shard->mailbox_.poll_handle(), kMail); !ok) return fail(ok);
  if (auto ok = shard->watch_tun(); !ok) return fail(ok);
  return shard;
}

Shard::Shard(const Options& options, os::TunQueue tun, os::Poller poller, os::Waker waker,
             const quic::TlsServerContext* server_tls, tunnel::TunnelEvents& events, Random& random,
             tunnel::Counters& counters)
    : options_(options),
      tun_(std::move(tun)),
      poller_(std::move(poller)),
      mailbox_(std::move(waker)),
      counters_(counters),
      link_(options.send_datagram_queue, kFirstLink, poller_, counters),
      backlog_(counters),
      coalescer_(joining(tun_)),
      stray_payloads_(options.tunnel.endpoint.shard_count),
      tunnel_(options.tunnel, server_tls, events, random, counters, link_.payloads()) {}

Result<void> Shard::use_tun(os::TunQueue tun) {
  unwatch_tun();
  tun_ = std::move(tun);
  coalescer_.set_options(joining(tun_));
  return held_since_ ? Result<void>() : watch_tun();
}

Result<void> Shard::watch_tun() {
  if (auto ok = poller_.add(tun_.poll_handle(), kTun); !ok) return ok;
  is_tun_watched_ = true;
  return {};
}

void Shard::unwatch_tun() {
  if (std::exchange(is_tun_watched_, false)) poller_.remove(tun_.poll_handle());
}

void Shard::hold_packets() {
  if (held_since_) return;
  held_since_ = os::now();
  unwatch_tun();
}

void Shard::release_packets(Timestamp now) {
  if (!held_since_) return;
  const bool is_stale = now - *std::exchange(held_since_, std::nullopt) > kMaxHeldTime;
  SuperPacket super;
  for (std::size_t reads = 0; is_stale && reads < kMaxStaleReads && tun_.read(super); ++reads) {
    counters_.drops.count(Drop::kNoSession);
  }
  if (tun_.has_gone()) return;  // use_tun() brings another
  [[maybe_unused]] const auto ok = watch_tun();
  assert(ok);  // it was there before
}

void Shard::run() {
  os::name_thread(options_.thread_name);
  os::sharpen_timers();
  if (options_.is_confined) os::confine_packet_thread();
  while (!is_stopping_) {
    const auto events =
        poller_.wait(std::min(tunnel_.next_timeout(), link_.next_timeout()), os::now());
    const Timestamp begun = os::now();
    Timestamp now = begun;
    for (const os::PollEvent& event : events) {
      // The clock is read once payloads and mail are there: with the time of the turn's begin, what
      // arrived during the system call would seem to have arrived before, be held for longer than
      // it was, and make feedback that tells of it a lie (1 to 5 times in ten seconds of iperf3).
      if (link_.has(event)) {
        if (!link_.handle(event, received_)) continue;
        now = os::now();
        take_payloads(link_, now);
      } else if (event.key == kTun) {
        read_packets(now);
      } else {
        now = take_mail();
      }
    }
    link_.handle_timeout(now);
    if (tunnel_.next_timeout() <= now) tunnel_.handle_timeouts(now);
    flush(now);
    note_turn(begun);
  }
}

void Shard::note_turn(Timestamp begun) {
  const Timestamp end = os::now();
  const Duration longest = longest_turn_.note(end - begun, end);
  counters_.turn_max_microseconds.set(static_cast<std::uint64_t>(longest / 1us));
}

void Shard::stop(tunnel::SessionEnd end, std::string text) {
  post([end, text = std::move(text)](Shard& shard, Timestamp now) {
    shard.tunnel_.close_all(end, text, now);
    shard.is_stopping_ = true;
  });
}

void Shard::take_payloads(const Link& link, Timestamp now) {
  for (const UdpBurst& burst : received_.bursts()) {
    counters_.bursts_received.add();
    counters_.payload_bytes_received.add(burst.bytes.size());
    const UdpPath path = link.path_of(burst);
    for_each_payload(burst, [&](Bytes payload) {
      counters_.payloads_received.add();
      const std::size_t owner = tunnel_.shard_of_payload(payload);
      if (owner == options_.index || owner >= siblings_.size()) {
        receive(path, burst.ecn, payload, now);
        return;
      }
      StrayPayloads& strays = stray_payloads_[owner];
      strays.bytes.insert(strays.bytes.end(), payload.begin(), payload.end());
      strays.entries.push_back({path, burst.ecn, payload.size()});
    });
  }
  hand_over_payloads();
}

void Shard::receive(const UdpPath& path, Ecn ecn, Bytes payload, Timestamp now) {
  if (!tunnel_.has_room()) write_packets();
  tunnel_.receive(path, ecn, payload, now);
}

void Shard::read_packets(Timestamp now) {
  // A turn ends with the super-packet that fills the batch, and soon in any case: the socket waits.
  SuperPacket super;
  bool is_turn_over = false;
  std::size_t read_bytes = 0;
  backlog_.begin_turn(tun_.waiting_bytes(), now);
  for (std::size_t reads = 0; reads < kMaxReadsPerTurn && !is_turn_over; ++reads) {
    if (!tun_.read(super)) break;
    counters_.tun_reads.add();
    read_bytes += super.bytes.size();
    if (const auto drop = segmenter_.begin(super)) {
      counters_.drops.count(*drop);
      continue;
    }
    while (segmenter_.next(read_)) {
      forward_read(now);
      is_turn_over = true;
    }
  }
  backlog_.end_turn(tun_.waiting_bytes(), read_bytes);
  if (tun_.has_gone()) unwatch_tun();  // it would wake us for ever
  forward_read(now);
}

void Shard::forward_read(Timestamp now) {
  counters_.tun_packets_read.add(read_.size());
  tunnel_.forward(read_, [this](MutableBytes packet) { return !backlog_.must_drop(packet); }, now);
  read_.clear();
  hand_over_packets();
}

Timestamp Shard::take_mail() {
  auto mails = mailbox_.take();
  const Timestamp now = os::now();
  for (Mail& mail : mails) {
    std::visit(Overloaded{[&](Task& task) { task(*this, now); },
                          [&](const StrayPayloads& strays) {
                            Bytes rest = strays.bytes;
                            for (const auto& [path, ecn, bytes] : strays.entries) {
                              receive(path, ecn, rest.first(bytes), now);
                              rest = rest.subspan(bytes);
                            }
                          },
                          [&](const StrayPackets& strays) {
                            Bytes rest = strays.bytes;
                            for (const std::size_t bytes : strays.sizes) {
                              tunnel_.forward(rest.first(bytes), now);
                              rest = rest.subspan(bytes);
                            }
                            // Its lease has ended meanwhile: nobody's.
                            for (const Bytes packet : tunnel_.strays()) {
                              tunnel_.drop_unowned(packet);
                            }
                            tunnel_.strays().clear();
                          }},
               mail);
  }
  return now;
}

// First what somebody waits for, in both directions: the engine's own affairs take as long as a
// packet does.
void Shard::flush(Timestamp now) {
  bool is_done = false;
  while (!is_done && !link_.is_blocked()) {
    is_done = tunnel_.send_packets(now);
    link_.send();
  }
  write_packets();
  is_done = false;
  while (!is_done && !link_.is_blocked()) {
    is_done = tunnel_.send(now);
    link_.send();
  }
}

void Shard::write_packets() {
  if (tunnel_.packets().empty()) return;
  const auto joined = coalescer_.join(tunnel_.packets());
  counters_.tun_packets_written.add(tunnel_.packets().size());
  counters_.tun_writes.add(joined.size());
  const std::size_t refused = tun_.write(joined);
  if (refused > 0) counters_.drops.count(Drop::kTunRefused, refused);
  tunnel_.packets().clear();
}

void Shard::hand_over_payloads() {
  for (std::size_t owner = 0; owner < stray_payloads_.size(); ++owner) {
    if (stray_payloads_[owner].entries.empty()) continue;
    StrayPayloads strays = std::exchange(stray_payloads_[owner], {});
    const std::size_t count = strays.entries.size();
    counters_.stray_payloads.add(count);
    if (!siblings_[owner]->offer(std::move(strays), kMaxWaitingMail)) {
      counters_.drops.count(Drop::kQueueFull, count);
    }
  }
}

void Shard::hand_over_packets() {
  if (tunnel_.strays().empty()) return;
  std::vector<StrayPackets> by_owner(siblings_.size());
  for (const Bytes packet : tunnel_.strays()) {
    const auto ip = wire::parse_ip_packet(packet);
    const auto owner = ip ? options_.owner_of_lease(ip->destination) : std::nullopt;
    if (!owner || *owner == options_.index || *owner >= siblings_.size()) {
      tunnel_.drop_unowned(packet);
      continue;
    }
    StrayPackets& strays = by_owner[*owner];
    strays.bytes.insert(strays.bytes.end(), packet.begin(), packet.end());
    strays.sizes.push_back(packet.size());
  }
  tunnel_.strays().clear();

  for (std::size_t owner = 0; owner < by_owner.size(); ++owner) {
    const std::size_t count = by_owner[owner].sizes.size();
    if (count == 0) continue;
    counters_.stray_packets.add(count);
    if (!siblings_[owner]->offer(std::move(by_owner[owner]), kMaxWaitingMail)) {
      counters_.drops.count(Drop::kQueueFull, count);
    }
  }
}

}  // namespace qdt::shard
