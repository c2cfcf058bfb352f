#include "quic/outgoing_bytes.h"

#include <algorithm>
#include <utility>

namespace qdt::quic {

bool OutgoingBytes::add(std::vector<std::uint8_t> bytes) {
  if (bytes.size() > kMaxBytes - size_) return false;
  if (bytes.empty()) return true;
  size_ += bytes.size();
  if (taken_ < pieces_.size()) {
    pieces_.back().insert(pieces_.back().end(), bytes.begin(), bytes.end());
  } else {
    pieces_.push_back(std::move(bytes));
  }
  return true;
}

Bytes OutgoingBytes::take() {
  return taken_ < pieces_.size() ? Bytes(pieces_[taken_++]) : Bytes();
}

void OutgoingBytes::acknowledge(std::uint64_t bytes) {
  while (bytes > 0 && taken_ > 0) {
    const std::size_t left = pieces_.front().size() - acknowledged_;
    const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, left));
    bytes -= now;
    size_ -= now;
    acknowledged_ += now;
    if (now < left) return;
    pieces_.pop_front();
    --taken_;
    acknowledged_ = 0;
  }
}

}  // namespace qdt::quic
