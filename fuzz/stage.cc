#include "stage.h"

#include <algorithm>

namespace qdt::fuzz {
namespace {

constexpr Duration kDelay = 5ms;
constexpr std::size_t kRecent = 64;
constexpr int kEventsPerWait = 120;
// A UDP payload in IPv4: 65,535 bytes less both headers.
constexpr std::size_t kMaxPayloadBytes = 65507;

}  // namespace

void Stage::note(Bytes payload) {
  recent_.emplace_back(payload.begin(), payload.end());
  if (recent_.size() > kRecent) recent_.pop_front();
}

void Stage::give(const UdpPath& path, Ecn ecn, Bytes payload) {
  payload = payload.first(std::min(payload.size(), kMaxPayloadBytes));
  note(payload);
  // A copy of its own size, so that a byte read past its end is seen.
  const ByteVector copy(payload.begin(), payload.end());
  target_.receive(path, ecn, copy, out_, now_);
}

void Stage::send_from(TunnelNode& node, bool is_target) {
  for (bool is_done = false; !is_done;) {
    // One whose socket takes nothing is never done.
    is_done = node.send(out_, now_) || out_.empty();
    for (const UdpBurst& burst : out_.bursts()) {
      for_each_payload(burst, [&](Bytes payload) {
        if (is_target) note(payload);
        arrivals_.push({now_ + kDelay,
                        order_++,
                        {.local = burst.path.remote, .remote = burst.path.local},
                        burst.ecn,
                        {payload.begin(), payload.end()}});
      });
    }
    out_.clear();
  }
}

void Stage::settle() {
  send_from(target_, true);
  for (const auto& [address, node] : honest_) send_from(*node, false);
}

void Stage::deliver(const Arrival& arrival) {
  const auto honest = honest_.find(arrival.path.local);
  if (honest != honest_.end()) {
    honest->second->receive(arrival.path, arrival.ecn, arrival.payload, out_, now_);
    return;
  }
  if (honest_.contains(arrival.path.remote)) {
    target_.receive(arrival.path, arrival.ecn, arrival.payload, out_, now_);
    return;
  }
  if (on_hostile && !loses_everything) on_hostile(arrival.path, arrival.ecn, arrival.payload);
}

Timestamp Stage::next_event() {
  Timestamp next = arrivals_.empty() ? kNever : arrivals_.top().time;
  next = std::min(next, target_.next_timeout());
  for (const auto& [address, node] : honest_) next = std::min(next, node->next_timeout());
  return next;
}

bool Stage::run(const std::function<bool()>* done, Duration duration, int events) {
  const Timestamp end = now_ + duration;
  settle();
  while (done == nullptr || !(*done)()) {
    if (next_event() > end) {
      now_ = end;
      return false;
    }
    now_ = events-- > 0 ? std::max(now_, next_event()) : end;
    while (!arrivals_.empty() && arrivals_.top().time <= now_) {
      const Arrival arrival = arrivals_.top();
      arrivals_.pop();
      deliver(arrival);
    }
    if (target_.next_timeout() <= now_) target_.handle_timeouts(now_);
    for (const auto& [address, node] : honest_) {
      if (node->next_timeout() <= now_) node->handle_timeouts(now_);
    }
    settle();
    if (now_ >= end && next_event() <= now_ && events < -kEventsPerWait) return false;
  }
  return true;
}

void Stage::advance(Duration duration) {
  run(nullptr, duration, kEventsPerWait);
}

bool Stage::advance_until(const std::function<bool()>& done, Duration longest) {
  return run(&done, longest, 4 * kEventsPerWait);
}

}  // namespace qdt::fuzz
