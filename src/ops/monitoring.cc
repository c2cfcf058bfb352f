#include "ops/monitoring.h"

namespace qdt::ops {
namespace {

HttpRoutes health_routes(const MetricsSource& source) {
  const auto answer = [&source](const HttpRequest&) -> HttpResponse {
    const auto obstacle = source.readiness ? source.readiness() : std::nullopt;
    if (obstacle) return {.status = 503, .body = *obstacle + "\n"};
    return {.body = "ok\n"};
  };
  return {{"/healthz", {.answer = answer}}};
}

HttpRoutes metrics_routes(const MetricsSource& source) {
  HttpRoutes routes = health_routes(source);
  routes["/metrics"] = {.answer = [&source](const HttpRequest&) -> HttpResponse {
    return {.content_type = kMetricsContentType, .body = metrics_text(source)};
  }};
  return routes;
}

}  // namespace

Result<std::unique_ptr<Monitoring>> Monitoring::open(const MonitoringOptions& options,
                                                     MetricsSource source, Logger& logger) {
  std::unique_ptr<Monitoring> monitoring(new Monitoring(std::move(source)));
  monitoring->source_.http = &monitoring->http_;
  const auto listen = [&](const char* key, const std::optional<SocketAddress>& address,
                          HttpRoutes routes) -> Result<void> {
    if (!address) return {};
    auto server = HttpServer::open(key, *address, std::move(routes), monitoring->http_, logger);
    if (!server) return fail(server);
    monitoring->servers_.push_back(std::move(*server));
    return {};
  };

  auto opened = listen("metrics_addr", options.metrics_addr, metrics_routes(monitoring->source_));
  const bool is_one_listener = options.health_addr == options.metrics_addr;
  if (opened && !is_one_listener) {
    opened = listen("health_addr", options.health_addr, health_routes(monitoring->source_));
  }
  if (opened) {
    opened = listen("pprof_addr", options.pprof_addr, monitoring->profiler_.routes());
  }
  if (!opened) return fail(opened);
  return monitoring;
}

void Monitoring::run() {
  for (const auto& server : servers_) server->run();
}

std::vector<SocketAddress> Monitoring::addresses() const {
  std::vector<SocketAddress> addresses;
  addresses.reserve(servers_.size());
  for (const auto& server : servers_) addresses.push_back(server->address());
  return addresses;
}

}  // namespace qdt::ops
