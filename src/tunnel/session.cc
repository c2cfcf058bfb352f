#include "tunnel/session.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "wire/ecn.h"
#include "wire/flow_hash.h"

namespace qdt::tunnel {

using plane::Step;

namespace {

access::SharedRate* shared_rate(const SessionOptions& options, bool is_up) {
  if (options.account == nullptr) return nullptr;
  return is_up ? &options.account->rate_up() : &options.account->rate_down();
}

}  // namespace

Session::Session(const SessionOptions& options, std::unique_ptr<BasePlane> base, PacketPool& pool,
                 Counters& counters, Attention<Session>& attention, Timestamp now)
    : reassembler(options.max_reassembly_bytes),
      last_packet(now),
      options_(options),
      attention_(attention),
      opened_at_(now),
      told_at_(now),
      send_limit_(options.rate_limit, now),
      receive_limit_(options.rate_limit, now),
      send_share_(shared_rate(options, options.role == Role::kClient), options.account_rate),
      receive_share_(shared_rate(options, options.role == Role::kServer), options.account_rate),
      base_(std::move(base)),
      queue_(pool,
             {.max_packets = options.send_queue, .quantum_bytes = options.mtu, .seed = options.id},
             counters),
      limits_(now) {
  use_bits(options.account_bits, now);
  note_limits();
  note_change();
}

Session::~Session() {
  attention_.forget(*this);
  if (options_.account != nullptr) options_.account->parts_up().replace(use_, {});
}

void Session::use_limits(const access::UserLimits& limits, Timestamp now) {
  if (limits.session_rate != options_.rate_limit) {
    send_limit_.use(limits.session_rate, now);
    receive_limit_.use(limits.session_rate, now);
  }
  options_.rate_limit = limits.session_rate;
  if (limits.rate != options_.account_rate) {
    send_share_ = {shared_rate(options_, options_.role == Role::kClient), limits.rate};
    receive_share_ = {shared_rate(options_, options_.role == Role::kServer), limits.rate};
  }
  options_.account_rate = limits.rate;
  if (limits.bits != options_.account_bits) use_bits(limits.bits, now);
}

// A server's: a client's user is the server's affair.
void Session::use_bits(const access::BitRates& bits, Timestamp now) {
  options_.account_bits = bits;
  if (options_.role != Role::kServer || options_.account == nullptr) return;
  send_bytes_ = {&options_.account->bytes_down(), bits.down};
  queue_.use_rate(static_cast<double>(bits.down) / 8);
  policer_ = {&options_.account->bytes_up(), bits.up};
  const bool had_rate = std::exchange(peer_rate_, 0) > 0;
  divide_rate(use_, now);
  if (had_rate && peer_rate_ == 0) is_peer_rate_told_ = false;
  note_change();
}

void Session::use_send_rate(std::uint64_t bits_per_second) {
  send_rate_ = bits_per_second;
  send_bytes_ = {&own_bytes_, bits_per_second};
  queue_.use_rate(static_cast<double>(bits_per_second) / 8);
  note_change();
}

// The peer hears of small differences only when they add up, and gets more by steps: others may be
// silent for a moment alone. What was sent too soon is paid for within the next second.
void Session::divide_rate(const access::RateParts::Use& use, Timestamp now) {
  access::RateParts& parts = options_.account->parts_up();
  parts.replace(std::exchange(use_, use), use);
  const double owed = std::chrono::duration<double>(policer_.owed(now)).count();
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(options_.account_bits.up) / 8 *
                                               std::max(1 - owed, 0.5));
  std::uint64_t part = rate == 0 ? 0 : parts.part(rate, use) * 8;
  if (peer_rate_ > 0) part = std::min(part, peer_rate_ * 2);
  const std::uint64_t difference = part > peer_rate_ ? part - peer_rate_ : peer_rate_ - part;
  const bool is_news = (part == 0) != (peer_rate_ == 0) || difference > peer_rate_ / 32;
  if (!is_news) return;
  peer_rate_ = part;
  is_peer_rate_told_ = false;
}

std::optional<std::uint64_t> Session::take_peer_rate() {
  if (std::exchange(is_peer_rate_told_, true)) return std::nullopt;
  return peer_rate_;
}

bool Session::keeps_to_rate(MutableBytes packet, Timestamp now) {
  switch (policer_.judge(packet.size(), now)) {
    case Policer::Verdict::kPass: return true;
    case Policer::Verdict::kSlowDown: return wire::mark_congestion(packet);
    case Policer::Verdict::kDrop: break;
  }
  return false;
}

bool Session::send(const wire::IpPacket& packet, UdpSendQueue& out, Timestamp now) {
  if (takes_batches()) return send_batch({&packet.bytes, 1}, out, now) == 0;
  note_change();
  const bool waits = is_blocked_ || !queue_.empty() || !is_direct() || send_bytes_.is_limited();
  if (waits) return push(packet, now);

  note_step(direct_->send(packet.bytes, cut_, out, now), now);
  cut_.sealed_bytes = 0;
  credit_ = 0;  // nobody waited
  if (cut_.offset < packet.bytes.size()) return push(packet, now);
  cut_.offset = 0;  // sent, or sealed and waiting
  return true;
}

std::size_t Session::send_batch(std::span<const Bytes> packets, UdpSendQueue& out, Timestamp now) {
  assert(takes_batches());
  note_change();
  PacketSource source(packets, cut_);
  note_step(base_->send(source, out, now), now);
  credit_ = 0;
  std::size_t dropped = 0;
  for (const Bytes packet : source.rest()) dropped += !push(*wire::parse_ip_packet(packet), now);
  return dropped;
}

