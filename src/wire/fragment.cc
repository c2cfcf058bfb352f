#include "wire/fragment.h"

#include <algorithm>
#include <cstring>

namespace qdt::wire {

struct Reassembler::Store {
  explicit Store(std::size_t bytes) : ring(std::make_unique_for_overwrite<std::uint8_t[]>(bytes)) {}

  std::unique_ptr<std::uint8_t[]> ring;
  std::array<Packet, kMaxPackets> packets;

  Packet& packet(std::size_t index) { return packets[index % kMaxPackets]; }
};

void Reassembler::StoreDeleter::operator()(Store* store) const {
  delete store;
}

std::array<std::uint8_t, kFragmentHeaderBytes> encode_fragment_header(
    const FragmentHeader& header) {
  std::array<std::uint8_t, kFragmentHeaderBytes> bytes;
  store_be<std::uint32_t>(&bytes[0], header.id);
  store_be<std::uint32_t>(&bytes[4], header.offset);
  store_be<std::uint32_t>(&bytes[8], header.total);
  return bytes;
}

std::expected<std::optional<Bytes>, Drop> Reassembler::add(Bytes plaintext, Timestamp now) {
  if (plaintext.size() <= kFragmentHeaderBytes) return std::unexpected(Drop::kBadFragment);
  const FragmentHeader header{.id = load_be<std::uint32_t>(&plaintext[0]),
                              .offset = load_be<std::uint32_t>(&plaintext[4]),
                              .total = load_be<std::uint32_t>(&plaintext[8])};
  const Bytes piece = plaintext.subspan(kFragmentHeaderBytes);
  if (header.total == 0 || header.offset > header.total ||
      piece.size() > header.total - header.offset) {
    return std::unexpected(Drop::kBadFragment);
  }
  if (header.total > max_bytes_) return std::unexpected(Drop::kReassemblyFull);

  Packet* packet = find(header.id);
  if (packet == nullptr) packet = start(header, now);
  std::uint8_t* const memory = store_->ring.get() + packet->at;

  const std::span pieces(packet->pieces.data(), packet->piece_count);
  for (const Piece& other : pieces) {
    const bool is_apart =
        header.offset + piece.size() <= other.offset || header.offset >= other.offset + other.bytes;
    if (is_apart) continue;
    const bool is_repeat = header.offset == other.offset && piece.size() == other.bytes &&
                           std::memcmp(memory + header.offset, piece.data(), piece.size()) == 0;
    if (is_repeat && header.total == packet->total) return std::nullopt;
    give_up(*packet);
    return std::unexpected(Drop::kBadFragment);
  }
  if (header.total != packet->total || packet->piece_count == kMaxPieces) {
    give_up(*packet);
    return std::unexpected(Drop::kBadFragment);
  }

  std::memcpy(memory + header.offset, piece.data(), piece.size());
  packet->pieces[packet->piece_count++] = {header.offset, static_cast<std::uint32_t>(piece.size())};
  packet->received += static_cast<std::uint32_t>(piece.size());
  if (packet->received < packet->total) return std::nullopt;

  const Bytes whole(memory, packet->total);
  give_up(*packet);
  return whole;
}

std::size_t Reassembler::expire(Timestamp now) {
  std::size_t expired = 0;
  for (std::size_t i = first_; i != last_; ++i) {
    Packet& packet = store_->packet(i);
    if (now - packet.started < kTimeout) break;
    if (!packet.is_waiting) continue;
    packet.is_waiting = false;
    --count_;
    ++expired;
  }
  reclaim();
  return expired;
}

Reassembler::Packet* Reassembler::find(std::uint32_t id) {
  // Newest first: the pieces of a packet follow each other.
  for (std::size_t i = last_; i != first_; --i) {
    Packet& packet = store_->packet(i - 1);
    if (packet.is_waiting && packet.id == id) return &packet;
  }
  return nullptr;
}

Reassembler::Packet* Reassembler::start(const FragmentHeader& header, Timestamp now) {
  if (!store_) store_.reset(new Store(max_bytes_));

  std::optional<std::size_t> at = place(header.total);
  while (!at) {
    ++evicted_;
    give_up(store_->packet(first_));
    at = place(header.total);
  }
  Packet& packet = store_->packet(last_++);
  packet.id = header.id;
  packet.total = header.total;
  packet.received = 0;
  packet.at = *at;
  packet.started = now;
  packet.piece_count = 0;
  packet.is_waiting = true;
  ++count_;
  return &packet;
}

std::optional<std::size_t> Reassembler::place(std::size_t bytes) const {
  if (first_ == last_) return 0;
  if (last_ - first_ == kMaxPackets) return std::nullopt;
  // The live part of the ring runs from the oldest packet to the newest one's end, perhaps around
  // the ring's end; a packet lies in one piece.
  const Packet& oldest = store_->packet(first_);
  const Packet& newest = store_->packet(last_ - 1);
  const std::size_t end = newest.at + newest.total;
  const bool is_wrapped = newest.at < oldest.at;
  if (end + bytes <= (is_wrapped ? oldest.at : max_bytes_)) return end;
  if (!is_wrapped && bytes <= oldest.at) return 0;
  return std::nullopt;
}

void Reassembler::give_up(Packet& packet) {
  packet.is_waiting = false;
  --count_;
  reclaim();
}

void Reassembler::reclaim() {
  while (first_ != last_ && !store_->packet(first_).is_waiting) ++first_;
  // From the young end too: packets that come in order behind one that lost a piece then use the
  // same memory again and again, instead of driving the ring round to it.
  while (first_ != last_ && !store_->packet(last_ - 1).is_waiting) --last_;
}

}  // namespace qdt::wire
