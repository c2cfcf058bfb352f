// Congestion controllers of the simulated inner and competing senders.

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/path/window_flow.h"

namespace qdt::testing {
namespace {

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

class Cubic final : public Controller {
 public:
  void on_acknowledged(const Acknowledged& acknowledged, Timestamp now) override {
    if (acknowledged.ends_round) {
      round_rtt_ = Duration::max();
      round_samples_ = 0;
    }
    if (window_ < threshold_) {
      window_ += acknowledged.packets;
      watch_delay(acknowledged);
      return;
    }
    if (epoch_ == kNever) {
      epoch_ = now;
      largest_ = std::max(largest_, window_);
      plateau_ = std::cbrt((largest_ - window_) / kC);
      reno_ = window_;
    }
    const double t = seconds(now - epoch_) + seconds(acknowledged.rtt) - plateau_;
    const double target = std::clamp(kC * t * t * t + largest_, window_, 1.5 * window_);
    window_ += acknowledged.packets * (target - window_) / window_;
    reno_ += acknowledged.packets * 3 * (1 - kBeta) / (1 + kBeta) / reno_;
    window_ = std::max(window_, reno_);
  }
  void on_congestion(Timestamp) override {
    largest_ = window_ < largest_ ? window_ * (1 + kBeta) / 2 : window_;
    window_ = std::max(2.0, kBeta * window_);
    threshold_ = window_;
    epoch_ = kNever;
  }
  void on_silence() override {
    threshold_ = std::max(2.0, kBeta * window_);
    window_ = 1;
    epoch_ = kNever;
  }
  double window_packets() const override { return window_; }

 private:
  // HyStart: a round's first packets were late already, so a queue stands.
  void watch_delay(const Acknowledged& acknowledged) {
    constexpr int kSamples = 8;
    if (round_samples_ >= kSamples) return;
    round_rtt_ = std::min(round_rtt_, acknowledged.rtt);
    const Duration growth = std::clamp<Duration>(acknowledged.min_rtt / 8, 4ms, 16ms);
    const bool is_late = round_rtt_ > acknowledged.min_rtt + growth;
    if (++round_samples_ == kSamples && is_late && window_ > 16) threshold_ = window_;
  }

  static constexpr double kC = 0.4;
  static constexpr double kBeta = 0.7;

  double window_ = 10;
  double threshold_ = 1e9;
  double largest_ = 0;  // when packets were last lost
  double plateau_ = 0;  // seconds until it is that again
  double reno_ = 0;
  Timestamp epoch_ = kNever;
  Duration round_rtt_ = Duration::max();
  int round_samples_ = 0;
};

class Bbr final : public Controller {
 public:
  void on_acknowledged(const Acknowledged& acknowledged, Timestamp now) override {
    min_rtt_ = acknowledged.min_rtt;
    if (acknowledged.ends_round) {
      round_ = (round_ + 1) % rates_.size();
      rates_[round_] = 0;
      if (state_ == State::kStartup) end_startup_when_full();
    }
    rates_[round_] = std::max(rates_[round_], acknowledged.packets_per_second);

    if (state_ == State::kDrain && acknowledged.in_flight <= bandwidth_delay_packets()) {
      state_ = State::kSteady;
      turn_start_ = now;
    }
    if (state_ == State::kSteady && now - turn_start_ > min_rtt_) {
      turn_ = (turn_ + 1) % kGains.size();
      turn_start_ = now;
    }
  }
  void on_congestion(Timestamp) override {}
  void on_silence() override {}
  double window_packets() const override {
    if (rate() <= 0) return 10;
    return std::max(4.0, (state_ == State::kSteady ? 2.0 : kHighGain) * bandwidth_delay_packets());
  }
  double packets_per_second() const override {
    if (state_ == State::kStartup) return kHighGain * rate();
    return (state_ == State::kDrain ? 1 / kHighGain : kGains[turn_]) * rate();
  }

 private:
  enum class State { kStartup, kDrain, kSteady };
  static constexpr double kHighGain = 2.885;
  static constexpr std::array<double, 8> kGains{1.25, 0.75, 1, 1, 1, 1, 1, 1};

  double rate() const { return *std::ranges::max_element(rates_); }
  double bandwidth_delay_packets() const { return rate() * seconds(min_rtt_); }
  void end_startup_when_full() {
    if (rate() > 1.25 * full_rate_) {
      full_rate_ = rate();
      flat_rounds_ = 0;
      return;
    }
    if (++flat_rounds_ >= 3) state_ = State::kDrain;
  }

  State state_ = State::kStartup;
  std::array<double, 10> rates_{};
  std::size_t round_ = 0;
  Duration min_rtt_{};
  double full_rate_ = 0;
  int flat_rounds_ = 0;
  std::size_t turn_ = 2;
  Timestamp turn_start_;
};

}  // namespace

std::unique_ptr<Controller> make_cubic() {
  return std::make_unique<Cubic>();
}

std::unique_ptr<Controller> make_bbr() {
  return std::make_unique<Bbr>();
}

}  // namespace qdt::testing
