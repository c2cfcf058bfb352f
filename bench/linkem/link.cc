#include "linkem/link.h"

#include <algorithm>

namespace qdt::linkem {

Link::Fate Link::send(std::size_t packet_bytes, Timestamp now) {
  if (packet_bytes > options_.max_packet_bytes || is_lost()) return {};

  Timestamp leaves = now;
  if (options_.bits_per_second > 0) {
    const Timestamp begins = std::max(idle_from_, now);
    const double seconds = 8 * static_cast<double>(packet_bytes) / options_.bits_per_second;
    leaves = begins + Duration(static_cast<std::int64_t>(1e9 * seconds));
    // An empty queue takes any packet.
    if (begins > now && leaves - now > options_.queue) return {};
    idle_from_ = leaves;
  }

  const Duration jitter(
      static_cast<std::int64_t>(uniform_(random_) * static_cast<double>(options_.jitter.count())));
  Timestamp arrives = std::max(last_arrival_, leaves + options_.delay + jitter);
  if (happens(options_.reordered)) {
    arrives += options_.reorder_delay;
  } else {
    last_arrival_ = arrives;
  }
  return {happens(options_.duplicated) ? 2 : 1, arrives};
}

// Gilbert's model: a good state that loses nothing and a bad one that loses everything; one packet
// decides whether the state changes before the next.
bool Link::is_lost() {
  if (options_.loss <= 0) return is_losing_ = false;
  if (options_.loss >= 1) return true;
  if (options_.mean_loss_packets <= 1) return happens(options_.loss);
  const double recovers = 1 / options_.mean_loss_packets;
  const double fails = recovers * options_.loss / (1 - options_.loss);
  is_losing_ = is_losing_ ? !happens(recovers) : happens(fails);
  return is_losing_;
}

}  // namespace qdt::linkem
