#include "support/sim_world.h"

#include <algorithm>

namespace qdt::testing {

void SimWorld::attach(const SocketAddress& address, SimNode& node, const LinkOptions& uplink) {
  nodes_[address] = {.node = &node, .link = uplink};
}

void SimWorld::set_link(const SocketAddress& address, const LinkOptions& uplink) {
  Attachment& attachment = nodes_.at(address);
  const double before = attachment.link.bits_per_second;
  attachment.link = uplink;
  if (attachment.link_free <= now_ || before <= 0) return;
  const double factor = uplink.bits_per_second > 0 ? before / uplink.bits_per_second : 0;
  const auto waiting = static_cast<double>((attachment.link_free - now_).count());
  attachment.link_free = now_ + Duration(static_cast<std::int64_t>(waiting * factor));
}

void SimWorld::share_queue(const SocketAddress& address, const SocketAddress& owner) {
  nodes_.at(address).queue_owner = owner;
}

void SimWorld::set_pauses(const SocketAddress& address, const Pauses& pauses) {
  Attachment& attachment = nodes_.at(address);
  attachment.pauses = pauses;
  attachment.pauses_seed = random_.below(1'000'000'000);
}

Timestamp SimWorld::Attachment::awake(Timestamp time) const {
  if (pauses.every <= Duration::zero() || time == kNever) return time;
  const auto period = time.time_since_epoch() / pauses.every;
  SeededRandom random(pauses_seed + static_cast<std::uint64_t>(period));
  const auto random_duration = [&random](Duration limit) {
    return Duration(
        static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(limit.count()) + 1)));
  };
  const Duration length = random_duration(std::min(pauses.longest, pauses.every));
  const Timestamp begin(period * pauses.every + random_duration(pauses.every - length));
  return time >= begin && time < begin + length ? begin + length : time;
}

Duration SimWorld::queue_delay(const SocketAddress& address) const {
  return nodes_.at(address).queue_delay;
}

Duration SimWorld::backlog(const SocketAddress& address) const {
  const Attachment& attachment = nodes_.at(address);
  const Attachment& queue =
      attachment.queue_owner ? nodes_.at(*attachment.queue_owner) : attachment;
  return std::max(queue.link_free - now_, Duration::zero());
}

void SimWorld::flush() {
  for (auto& [address, attachment] : nodes_) {
    if (attachment.awake(now_) > now_) continue;
    for (bool is_done = false; !is_done;) {
      is_done = attachment.node->send(out_, now_);
      for (const UdpBurst& burst : out_.bursts()) carry(burst);
      out_.clear();
    }
  }
}

bool SimWorld::step(Timestamp end) {
  Timestamp next = arrivals_.empty() ? kNever : arrivals_.top().time;
  for (const auto& [address, attachment] : nodes_) {
    const Timestamp awake = attachment.awake(now_);
    next = std::min(next, awake > now_ ? awake : attachment.awake(attachment.node->next_timeout()));
  }
  if (next > end) {
    now_ = end;
    return false;
  }
  now_ = std::max(now_, next);

  while (!arrivals_.empty() && arrivals_.top().time <= now_) {
    Arrival arrival = arrivals_.top();
    arrivals_.pop();
    const auto receiver = receiver_at(arrival.path.local);
    if (!receiver) continue;
    if (const Timestamp awake = nodes_.at(*receiver).awake(now_); awake > now_) {
      arrival.time = awake;
      arrivals_.push(std::move(arrival));
      continue;
    }
    ++delivered_;
    arrival.path.local = *receiver;
    nodes_.at(*receiver).node->receive(arrival.path, arrival.ecn, arrival.payload, out_, now_);
    for (const UdpBurst& burst : out_.bursts()) carry(burst);
    out_.clear();
  }
  for (auto& [address, attachment] : nodes_) {
    if (attachment.awake(now_) > now_) continue;
    if (attachment.node->next_timeout() <= now_) attachment.node->handle_timeouts(now_);
  }
  flush();
  return true;
}

std::optional<SocketAddress> SimWorld::receiver_at(const SocketAddress& address) const {
  for (const auto& [inside, outside] : translations_) {
    if (outside == address) return inside;
  }
  const bool is_inside = translations_.contains(address);
  return nodes_.contains(address) && !is_inside ? std::optional(address) : std::nullopt;
}

void SimWorld::carry(const UdpBurst& burst) {
  for_each_payload(burst, [&](Bytes payload) { carry(burst.path, burst.ecn, payload); });
}

void SimWorld::carry(const UdpPath& path, Ecn ecn, Bytes payload) {
  const auto sender = nodes_.find(path.local);
  if (sender == nodes_.end()) return;
  Attachment& from = sender->second;
  if (from.link.passes && !from.link.passes(payload)) {
    ++lost_;
    return;
  }
  if (payload.size() > from.link.max_payload_bytes || random_.happens(from.link.loss)) {
    ++lost_;
    return;
  }

  Timestamp leaves = now_;
  Attachment& queue = queue_of(from);
  if (queue.link.bits_per_second > 0) {
    constexpr double kUdpIpBytes = 28;
    const double bits = 8 * (static_cast<double>(payload.size()) + kUdpIpBytes);
    const Duration waiting = std::max(queue.link_free - now_, Duration::zero());
    const double queued_bits =
        std::chrono::duration<double>(waiting).count() * queue.link.bits_per_second;
    if (queued_bits + bits > 8 * static_cast<double>(queue.link.queue_bytes)) {
      ++lost_;
      return;
    }
    from.queue_delay = waiting;
    const Duration sending(static_cast<std::int64_t>(1e9 * bits / queue.link.bits_per_second));
    leaves = std::max(queue.link_free, now_) + sending;
    queue.link_free = leaves;
  }

  Timestamp arrives = leaves + from.link.delay;
  if (random_.happens(from.link.reordered)) arrives += from.link.reorder_delay;
  const auto translation = translations_.find(path.local);
  const UdpPath seen{
      .local = path.remote,
      .remote = translation == translations_.end() ? path.local : translation->second};
  const bool may_be_marked = from.link.marked > 0 && ecn != Ecn::kNotEct;
  if (may_be_marked && random_.happens(from.link.marked)) ecn = Ecn::kCe;
  if (from.link.overwrites) ecn = *from.link.overwrites;
  const int copies = random_.happens(from.link.duplicates) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    arrivals_.push({arrives, order_++, seen, ecn, {payload.begin(), payload.end()}});
  }
}

}  // namespace qdt::testing
