#include "shard/link.h"

#include <utility>

namespace qdt::shard {
namespace {

// Answers to a socket that was replaced: no path is slower.
constexpr Duration kLateAnswers = 10s;

}  // namespace

Result<void> Link::use_socket(os::UdpSocket socket) {
  close_late_socket();
  if (socket_) poller_.remove(socket_->poll_handle());
  payloads_.clear();
  set_blocked(false);
  is_watching_writable_ = false;
  socket_ = std::move(socket);
  if (socket_->has_lost_gro()) counters_.udp_gro_disabled.add();
  return poller_.add(socket_->poll_handle(), key_);
}

Result<void> Link::replace_socket(os::UdpSocket socket, Timestamp now) {
  std::optional<os::UdpSocket> before = std::exchange(socket_, std::nullopt);
  if (before) poller_.remove(before->poll_handle());
  if (auto ok = use_socket(std::move(socket)); !ok || !before) return ok;
  late_socket_ = std::move(before);
  late_until_ = now + kLateAnswers;
  return poller_.add(late_socket_->poll_handle(), late_key());
}

void Link::close_late_socket() {
  if (!late_socket_) return;
  poller_.remove(late_socket_->poll_handle());
  late_socket_.reset();
  late_until_ = kNever;
}

bool Link::handle(const os::PollEvent& event, os::UdpReceiveBatch& batch) {
  if (event.is_writable && event.key == key_) {
    set_blocked(false);
    send();  // what it did not take the last time
  }
  // The connection has moved to its new path, so payloads of the late socket count as that path's.
  is_late_ = event.key == late_key();
  std::optional<os::UdpSocket>& socket = is_late_ ? late_socket_ : socket_;
  if (!event.is_readable || !socket) return false;  // closed since the poller saw it
  socket->receive(batch);
  return true;
}

void Link::send() {
  if (payloads_.empty()) return;
  if (!socket_) return payloads_.clear();
  for (const UdpBurst& burst : payloads_.bursts()) {
    counters_.payload_bytes_sent.add(burst.bytes.size());
  }
  const auto result = socket_->send(payloads_);
  counters_.payloads_sent.add(result.sent_payloads);
  counters_.bursts_sent.add(result.calls);
  if (result.has_lost_gso) counters_.udp_gso_disabled.add();
  if (result.refused_payloads > 0) {
    counters_.drops.count(Drop::kSocketRefused, result.refused_payloads);
  }
  counters_.queued_payloads.set(result.is_blocked ? payloads_.payload_count() : 0);
  if (result.is_blocked != is_watching_writable_) {
    is_watching_writable_ = result.is_blocked;
    poller_.watch_writable(socket_->poll_handle(), key_, result.is_blocked);
  }
  set_blocked(result.is_blocked);
}

void Link::set_blocked(bool is_blocked) {
  is_blocked_ = is_blocked;
  payloads_.set_stalled(is_blocked);
}

}  // namespace qdt::shard
