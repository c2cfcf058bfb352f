#include "ops/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "base/drop.h"
#include "os/process_usage.h"
#include "wire/handshake.h"

namespace qdt::ops {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using tunnel::Counters;

using Labels = std::vector<ClientMetric::Label>;

struct Sample {
  Labels labels;
  double value = 0;
};

MetricFamily family(std::string_view name, std::string_view help, MetricType type,
                    const std::vector<Sample>& samples) {
  MetricFamily family{.name = std::string(name), .help = std::string(help), .type = type};
  for (const Sample& sample : samples) {
    ClientMetric metric;
    metric.label = sample.labels;
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = sample.value;
    family.metric.push_back(std::move(metric));
  }
  return family;
}

MetricFamily counter(std::string_view name, std::string_view help,
                     const std::vector<Sample>& samples) {
  return family(name, help, MetricType::Counter, samples);
}

MetricFamily gauge(std::string_view name, std::string_view help,
                   const std::vector<Sample>& samples) {
  return family(name, help, MetricType::Gauge, samples);
}

Sample sample(double value) {
  return {{}, value};
}

Sample sample(std::string label, std::string_view value, std::uint64_t count) {
  return {{{std::move(label), std::string(value)}}, static_cast<double>(count)};
}

using Field = Counter Counters::*;

/// The sums over shards. A number for each shard is given only where one shard's trouble would
/// drown in the sum: four families, so a server with 64 shards has 256 series of them.
class Shards {
 public:
  explicit Shards(const std::vector<const Counters*>& shards) : shards_(shards) {}

  std::uint64_t sum(Field field) const {
    std::uint64_t total = 0;
    for (const Counters* shard : shards_) total += (shard->*field).value();
    return total;
  }

  std::uint64_t sum(Drop drop) const {
    std::uint64_t total = 0;
    for (const Counters* shard : shards_) total += shard->drops.value(drop);
    return total;
  }

  std::vector<Sample> both(std::string_view label, std::string_view first, Field first_field,
                           std::string_view second, Field second_field) const {
    return {sample(std::string(label), first, sum(first_field)),
            sample(std::string(label), second, sum(second_field))};
  }

  std::vector<Sample> each(std::initializer_list<Field> fields) const {
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      std::uint64_t total = 0;
      for (const Field field : fields) total += (shards_[i]->*field).value();
      samples.push_back(sample("shard", std::to_string(i), total));
    }
    return samples;
  }

  /// The least that is not 0; no sample where there is none.
  std::vector<Sample> least(Field field) const {
    std::uint64_t least = UINT64_MAX;
    for (const Counters* shard : shards_) {
      const std::uint64_t value = (shard->*field).value();
      if (value > 0) least = std::min(least, value);
    }
    if (least == UINT64_MAX) return {};
    return {sample(static_cast<double>(least))};
  }

  std::uint64_t max(Field field) const {
    std::uint64_t maximum = 0;
    for (const Counters* shard : shards_) maximum = std::max(maximum, (shard->*field).value());
    return maximum;
  }

  /// The mean of the shards' medians, weighted by sessions, and the maximum.
  std::vector<Sample> spread(Field median, Field maximum, double unit) const {
    std::uint64_t sessions = 0;
    double weighted_medians = 0;
    for (const Counters* shard : shards_) {
      const std::uint64_t count = shard->sessions.value();
      sessions += count;
      weighted_medians +=
          static_cast<double>(count) * static_cast<double>((shard->*median).value());
    }
    if (sessions == 0) return {};  // no sample rather than an RTT of 0
    return {{{{"stat", "median"}}, weighted_medians / static_cast<double>(sessions) * unit},
            {{{"stat", "max"}}, static_cast<double>(max(maximum)) * unit}};
  }

  std::vector<Sample> limited_seconds() const {
    constexpr std::string_view kNames[] = {"application", "window", "pacing", "socket", "user"};
    static_assert(std::size(kNames) == tunnel::kSendLimits);
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < tunnel::kSendLimits; ++i) {
      std::uint64_t nanoseconds = 0;
      for (const Counters* shard : shards_) nanoseconds += shard->limited_nanoseconds[i].value();
      samples.push_back(
          {{{"by", std::string(kNames[i])}}, 1e-9 * static_cast<double>(nanoseconds)});
    }
    return samples;
  }

  std::vector<Sample> session_ends() const {
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < tunnel::kSessionEnds; ++i) {
      std::uint64_t total = 0;
      for (const Counters* shard : shards_) total += shard->session_ends[i].value();
      samples.push_back(sample("reason", tunnel::kSessionEndLabels[i], total));
    }
    return samples;
  }

 private:
  const std::vector<const Counters*>& shards_;
};

