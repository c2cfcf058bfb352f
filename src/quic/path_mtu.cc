#include "quic/path_mtu.h"

#include <algorithm>
#include <bit>

namespace qdt::quic {
namespace {

// The MTUs 1280, 1300, 1360, 1380, 1400, 1420, 1460, 1492 and 1500, less the headers.
constexpr std::uint16_t kSizesV4[] = {1252, 1272, 1332, 1352, 1372, 1392, 1432, 1464, 1472};
constexpr std::uint16_t kSizesV6[] = {1232, 1252, 1312, 1332, 1352, 1372, 1412, 1444, 1452};

// Fewer may be lost by chance: one in 20 is, on a bad path.
constexpr int kMinLost = 4;
// And sent over so much time: one burst of losses is shorter, or takes small packets too.
constexpr Duration kMinTime = 10ms;
constexpr Duration kMaxTime = 100ms;

// For the handshake to be complete and the engine to send its first probe, at least.
constexpr Duration kSearchPatience = 3s;
// The engine waits three times for each size's last probe.
constexpr int kSearchTimeouts = 4;

constexpr int kRoundTimeouts = 2;
constexpr Duration kMinRound = 100ms;
constexpr Duration kFirstRaise = 1min;
// RFC 8899 section 5.1.1, PMTU_RAISE_TIMER.
constexpr Duration kMaxRaise = 10min;

}  // namespace

std::span<const std::uint16_t> PathMtu::sizes(bool is_v4) {
  return is_v4 ? std::span<const std::uint16_t>(kSizesV4) : kSizesV6;
}

void PathMtu::start(bool is_v4, Timestamp now, Duration patience) {
  *this = PathMtu();
  sizes_ = sizes(is_v4);
  since_ = microseconds(now);
  search_ends_ = now + std::max(kSearchPatience, patience);
}

std::size_t PathMtu::class_of(std::size_t bytes) {
  return std::min((bytes - kBaseBytes + kClassBytes - 1) / kClassBytes, kClasses - 1);
}

void PathMtu::on_large_acked(std::size_t bytes, std::uint64_t note) {
  const std::uint64_t sent = note >> kTimeShift;
  const std::size_t size_class = class_of(bytes);
  acked_[size_class] = std::max(acked_[size_class], sent);
  if ((note & kProbeMark) != 0 && sent >= since_ && state_ != State::kTrusting) {
    limit_ = std::max(limit_, bytes);
    has_risen_ = true;
    due_ &= sizes_above(bytes);
    outstanding_ &= sizes_above(bytes);
  }
  if (!is_suspicious_) return;
  for (std::size_t i = 0; i <= size_class; ++i) {
    if (runs_[i].first_sent <= sent) runs_[i] = {};
  }
  is_suspicious_ = std::ranges::any_of(runs_, [](const Run& run) { return run.count > 0; });
}

void PathMtu::on_large_lost(std::size_t bytes, std::uint64_t note) {
  const std::uint64_t sent = note >> kTimeShift;
  if (sent < since_) return;
  if ((note & kProbeMark) != 0) {
    outstanding_ &= ~bit_of(bytes);
    return;
  }
  std::uint64_t acked = 0;
  for (std::size_t i = kClasses - 1; i > class_of(bytes); --i) acked = std::max(acked, acked_[i]);
  for (std::size_t i = class_of(bytes); i > 0; --i) {
    acked = std::max(acked, acked_[i]);
    if (sent <= acked) return;
    Run& run = runs_[i];
    run.first_sent = run.count == 0 ? sent : std::min(run.first_sent, sent);
    run.last_sent = std::max(run.last_sent, sent);
    ++run.count;
    is_suspicious_ = true;
  }
}

void PathMtu::on_heard(std::size_t ceiling, Timestamp now, Duration rtt) {
  if (!is_suspicious_) return;
  ceiling_ = ceiling;
  const Duration least = std::clamp(rtt / 2, kMinTime, kMaxTime);
  const bool is_hole = std::ranges::any_of(runs_, [&](const Run& run) {
    return run.count >= kMinLost && (run.last_sent - run.first_sent) * 1us >= least;
  });
  if (is_hole) step_down(now);
}

void PathMtu::look_again(std::size_t ceiling, Timestamp now) {
  if (state_ == State::kSuspecting || limit_ <= kBaseBytes) return;
  ceiling_ = ceiling;
  step_down(now);
}

void PathMtu::step_down(Timestamp now) {
  state_ = State::kSuspecting;
  limit_ = kBaseBytes;
  since_ = microseconds(now);
  runs_ = {};
  is_suspicious_ = false;
  raise_interval_ = kFirstRaise;
  is_retry_ = false;
  probe(sizes_above(limit_));
}

void PathMtu::on_search_probe(Timestamp now, Duration pto) {
  is_searching_ = true;
  search_ends_ = now + kSearchTimeouts * pto;
}

std::uint32_t PathMtu::sizes_above(std::size_t bytes) const {
  std::uint32_t which = 0;
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    if (sizes_[i] > bytes && sizes_[i] <= ceiling_) which |= 1u << i;
  }
  return which;
}

std::uint32_t PathMtu::bit_of(std::size_t bytes) const {
  const auto found = std::ranges::find(sizes_, bytes);
  return found == sizes_.end() ? 0 : 1u << (found - sizes_.begin());
}

void PathMtu::probe(std::uint32_t which) {
  is_probing_ = true;
  has_risen_ = false;
  due_ = which;
  outstanding_ = 0;
}

// The largest first: those behind it, which come through, tell soon that it was lost.
std::size_t PathMtu::next_probe() const {
  return due_ == 0 ? 0 : sizes_[static_cast<std::size_t>(std::bit_width(due_)) - 1];
}

void PathMtu::on_probe_sent(std::size_t bytes, Timestamp now, Duration pto) {
  due_ &= ~bit_of(bytes);
  outstanding_ |= bit_of(bytes);
  round_ends_ = now + std::max<Duration>(kRoundTimeouts * pto, kMinRound);
}

void PathMtu::trust() {
  state_ = State::kTrusting;
  limit_ = kUnlimited;
  is_probing_ = false;
  due_ = outstanding_ = 0;
}

void PathMtu::draw_conclusions(std::size_t ceiling, Timestamp now) {
  ceiling_ = ceiling;
  const bool has_found_all = !sizes_.empty() && ceiling >= sizes_.back();
  if (has_found_all || now >= search_ends_) is_searching_ = false;
  if (state_ == State::kTrusting) return;
  if (limit_ >= ceiling_) return trust();
  if (due_ != 0 || (outstanding_ != 0 && now < round_ends_)) return;
  if (!is_probing_) {
    is_retry_ = false;
    if (now >= next_raise_) probe(sizes_above(limit_));
    return;
  }

  // The next larger once more, by itself: its probe may have been lost by chance.
  const std::uint32_t larger = sizes_above(limit_);
  const bool is_over = is_retry_ && !has_risen_;
  if (!is_over && larger != 0) {
    probe(is_retry_ ? larger : larger & (~larger + 1));
    is_retry_ = !is_retry_;
    return;
  }
  is_probing_ = false;
  state_ = State::kLowered;
  next_raise_ = now + raise_interval_;
  raise_interval_ = std::min<Duration>(2 * raise_interval_, kMaxRaise);
}

Timestamp PathMtu::next_timeout() const {
  Timestamp next = is_searching_ ? search_ends_ : kNever;
  if (is_probing_ && due_ == 0) next = std::min(next, round_ends_);
  if (state_ == State::kLowered && !is_probing_) next = std::min(next, next_raise_);
  return next;
}

}  // namespace qdt::quic