// Queues a packet, whether it was begun or not.
bool Session::push(const wire::IpPacket& packet, Timestamp now) {
  const bool is_begun = queue_.empty() && cut_.offset > 0;
  const bool has_room = queue_.push(packet.bytes, wire::flow_hash(packet), now);
  if (!is_begun) return has_room;
  if (has_room) {
    queue_.front(now);  // its turn goes on, whatever comes meanwhile
  } else {
    cut_.offset = 0;
  }
  return has_room;
}

// A plane that takes no more keeps packets in the queue until flush() has got on.
void Session::note_step(Step step, Timestamp now) {
  is_blocked_ = step != Step::kDone;
  switch (step) {
    case Step::kDone: break;
    case Step::kFull: limits_.set(SendLimit::kSocket, now); break;
    case Step::kBlocked: {
      const bool is_window_full = !is_direct() && base_->view().is_window_full;
      limits_.set(is_window_full ? SendLimit::kWindow : SendLimit::kPacing, now);
    }
  }
}

void Session::note_limits() {
  packet_limits_ = base_->limits();
  const bool is_up = cuts_packets() || whole_packet_bytes() >= wire::kMinIpv6Mtu;
  carries_ipv6_ = is_up || (carries_ipv6_ && tunnel_mtu() >= wire::kMinIpv6Mtu);
}

Session::Progress Session::flush(std::size_t turn_bytes, UdpSendQueue& out, Timestamp now) {
  note_change();
  if (direct_) queue_.pause_dropping(is_direct() && direct_->shaper().should_pause_dropping());
  if (credit_ <= 0) credit_ += static_cast<std::int64_t>(turn_bytes);

  Step step = send_queued(out, now);
  if (step == Step::kDone && queue_.empty()) limits_.set(SendLimit::kApplication, now);
  const bool is_turn_over = step == Step::kDone && !queue_.empty();
  const bool is_waiting = is_turn_over || step == Step::kFull;
  if (!is_waiting) credit_ = 0;
  if (direct_) {
    // Its own frames, and what it wants to know of the base plane.
    if (direct_->flush(out, now) == Step::kFull) step = Step::kFull;
    if (direct_->take_quic_question()) ping_by_base(out, now);
  }
  note_limits();
  switch (step) {
    case Step::kBlocked: return Progress::kBlocked;
    case Step::kFull: return Progress::kFull;
    default: return is_turn_over ? Progress::kTurnOver : Progress::kIdle;
  }
}

Step Session::send_queued(UdpSendQueue& out, Timestamp now) {
  PacketSource source(queue_, credit_, send_bytes_, cut_);
  // The base plane's own frames do not wait for packets, and packets of the direct plane do not
  // wait for a base plane that takes no more.
  const Step said = base_->flush(out, now);
  Step step = said;
  if (is_direct()) {
    step = source.send_by(*direct_, out, now);
  } else if (said == Step::kDone && !queue_.empty()) {
    step = options_.needs_direct ? Step::kBlocked : base_->send(source, out, now);
    if (step == Step::kDone) step = base_->flush(out, now);
  }
  note_step(step, now);
  is_held_back_ = step == Step::kDone && !queue_.empty() && !send_bytes_.may_send(now);
  if (is_held_back_) {
    is_blocked_ = true;
    limits_.set(SendLimit::kUser, now);
  }
  if (step == Step::kDone && said == Step::kFull) return said;
  return is_held_back_ ? Step::kBlocked : step;
}

void Session::ping_by_base(UdpSendQueue& out, Timestamp now) {
  note_change();
  base_->ping(out, now);
}

access::Traffic Session::traffic() const {
  access::Traffic traffic = traffic_;
  (options_.role == Role::kServer ? traffic.down : traffic.up).drops += queue_.dropped();
  return traffic;
}

Timestamp Session::heard_at() const {
  const Timestamp base = std::max(base_->view().heard_at, opened_at_);
  return direct_ ? std::max(base, direct_->view().heard_at) : base;
}

void Session::tell_account(Timestamp now) {
  const access::Traffic all = traffic();
  const access::Traffic fresh = all - told_;
  const auto milliseconds =
      static_cast<std::uint64_t>(std::max<Duration>(now - told_at_, 1ms) / 1ms);
  rates_ = {.up = fresh.up.bytes * 1000 / milliseconds,
            .down = fresh.down.bytes * 1000 / milliseconds};
  told_at_ = now;
  const Timestamp heard = options_.meter != nullptr ? heard_at() : seen_at_;
  if (heard > std::exchange(seen_at_, heard)) options_.meter->see();
  const bool has_parts = options_.account_bits.up > 0 && options_.account != nullptr;
  if (has_parts) {
    divide_rate({.rate = rates_.up, .is_wanting = rates_.up >= peer_rate_ / 32 * 3}, now);
  }
  if (all == told_) return;
  if (options_.account != nullptr) options_.account->add(fresh);
  if (options_.meter != nullptr) options_.meter->add(fresh.up.bytes, fresh.down.bytes);
  told_ = all;
}

std::uint64_t Session::take_delivered_bytes() {
  const std::uint64_t delivered =
      base_->view().delivered_bytes + (direct_ ? direct_->view().delivered_bytes : 0);
  const std::uint64_t before = std::min(counted_delivered_bytes_, delivered);
  counted_delivered_bytes_ = delivered;
  return delivered - before;
}

void Session::send_close(SessionEnd reason, UdpSendQueue& out, Timestamp now) {
  base_->send_close(static_cast<std::uint8_t>(reason), out, now);
}

}  // namespace qdt::tunnel
