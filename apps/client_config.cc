#include "client_config.h"

#include "ops/config_address.h"
#include "ops/config_example.h"
#include "os/process.h"
#include "quic/certificate.h"
#include "server/certificate_file.h"
#include "server/public_address.h"

namespace qdt::apps {
namespace {

std::string private_addresses() {
  std::string list;
  for (const IpAddress& address : os::host_addresses()) {
    list += (list.empty() ? "" : ", ") + address.to_string();
  }
  return list.empty() ? "none" : list;
}

// HOST without a port gets that of the server.
Result<ops::HostAndPort> parse_address(const std::string& text, std::uint16_t default_port) {
  const bool is_bare_ipv6 = text.find(':') != std::string::npos && IpAddress::parse(text);
  const auto with_port =
      (is_bare_ipv6 ? "[" + text + "]" : text) + ":" + std::to_string(default_port);
  if (const auto host = ops::parse_server_address(with_port)) return *host;
  const auto given = ops::parse_server_address(text);
  if (!given) return fail("--address: " + given.error().message);
  return *given;
}

}  // namespace

Result<ops::HostAndPort> reached_at(const ops::ServerConfig& config, const std::string& address) {
  std::string host_and_port = address;
  if (address.empty()) {
    const auto own = server::public_address(os::host_addresses());
    if (!own) {
      return fail("this host has no public address (its addresses: " + private_addresses() +
                  "), and the one by which clients reach it is not known here; give it with "
                  "--address HOST");
    }
    host_and_port = own->to_string();
  }
  return parse_address(host_and_port, config.addr.port);
}

Result<std::string> client_config(const ops::ServerConfig& config, const std::string& address) {
  const auto reached = reached_at(config, address);
  if (!reached) return fail(reached);
  const auto tls = server::load_certificate(config.tls_cert, config.tls_key, config.user);
  if (!tls) return fail(tls);
  // One from an authority is renewed often, and clients trust it by its name.
  const bool is_pinned = tls->certificate().is_self_signed;
  return ops::client_config_for(reached->host, reached->port, config.token,
                                is_pinned ? quic::fingerprint_text(tls->fingerprint()) : "");
}

std::string describe_address() {
  if (const auto own = server::public_address(os::host_addresses())) {
    return "HOST is the name or address by which clients reach this server; this host's public "
           "address is " +
           own->to_string() + ".";
  }
  return "HOST is the name or address by which clients reach this server. This host has only "
         "private "
         "addresses (" +
         private_addresses() +
         "): its address from outside is not known here. Ask the router or provider, and have UDP "
         "port 443 forwarded to this host.";
}

}  // namespace qdt::apps
