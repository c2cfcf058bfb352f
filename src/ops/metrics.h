#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ops/http_server.h"
#include "os/upkeep.h"
#include "tunnel/counters.h"

namespace qdt::ops {

/// Why the server cannot serve clients now, in words; nothing when it can. Any thread.
using Readiness = std::function<std::optional<std::string>()>;

/// What the sessions of a user have carried, those that have ended as well.
struct UserBytes {
  std::string user;
  std::uint64_t up = 0;
  std::uint64_t down = 0;
};

/// The sources of the numbers. They outlive every reader.
struct MetricsSource {
  std::string version;
  Readiness readiness;
  /// How often each part of the host's network was put back. Any thread.
  std::function<os::HostRepairs()> host_repairs;
  std::vector<const tunnel::Counters*> shards;
  const tunnel::HandshakeCounters* handshakes = nullptr;
  const HttpCounters* http = nullptr;
  const HttpCounters* control = nullptr;  ///< of the control socket
  const tunnel::DecoyCounters* decoy = nullptr;
  /// The end of the certificate's validity, in seconds since the Unix epoch.
  const std::atomic<std::int64_t>* certificate_expiry = nullptr;

  // Limits, so that a dashboard can show how near they are.
  /// 0: unlimited. Any thread.
  std::function<std::size_t()> max_sessions = [] { return std::size_t{0}; };
  std::function<std::size_t()> max_sessions_per_client = [] { return std::size_t{0}; };
  std::size_t pool_addresses = 0;  ///< that can be lent
  /// Leases kept for clients that have gone. Any thread.
  std::function<std::size_t()> kept_leases = [] { return std::size_t{0}; };
  /// Of those who may come in now, if they are not too many; null: of none. Any thread.
  std::function<std::vector<UserBytes>()> users;
  std::size_t send_queue_packets = 0;      ///< of one session
  std::size_t payload_queue_payloads = 0;  ///< of one shard
};

/// All metrics in Prometheus' text format, version 0.0.4. Any thread.
std::string metrics_text(const MetricsSource& source);

inline constexpr const char* kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace qdt::ops
