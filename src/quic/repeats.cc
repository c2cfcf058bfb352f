#include "quic/repeats.h"

#include <utility>

#include "base/mix.h"

namespace qdt::quic {

bool Repeats::came_before(const SocketAddress& from, const ConnectionId& id, Timestamp now) {
  if (now >= turn_ends_) begin_turn(now);
  std::uint64_t hash = mix(seed_ + from.port);
  hash = mix(hash ^ std::hash<IpAddress>{}(from.address));
  hash = mix(hash ^ std::hash<ConnectionId>{}(id));
  const bool is_repeat = current_.has(hash) || previous_.has(hash);
  current_.add(hash);
  return is_repeat;
}

void Repeats::begin_turn(Timestamp now) {
  std::swap(current_, previous_);
  current_.clear();
  if (now >= turn_ends_ + kTurn) previous_.clear();  // that was long ago, or never
  turn_ends_ = now + kTurn;
}

void Repeats::Filter::add(std::uint64_t hash) {
  for (const std::uint64_t at : {hash, hash >> 32}) {
    words_[at % kBits / 64] |= std::uint64_t{1} << (at % 64);
  }
}

}  // namespace qdt::quic