void add_users(std::vector<MetricFamily>& families, const MetricsSource& source) {
  if (!source.users) return;
  std::vector<Sample> samples;
  for (const UserBytes& one : source.users()) {
    const auto add = [&](const char* direction, std::uint64_t bytes) {
      samples.push_back(
          {{{"user", one.user}, {"direction", direction}}, static_cast<double>(bytes)});
    };
    add("up", one.up);
    add("down", one.down);
  }
  if (samples.empty()) return;
  families.push_back(counter("qdt_user_bytes_total",
                             "Bytes of inner packets of the sessions of each user who may come in, "
                             "since it may; none where there are more users than metrics_users.",
                             samples));
}

void add_tunnel(std::vector<MetricFamily>& families, const Shards& shards) {
  families.push_back(counter(
      "qdt_packets_total", "Inner packets carried: up from clients, down to them.",
      shards.both("direction", "up", &Counters::packets_up, "down", &Counters::packets_down)));
  families.push_back(
      counter("qdt_bytes_total", "Bytes of inner packets carried.",
              shards.both("direction", "up", &Counters::bytes_up, "down", &Counters::bytes_down)));

  std::vector<Sample> drops;
  for (std::size_t i = 0; i < kDropCount; ++i) {
    const auto drop = static_cast<Drop>(i);
    drops.push_back(sample("reason", drop_label(drop), shards.sum(drop)));
  }
  families.push_back(
      counter("qdt_drops_total", "Packets, datagrams and payloads discarded.", drops));

  std::vector<Sample> marks = shards.both("by", "queue", &Counters::congestion_marks, "path",
                                          &Counters::path_congestion_marks);
  marks.push_back(sample("by", "tun", shards.sum(&Counters::tun_congestion_marks)));
  families.push_back(
      counter("qdt_congestion_marks_total",
              "Inner packets marked by ECN: by a send queue or the TUN device's (tun) that stood, "
              "instead of dropping them, or because a network on the path marked their payload.",
              marks));

  families.push_back(counter("qdt_payloads_total", "UDP payloads received (in) and sent (out).",
                             shards.both("direction", "in", &Counters::payloads_received, "out",
                                         &Counters::payloads_sent)));
  families.push_back(counter("qdt_payload_bytes_total", "Bytes of UDP payloads.",
                             shards.both("direction", "in", &Counters::payload_bytes_received,
                                         "out", &Counters::payload_bytes_sent)));
  families.push_back(
      counter("qdt_delivered_bytes_total",
              "Bytes of UDP payloads with packets that were acknowledged or given up as lost.",
              {sample(static_cast<double>(shards.sum(&Counters::delivered_bytes)))}));
  families.push_back(
      counter("qdt_send_limited_seconds_total",
              "How long sessions were kept from sending more, added up over sessions: nothing "
              "waited (application), congestion window, pacing, socket.",
              shards.limited_seconds()));
  families.push_back(counter(
      "qdt_bursts_total",
      "Pieces in which payloads crossed the kernel's border; payloads per "
      "burst tell how well offloads work.",
      shards.both("direction", "in", &Counters::bursts_received, "out", &Counters::bursts_sent)));
  families.push_back(
      counter("qdt_offloads_disabled_total",
              "Offloads switched off because the kernel or a network device refused them.",
              shards.both("kind", "udp_gso", &Counters::udp_gso_disabled, "udp_gro",
                          &Counters::udp_gro_disabled)));
  families.push_back(counter("qdt_tun_packets_total",
                             "Inner packets taken from the TUN device (in) and handed to it (out).",
                             shards.both("direction", "in", &Counters::tun_packets_read, "out",
                                         &Counters::tun_packets_written)));
  families.push_back(
      counter("qdt_tun_bursts_total",
              "Pieces in which inner packets crossed the kernel's border; packets per burst tell "
              "how well offloads work.",
              shards.both("direction", "in", &Counters::tun_reads, "out", &Counters::tun_writes)));
  families.push_back(counter("qdt_stray_total",
                             "Arrivals at another shard than their own, handed over; many mean "
                             "that steering does not work.",
                             shards.both("kind", "payload", &Counters::stray_payloads, "packet",
                                         &Counters::stray_packets)));
}

