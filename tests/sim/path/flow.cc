#include "sim/path/flow.h"

#include <algorithm>
#include <utility>

namespace qdt::testing {
namespace {

// The size of a TCP acknowledgement with timestamps and one SACK block.
constexpr std::size_t kAcknowledgementBytes = 76;

}  // namespace

void FlowHeader::write(MutableBytes packet) const {
  std::uint8_t* to = &packet[kOffset];
  store_be<std::uint32_t>(to, flow);
  to[4] = is_acknowledgement ? 1 : 0;
  store_be<std::uint64_t>(to + 8, number);
  store_be<std::uint64_t>(to + 16, static_cast<std::uint64_t>(sent.time_since_epoch().count()));
  store_be<std::uint64_t>(to + 24, arrived);
  store_be<std::uint64_t>(to + 32, congestion_marks);
}

FlowHeader FlowHeader::read(Bytes packet) {
  const std::uint8_t* from = &packet[kOffset];
  const auto sent = static_cast<std::int64_t>(load_be<std::uint64_t>(from + 16));
  return {.flow = load_be<std::uint32_t>(from),
          .is_acknowledgement = from[4] != 0,
          .number = load_be<std::uint64_t>(from + 8),
          .sent = Timestamp(Duration(sent)),
          .arrived = load_be<std::uint64_t>(from + 24),
          .congestion_marks = load_be<std::uint64_t>(from + 32)};
}

void Flow::receive(const FlowHeader& header, Bytes packet, Timestamp now) {
  if (header.is_acknowledgement) return;
  if (now >= from_ && now < to_) figures_.delivered_bytes += packet.size();
  if (header.sent < from_ || header.sent >= to_) return;
  ++figures_.delivered_packets;
  figures_.delays.push_back(now - header.sent);
  const auto second = static_cast<std::size_t>((header.sent - from_) / 1s);
  if (figures_.delivered_bytes_by_second.size() <= second) {
    figures_.delivered_bytes_by_second.resize(second + 1);
  }
  figures_.delivered_bytes_by_second[second] += packet.size();
}

void Flow::send_packet(std::uint64_t number, Timestamp now) {
  if (now >= from_ && now < to_) ++figures_.sent_packets;
  send_out({.flow = options_.id, .number = number, .sent = now}, options_.direction,
           options_.packet_bytes, now);
}

void Flow::send_acknowledgement(const FlowHeader& header, Timestamp now) {
  send_out(header, opposite(options_.direction), kAcknowledgementBytes, now);
}

void Flow::send_out(const FlowHeader& header, Direction direction, std::size_t bytes,
                    Timestamp now) {
  const bool is_up = direction == Direction::kUp;
  packet_ = udp_packet(is_up ? path_.client_host() : kInternet,
                       is_up ? kInternet : path_.client_host(), bytes);
  if (options_.ecn && !header.is_acknowledgement) packet_[1] = 0x02;  // ECT(0)
  const auto port = static_cast<std::uint16_t>(1024 + options_.id);
  store_be<std::uint16_t>(&packet_[20], port);
  store_be<std::uint16_t>(&packet_[22], port);
  store_be<std::uint16_t>(&packet_[24], static_cast<std::uint16_t>(bytes - 20));
  header.write(packet_);
  path_.send(direction, packet_, now);
}

PhasedFlow::PhasedFlow(const Options& options, InnerPath& path, std::vector<Phase> phases,
                       Timestamp start)
    : Flow(options, path), phases_(std::move(phases)), phase_start_(start), next_(start) {}

void PhasedFlow::send(Timestamp now) {
  if (now < next_) return;
  for (; owed_packets_ >= 1; --owed_packets_) send_packet(number_++, now);

  const Phase& phase = phases_[phase_];
  const Timestamp phase_end = phase_start_ + phase.duration;
  const double per_second =
      1e6 * phase.megabits_per_second / (8 * static_cast<double>(options().packet_bytes));
  const Duration gap =
      per_second <= 0 ? phase.duration
                      : std::max(kMinGap, Duration(static_cast<std::int64_t>(1e9 / per_second)));
  if (next_ + gap >= phase_end) {
    next_ = phase_start_ = phase_end;
    phase_ = (phase_ + 1) % phases_.size();
    owed_packets_ = phases_[phase_].megabits_per_second > 0 ? 1 : 0;
    return;
  }
  owed_packets_ += per_second * std::chrono::duration<double>(gap).count();
  next_ += gap;
}

}  // namespace qdt::testing
