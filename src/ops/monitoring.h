#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/ip_address.h"
#include "base/logger.h"
#include "base/result.h"
#include "ops/http_server.h"
#include "ops/metrics.h"
#include "ops/profiler.h"

namespace qdt::ops {

/// Where to listen; nothing where that is switched off.
struct MonitoringOptions {
  std::optional<SocketAddress> metrics_addr;
  std::optional<SocketAddress> health_addr;
  std::optional<SocketAddress> pprof_addr;
};

/// The HTTP side of a server: /metrics and /healthz on metrics_addr, /healthz alone on health_addr,
/// profiles on pprof_addr. Equal metrics and health addresses are one listener. Lasts as long as
/// the object.
class Monitoring {
 public:
  /// Listens, without a thread. run() answers.
  static Result<std::unique_ptr<Monitoring>> open(const MonitoringOptions& options,
                                                  MetricsSource source, Logger& logger);
  /// Once.
  void run();

  /// Where it listens, in the order of MonitoringOptions.
  std::vector<SocketAddress> addresses() const;

 private:
  explicit Monitoring(MetricsSource source) : source_(std::move(source)) {}

  HttpCounters http_;
  MetricsSource source_;
  Profiler profiler_;
  std::vector<std::unique_ptr<HttpServer>> servers_;
};

}  // namespace qdt::ops
