#include "sim/path/window_flow.h"

#include <algorithm>
#include <utility>

namespace qdt::testing {

WindowFlow::WindowFlow(const Options& options, InnerPath& path,
                       std::unique_ptr<Controller> controller, Timestamp start)
    : Flow(options, path),
      controller_(std::move(controller)),
      delivered_at_(start),
      first_sent_(start),
      heard_at_(start),
      next_send_(start) {
  reply_ = {.flow = options.id, .is_acknowledgement = true};
}

void WindowFlow::receive(const FlowHeader& header, Bytes packet, Timestamp now) {
  Flow::receive(header, packet, now);
  if (header.is_acknowledgement) {
    acknowledged(header, now);
  } else {
    arrived(header, is_marked(packet), now);
  }
}

void WindowFlow::arrived(const FlowHeader& header, bool is_marked, Timestamp now) {
  const std::uint64_t expected = has_arrived_ ? reply_.number + 1 : 0;
  const bool is_gap = header.number != expected;
  if (header.number >= expected) {
    const std::uint64_t shift = has_arrived_ ? header.number - reply_.number : 0;
    reply_.arrived = shift < 64 ? reply_.arrived << shift : 0;
    reply_.arrived |= 1;
    reply_.number = header.number;
  } else if (reply_.number - header.number < 64) {
    reply_.arrived |= std::uint64_t{1} << (reply_.number - header.number);
  }
  has_arrived_ = true;
  reply_.sent = header.sent;
  if (is_marked) ++reply_.congestion_marks;
  if (++unacknowledged_ >= 2 || is_gap || is_marked) {
    reply_by_ = now;
  } else {
    reply_by_ = std::min(reply_by_, now + kAcknowledgementDelay);
  }
}

void WindowFlow::acknowledged(const FlowHeader& header, Timestamp now) {
  heard_at_ = now;
  backoff_ = 1;
  const Duration rtt = now - header.sent;
  min_rtt_ = std::min(min_rtt_, rtt);
  srtt_ = srtt_ == Duration(1s) ? rtt : (7 * srtt_ + rtt) / 8;
  for (std::uint64_t age = 0; age < 64 && age <= header.number; ++age) {
    if ((header.arrived >> age & 1) != 0) acknowledge_one(header.number - age, now);
  }
  highest_acknowledged_ = std::max(highest_acknowledged_, header.number);
  if (highest_acknowledged_ >= kReordering) {
    give_up_before(highest_acknowledged_ - kReordering + 1, now);
  }
  while (!window_.empty() && window_.front().is_acknowledged) {
    window_.pop_front();
    ++first_;
  }
  if (header.congestion_marks > marks_seen_) {
    marks_seen_ = header.congestion_marks;
    congestion(now);
  }
}

void WindowFlow::acknowledge_one(std::uint64_t number, Timestamp now) {
  if (number < first_ || number >= next_) return;
  Sent& sent = window_[number - first_];
  if (std::exchange(sent.is_acknowledged, true)) return;
  --in_flight_;
  ++delivered_;
  delivered_at_ = now;
  first_sent_ = std::max(first_sent_, sent.at);

  const Duration interval = std::max(sent.at - sent.first_sent, now - sent.delivered_at);
  Acknowledged acknowledged{
      .rtt = now - sent.at, .min_rtt = min_rtt_, .in_flight = static_cast<double>(in_flight_)};
  if (interval >= min_rtt_) {  // shorter ones measure bursts
    acknowledged.packets_per_second = static_cast<double>(delivered_ - sent.delivered) /
                                      std::chrono::duration<double>(interval).count();
  }
  if (sent.delivered >= round_end_) {
    acknowledged.ends_round = true;
    round_end_ = delivered_;
  }
  controller_->on_acknowledged(acknowledged, now);
}

void WindowFlow::give_up_before(std::uint64_t number, Timestamp now) {
  bool has_lost = false;
  for (; first_ < number && !window_.empty(); ++first_) {
    if (!window_.front().is_acknowledged) {
      --in_flight_;
      has_lost = has_lost || first_ >= recovery_end_;
    }
    window_.pop_front();
  }
  if (has_lost) congestion(now);
}

void WindowFlow::congestion(Timestamp now) {
  if (highest_acknowledged_ < recovery_end_) return;
  recovery_end_ = next_;
  controller_->on_congestion(now);
}

Timestamp WindowFlow::timeout_at() const {
  if (in_flight_ == 0) return kNever;
  return std::max(heard_at_, window_.back().at) +
         backoff_ * std::max<Duration>(kMinTimeout, 2 * srtt_);
}

Timestamp WindowFlow::next_timeout() const {
  const bool may_send = static_cast<double>(in_flight_) < controller_->window_packets();
  return std::min({reply_by_, timeout_at(), may_send ? next_send_ : kNever});
}

void WindowFlow::send(Timestamp now) {
  if (reply_by_ <= now) {
    send_acknowledgement(reply_, now);
    reply_by_ = kNever;
    unacknowledged_ = 0;
  }
  if (timeout_at() <= now) {
    window_.clear();
    first_ = next_;
    in_flight_ = 0;
    recovery_end_ = next_;
    backoff_ = std::min(2 * backoff_, 64);
    controller_->on_silence();
  }
  if (next_send_ > now) return;
  // In groups of half a millisecond's worth, as a kernel's segmentation offload sends.
  const double rate = controller_->packets_per_second();
  while (static_cast<double>(in_flight_) < controller_->window_packets() &&
         next_send_ < now + kPacingQuantum) {
    if (in_flight_ == 0) {
      first_sent_ = now;
      delivered_at_ = now;
    }
    window_.push_back({now, first_sent_, delivered_at_, delivered_});
    ++in_flight_;
    send_packet(next_++, now);
    if (rate > 0) {
      next_send_ = std::max(next_send_, now) + Duration(static_cast<std::int64_t>(1e9 / rate));
    }
  }
}

}  // namespace qdt::testing