void add_state(std::vector<MetricFamily>& families, const Shards& shards,
               const MetricsSource& source) {
  const auto total = [&](Field field) {
    return std::vector<Sample>{sample(static_cast<double>(shards.sum(field)))};
  };
  families.push_back(
      gauge("qdt_sessions_active", "Clients connected.", total(&Counters::sessions)));
  families.push_back(gauge("qdt_direct_sessions",
                           "Clients that are sent to by the direct data plane.",
                           total(&Counters::direct_sessions)));
  families.push_back(gauge("qdt_shaped_sessions",
                           "Clients that are held back to keep the queue on the path short.",
                           total(&Counters::shaped_sessions)));
  families.push_back(gauge("qdt_connections",
                           "QUIC connections, those still in their handshake among them.",
                           total(&Counters::connections)));
  families.push_back(gauge("qdt_ended_connections",
                           "QUIC connections that have ended, whose late packets are recognised.",
                           total(&Counters::ended_connections)));
  families.push_back(gauge("qdt_strangers",
                           "QUIC connections without a session: handshakes under way, requests "
                           "that wait, scanners.",
                           total(&Counters::strangers)));
  families.push_back(gauge("qdt_stranger_memory_bytes",
                           "Memory that QUIC and HTTP/3 hold for connections without a session.",
                           total(&Counters::stranger_bytes)));
  families.push_back(
      counter("qdt_strangers_ended_total",
              "Connections without a session that the server ended: they gave way to newer ones "
              "(crowded), had no session in time (time), or took too much memory (memory).",
              {sample("reason", "crowded", shards.sum(&Counters::strangers_gave_way)),
               sample("reason", "time", shards.sum(&Counters::strangers_out_of_time)),
               sample("reason", "memory", shards.sum(&Counters::strangers_too_large))}));
  families.push_back(gauge("qdt_queued_packets", "Inner packets in the sessions' send queues.",
                           total(&Counters::queued_packets)));
  families.push_back(gauge("qdt_queued_payloads", "UDP payloads waiting for a blocked socket.",
                           total(&Counters::queued_payloads)));
  families.push_back(
      gauge("qdt_turn_seconds",
            "The longest turn of a shard in the last ten to twenty seconds: from the moment when "
            "something had come until all of it was done. Whatever came meanwhile waited.",
            {sample(1e-6 * static_cast<double>(shards.max(&Counters::turn_max_microseconds)))}));
  families.push_back(gauge(
      "qdt_queue_delay_seconds",
      "How long packets waited at least, during the last second, in the "
      "session's send queue that stood longest.",
      {sample(1e-6 * static_cast<double>(shards.max(&Counters::queue_delay_max_microseconds)))}));
  families.push_back(
      gauge("qdt_rtt_seconds",
            "Round-trip times to clients: the longest, and the mean of the shards' "
            "medians, weighted by sessions.",
            shards.spread(&Counters::rtt_p50_microseconds, &Counters::rtt_max_microseconds, 1e-6)));
  families.push_back(
      gauge("qdt_window_bytes", "Congestion windows towards clients, as for qdt_rtt_seconds.",
            shards.spread(&Counters::window_p50_bytes, &Counters::window_max_bytes, 1)));
  families.push_back(gauge("qdt_delivery_rate_bytes",
                           "Bytes per second delivered to all clients during the last second, as "
                           "qdt_delivered_bytes_total counts them.",
                           total(&Counters::delivered_bytes_per_second)));

  families.push_back(
      gauge("qdt_tunnel_mtu_bytes",
            "The largest packet that fits one datagram, of the session where that is least.",
            shards.least(&Counters::tunnel_mtu_min)));

  families.push_back(gauge("qdt_shards", "Threads that carry packets.",
                           {sample(static_cast<double>(source.shards.size()))}));
  families.push_back(gauge("qdt_shard_sessions", "Clients connected, by shard.",
                           shards.each({&Counters::sessions})));
  families.push_back(counter("qdt_shard_packets_total",
                             "Inner packets carried in both directions, by shard.",
                             shards.each({&Counters::packets_up, &Counters::packets_down})));
  families.push_back(gauge("qdt_shard_queued_packets",
                           "Inner packets in the sessions' send queues, by shard.",
                           shards.each({&Counters::queued_packets})));
  families.push_back(gauge("qdt_shard_queued_payloads",
                           "UDP payloads waiting for a blocked socket, by shard.",
                           shards.each({&Counters::queued_payloads})));
}

void add_limits(std::vector<MetricFamily>& families, const MetricsSource& source) {
  const auto limit = [&](std::string_view name, std::string_view help, std::size_t value) {
    families.push_back(gauge(name, help, {sample(static_cast<double>(value))}));
  };
  limit("qdt_sessions_limit", "Clients allowed at one time (max_sessions); 0 means any number.",
        source.max_sessions());
  limit("qdt_sessions_per_client_limit",
        "Clients with one client_id behind one address (max_sessions_per_client); 0 means any "
        "number.",
        source.max_sessions_per_client());
  limit("qdt_pool_addresses", "Addresses of pool_cidr that can be lent.", source.pool_addresses);
  limit("qdt_kept_leases", "Leases kept for clients that have gone (lease_grace).",
        source.kept_leases());
  limit("qdt_send_queue_limit", "Packets that one session may queue (send_queue).",
        source.send_queue_packets);
  limit("qdt_payload_queue_limit", "Payloads that one shard may queue (send_datagram_queue).",
        source.payload_queue_payloads);
}

