#include "tunnel/send_queue.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace qdt::tunnel {

std::uint8_t* PacketPool::take() {
  if (free_.empty()) {
    if (allocated_ >= max_buffers_) return nullptr;
    const std::size_t count = std::min(kSlabBuffers, max_buffers_ - allocated_);
    slabs_.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(count * buffer_bytes_));
    allocated_ += count;
    free_.reserve(allocated_);  // so that give_back() never allocates
    for (std::size_t i = 0; i < count; ++i) free_.push_back(&slabs_.back()[i * buffer_bytes_]);
  }
  std::uint8_t* buffer = free_.back();
  free_.pop_back();
  return buffer;
}

SendQueue::SendQueue(PacketPool& pool, std::size_t max_packets)
    : pool_(pool), max_packets_(max_packets) {}

SendQueue::~SendQueue() {
  while (!empty()) pop();
}

bool SendQueue::push(Bytes packet) {
  if (count_ >= max_packets_ || packet.size() > pool_.buffer_bytes()) return false;
  std::uint8_t* buffer = pool_.take();
  if (buffer == nullptr) return false;

  if (count_ == ring_.size()) {
    std::rotate(ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(first_), ring_.end());
    first_ = 0;
    ring_.resize(std::max<std::size_t>(16, 2 * ring_.size()));
  }
  append({buffer, packet.size()}, packet);
  ring_[(first_ + count_++) & (ring_.size() - 1)] = {buffer, packet.size()};
  return true;
}

Bytes SendQueue::front() const {
  assert(!empty());
  return {ring_[first_].buffer, ring_[first_].bytes};
}

void SendQueue::pop() {
  assert(!empty());
  pool_.give_back(ring_[first_].buffer);
  first_ = (first_ + 1) & (ring_.size() - 1);
  --count_;
}

}  // namespace qdt::tunnel
