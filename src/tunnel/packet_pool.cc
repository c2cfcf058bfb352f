#include "tunnel/packet_pool.h"

#include <algorithm>
#include <new>

namespace qdt::tunnel {

PacketPool::PacketPool(std::size_t max_packet_bytes, std::size_t max_packets)
    : max_packet_bytes_(max_packet_bytes),
      stride_((sizeof(QueuedPacket) + max_packet_bytes + alignof(std::max_align_t) - 1) /
              alignof(std::max_align_t) * alignof(std::max_align_t)),
      max_packets_(max_packets) {}

QueuedPacket* PacketPool::take() {
  if (free_ == nullptr && !make_room()) return nullptr;
  QueuedPacket* packet = free_;
  free_ = packet->next;
  packet->next = nullptr;
  return packet;
}

bool PacketPool::make_room() {
  const std::size_t count = std::min(kSlabPackets, max_packets_ - allocated_);
  if (count == 0) {
    if (auto* const holder = static_cast<Holder*>(lengths_.longest())) holder->give_way();
    return free_ != nullptr;
  }
  slabs_.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(count * stride_));
  allocated_ += count;
  for (std::size_t i = 0; i < count; ++i) {
    give_back(new (&slabs_.back()[i * stride_]) QueuedPacket);
  }
  return true;
}

void PacketPool::give_back(QueuedPacket* packet) {
  packet->next = free_;
  free_ = packet;
}

}  // namespace qdt::tunnel
