#include "tunnel/sweep.h"

#include <utility>

#include "tunnel/session.h"

namespace qdt::tunnel {
namespace {

// The value in the middle, and the largest.
void set_samples(std::vector<std::uint64_t>& samples, Counter& median, Counter& maximum) {
  if (samples.empty()) samples.push_back(0);
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::ranges::nth_element(samples, middle);
  median.set(*middle);
  maximum.set(*std::ranges::max_element(samples));
  samples.clear();
}

std::uint64_t microseconds(Duration time) {
  return static_cast<std::uint64_t>(time / 1us);
}

}  // namespace

void SessionSums::add(Session& session, std::uint64_t delivered_bytes) {
  const plane::PathView base = std::as_const(session).base().view();
  const plane::DirectPlane* direct = std::as_const(session).direct();
  heard_at_ = std::max(heard_at_, base.heard_at);
  if (direct != nullptr) heard_at_ = std::max(heard_at_, direct->view().heard_at);
  queued_ += session.queued_packets();
  const bool is_direct = direct != nullptr && direct->is_usable();
  if (is_direct) {
    ++direct_;
    shaped_ += direct->shaper().rate() > 0;
    shaped_rate_ += direct->shaper().rate();
    path_queue_ = std::max(path_queue_, session.take_path_queue());
  }
  asked_rate_ = std::max(asked_rate_, session.send_rate());
  delivered_bytes_ += delivered_bytes;
  queue_delay_ = std::max(queue_delay_, session.take_standing_delay());
  tunnel_mtu_ = std::min(tunnel_mtu_, session.tunnel_mtu());
  // The QUIC connection of a session that has no use for it sees few round trips.
  rtts_.push_back(microseconds(is_direct ? direct->rtt() : base.rtt));
  windows_.push_back(base.window_bytes);
}

void SessionSums::publish(Counters& counters, Duration time) {
  counters.heard_nanoseconds.set(static_cast<std::uint64_t>(heard_at_.time_since_epoch().count()));
  counters.queued_packets.set(queued_);
  counters.direct_sessions.set(direct_);
  counters.shaped_sessions.set(shaped_);
  counters.shaped_bytes_per_second.set(static_cast<std::uint64_t>(shaped_rate_));
  counters.asked_bits_per_second.set(asked_rate_);
  counters.path_queue_max_microseconds.set(microseconds(path_queue_));
  counters.queue_delay_max_microseconds.set(microseconds(queue_delay_));
  counters.tunnel_mtu_min.set(tunnel_mtu_ == SIZE_MAX ? 0 : tunnel_mtu_);
  const double seconds = std::max(std::chrono::duration<double>(time).count(), 0.1);
  counters.delivered_bytes_per_second.set(
      static_cast<std::uint64_t>(static_cast<double>(delivered_bytes_) / seconds));
  set_samples(rtts_, counters.rtt_p50_microseconds, counters.rtt_max_microseconds);
  set_samples(windows_, counters.window_p50_bytes, counters.window_max_bytes);
  // The two vectors keep their memory: the next round is as long.
  queued_ = direct_ = shaped_ = 0;
  shaped_rate_ = 0;
  asked_rate_ = 0;
  path_queue_ = queue_delay_ = {};
  tunnel_mtu_ = SIZE_MAX;
  delivered_bytes_ = 0;
  heard_at_ = {};
}

}  // namespace qdt::tunnel
