#include "server_check.h"

#include <optional>

#include "decoy_site.h"
#include "first_start.h"
#include "ops/log.h"
#include "os/process.h"
#include "os/udp_socket.h"
#include "server/certificate_file.h"
#include "server/certificate_watch.h"
#include "server/server.h"
#include "server_options.h"
#include "user_check.h"

namespace qdt::apps {
namespace {

using Findings = std::vector<Finding>;

// "tls_key: read ..." belongs to tls_key; what both files have to do with each other, to neither.
Finding at_its_key(const std::string& message) {
  for (const std::string key : {"tls_cert", "tls_key"}) {
    if (message.starts_with(key + ": ")) return {key, message.substr(key.size() + 2), true};
  }
  return {"", message, true};
}

void check_certificate(const std::string& config_path, const ops::ServerConfig& config,
                       std::int64_t now, Findings& findings) {
  if (lacks_own_certificate(config_path, config)) {
    findings.push_back({"tls_cert", config.tls_cert + " and " + config.tls_key +
                                        " are missing: the start makes them"});
    return;
  }
  const auto tls = server::load_certificate(config.tls_cert, config.tls_key, config.user);
  if (!tls) {
    findings.push_back(at_its_key(tls.error().message));
    return;
  }
  const server::CertificateWatch watch(config.tls_cert, tls->certificate());
  if (const auto telling = server::describe_telling_name(config.tls_cert, tls->certificate())) {
    findings.push_back({"tls_cert", *telling});
  }
  if (const auto notice = watch.state(now)) {
    findings.push_back({"tls_cert", notice->text, notice->level == LogLevel::kError});
  }
}

// Whether a socket can have the address: by a port that the kernel picks, so that a running server
// is not disturbed.
void check_address(const std::string& key, const std::optional<SocketAddress>& address,
                   Findings& findings) {
  if (!address || address->address.is_unspecified()) return;
  const auto logger = ops::make_logger(LogLevel::kError, /*json=*/false);
  const auto socket = os::UdpSocket::open({.local = {address->address, 0}}, *logger);
  if (!socket) {
    findings.push_back(
        {key, "no interface of this host has the address " + address->address.to_string(), true});
  }
}

void check_external_interface(const ops::ServerConfig& config, Findings& findings) {
  const std::string& name = config.nat_external_iface;
  if (!config.nat_enabled || name.empty() || os::has_interface(name)) return;
  findings.push_back({"nat.external_iface",
                      "this host has no interface " + name +
                          ": until it has, no address is translated and clients reach nothing"});
}

void check_decoy(const ops::ServerConfig& config, Findings& findings) {
  const auto decoy = make_decoy(config.decoy);
  if (!decoy) return findings.push_back({"decoy", decoy.error().message, true});
  for (const std::string& note : decoy->notes) findings.push_back({"decoy", note});
}

void check_networks(const ops::ServerConfig& config, Findings& findings) {
  const auto ok = server::Server::check_networks(server_options(config));
  if (ok) return;
  const std::string& message = ok.error().message;  // "pool_cidr 10.8.0.0/24 overlaps ..."
  for (const std::string key : {"pool_cidr", "pool_cidr6"}) {
    if (!message.starts_with(key + " ")) continue;
    return findings.push_back({key, message.substr(key.size() + 1), true});
  }
  findings.push_back({"", message, true});
}

}  // namespace

Findings check_server(const std::string& config_path, const ops::ServerConfig& config,
                      std::int64_t now) {
  Findings findings;
  check_certificate(config_path, config, now, findings);
  check_address("addr", config.addr, findings);
  check_address("metrics_addr", config.metrics_addr, findings);
  check_address("health_addr", config.health_addr, findings);
  check_address("pprof_addr", config.pprof_addr, findings);
  check_external_interface(config, findings);
  check_decoy(config, findings);
  check_networks(config, findings);
  check_user(config.user, findings);
  return findings;
}

}  // namespace qdt::apps
