#include "load/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace qdt::load {
namespace {

double seconds(Duration time) {
  return std::chrono::duration<double>(time).count();
}

double per_second(std::uint64_t count, Duration time) {
  return time > Duration::zero() ? static_cast<double>(count) / seconds(time) : 0;
}

double share_lost(const Report& report) {
  const std::uint64_t asked = report.echoes_sent - report.echoes_given_up;
  return asked == 0 ? 0 : static_cast<double>(report.echoes_lost()) / static_cast<double>(asked);
}

std::string times(const Histogram& histogram) {
  const auto at = [&](double share) { return 1e3 * seconds(histogram.percentile(share)); };
  return fmt::format("p50 {:.2f}, p90 {:.2f}, p99 {:.2f}, most {:.2f} ms", at(0.5), at(0.9),
                     at(0.99), 1e3 * seconds(histogram.most()));
}

nlohmann::ordered_json times_json(const Histogram& histogram) {
  return {{"p50", seconds(histogram.percentile(0.5))},
          {"p90", seconds(histogram.percentile(0.9))},
          {"p99", seconds(histogram.percentile(0.99))},
          {"most", seconds(histogram.most())}};
}

double megabits(std::uint64_t bytes, Duration time) {
  return per_second(8 * bytes, time) / 1e6;
}

}  // namespace

void Report::note(const std::string& reason) {
  const bool is_full = reasons.size() >= kMaxReasons && !reasons.contains(reason);
  ++reasons[is_full ? "other reasons" : reason];
}

std::string to_text(const Report& report) {
  std::string text;
  const auto line = [&text](std::string_view name, const std::string& words) {
    text += fmt::format("{:<12}{}\n", name, words);
  };
  line("clients",
       fmt::format("{} of {} up, {} sessions lost{}", report.up, report.clients, report.lost,
                   report.ramp > Duration::zero()
                       ? fmt::format("; all were up after {:.1f} s", seconds(report.ramp))
                       : "; never all at once"));
  line("handshakes", fmt::format("{} done, {} failed; {}", report.handshakes, report.refused,
                                 times(report.handshake_times)));
  if (report.churned > 0) {
    line("churn",
         fmt::format("{} sessions ended and begun again; {:.1f} handshakes/s", report.churned,
                     per_second(report.measured_handshakes, report.measured)));
  }
  if (report.roamed > 0) line("roaming", fmt::format("{} moves", report.roamed));
  if (report.echoes_sent > 0) {
    line("echoes",
         fmt::format("{} sent, {} answered, {} lost ({:.4f} %)", report.echoes_sent,
                     report.echoes_answered, report.echoes_lost(), 100 * share_lost(report)));
    line("", times(report.echo_times));
    line("goodput",
         fmt::format("{:.2f} Mbit/s up, {:.2f} Mbit/s down in {:.1f} s",
                     megabits(report.bytes_sent, report.measured),
                     megabits(report.bytes_answered, report.measured), seconds(report.measured)));
  }
  for (const auto& [reason, count] : report.reasons) {
    line("error", fmt::format("{} times: {}", count, reason));
  }
  return text;
}

std::string to_json(const Report& report) {
  const nlohmann::ordered_json json = {
      {"clients", report.clients},
      {"up", report.up},
      {"sessions_lost", report.lost},
      {"ramp", seconds(report.ramp)},
      {"measured", seconds(report.measured)},
      {"handshakes",
       {{"done", report.handshakes},
        {"failed", report.refused},
        {"per_second", per_second(report.measured_handshakes, report.measured)},
        {"time", times_json(report.handshake_times)}}},
      {"echoes",
       {{"sent", report.echoes_sent},
        {"answered", report.echoes_answered},
        {"given_up", report.echoes_given_up},
        {"lost", report.echoes_lost()},
        {"time", times_json(report.echo_times)}}},
      {"bits_per_second",
       {{"up", 1e6 * megabits(report.bytes_sent, report.measured)},
        {"down", 1e6 * megabits(report.bytes_answered, report.measured)}}},
      {"churned", report.churned},
      {"roamed", report.roamed},
      {"errors", report.reasons}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace qdt::load