void add_certificate(std::vector<MetricFamily>& families, const MetricsSource& source) {
  if (source.certificate_expiry == nullptr) return;
  families.push_back(gauge("qdt_certificate_expiry_timestamp_seconds",
                           "End of the validity of the server's certificate chain, in seconds "
                           "since the Unix epoch.",
                           {sample(static_cast<double>(source.certificate_expiry->load()))}));
}

void add_handshakes(std::vector<MetricFamily>& families, const MetricsSource& source) {
  if (source.handshakes == nullptr) return;
  std::vector<Sample> results;
  for (std::size_t i = 0; i < static_cast<std::size_t>(wire::HandshakeResult::kCount); ++i) {
    const auto result = static_cast<wire::HandshakeResult>(i);
    results.push_back(
        sample("result", wire::handshake_status(result).label, source.handshakes->value(result)));
  }
  families.push_back(counter("qdt_handshakes_total", "Handshakes, by how they ended.", results));
}

void add_host(std::vector<MetricFamily>& families, const MetricsSource& source) {
  if (!source.host_repairs) return;
  const os::HostRepairs repairs = source.host_repairs();
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < os::kHostParts; ++i) {
    samples.push_back(sample("part", os::name_of(static_cast<os::HostPart>(i)), repairs[i]));
  }
  families.push_back(counter("qdt_host_repairs_total",
                             "Times that this host's network was put back because somebody else "
                             "had changed it.",
                             samples));
}

void add_decoy(std::vector<MetricFamily>& families, const MetricsSource& source) {
  if (source.decoy == nullptr) return;
  families.push_back(counter("qdt_decoy_failures_total",
                             "Visitors' requests that the decoy's web server did not answer.",
                             {sample("reason", "bad_answer", source.decoy->bad_answers.load()),
                              sample("reason", "too_many", source.decoy->too_many.load()),
                              sample("reason", "too_late", source.decoy->too_late.load())}));
}

void add_http(std::vector<MetricFamily>& families, const MetricsSource& source) {
  if (source.control != nullptr) {
    families.push_back(gauge("qdt_control_connections", "Connections to the control socket.",
                             {sample(static_cast<double>(source.control->connections.load()))}));
  }
  if (source.http == nullptr) return;
  families.push_back(gauge("qdt_http_connections",
                           "Connections to the HTTP addresses for metrics, health and profiles.",
                           {sample(static_cast<double>(source.http->connections.load()))}));
  families.push_back(counter("qdt_http_gave_way_total",
                             "Idle HTTP connections that were closed to make room for others.",
                             {sample(static_cast<double>(source.http->gave_way.load()))}));
}

void add_process(std::vector<MetricFamily>& families) {
  const auto usage = os::process_usage();
  if (!usage) return;
  families.push_back(gauge("process_start_time_seconds",
                           "Start of the process, in seconds since the Unix epoch.",
                           {sample(usage->start_time_seconds)}));
  families.push_back(counter("process_cpu_seconds_total", "Processor time used by all threads.",
                             {sample(usage->cpu_seconds)}));
  families.push_back(gauge("process_resident_memory_bytes", "Memory in use.",
                           {sample(static_cast<double>(usage->resident_bytes))}));
  families.push_back(gauge("process_virtual_memory_bytes", "Address space in use.",
                           {sample(static_cast<double>(usage->virtual_bytes))}));
  families.push_back(gauge("process_open_fds", "Open file descriptors.",
                           {sample(static_cast<double>(usage->open_files))}));
  families.push_back(gauge("process_max_fds", "Limit of open file descriptors.",
                           {sample(static_cast<double>(usage->max_open_files))}));
}

std::string compiler() {
  const std::string version = __VERSION__;
  return version.find("lang") == std::string::npos ? "GCC " + version : version;
}

}  // namespace

std::string metrics_text(const MetricsSource& source) {
  const Shards shards(source.shards);
  const bool is_ready = !source.readiness || !source.readiness();

  std::vector<MetricFamily> families;
  families.push_back(gauge("qdt_build_info", "Always 1; the labels tell what runs.",
                           {{{{"version", source.version}, {"compiler", compiler()}}, 1}}));
  families.push_back(gauge("qdt_ready", "1 when clients can be served, as /healthz tells.",
                           {sample(is_ready ? 1 : 0)}));
  add_state(families, shards, source);
  add_limits(families, source);
  add_handshakes(families, source);
  families.push_back(counter("qdt_session_ends_total", "Sessions that have ended, by reason.",
                             shards.session_ends()));
  add_users(families, source);
  add_tunnel(families, shards);
  add_certificate(families, source);
  add_host(families, source);
  add_http(families, source);
  add_decoy(families, source);
  add_process(families);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace qdt::ops
