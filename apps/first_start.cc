#include "first_start.h"

#include <filesystem>
#include <vector>

#include "ops/config.h"
#include "ops/config_example.h"
#include "ops/log.h"
#include "os/file.h"
#include "os/process.h"
#include "os/udp_socket.h"
#include "quic/certificate.h"
#include "quic/tls.h"
#include "wire/base64.h"

namespace qdt::apps {
namespace {

constexpr const char* kCertificateName = "server.crt";
constexpr const char* kKeyName = "server.key";

// 32 random bytes in letters that need no quoting anywhere.
std::string make_token(Random& random) {
  std::string token = wire::encode_base64(random.bytes<32>());
  for (char& letter : token) {
    if (letter == '+') letter = '-';
    if (letter == '/') letter = '_';
  }
  return token;
}

Result<void> make_certificate(const std::string& certificate_path, const std::string& key_path) {
  std::vector<std::string> names = {"localhost"};
  if (const std::string name = os::host_name(); !name.empty()) names.push_back(name);
  std::vector<IpAddress> addresses = os::host_addresses();
  addresses.push_back(*IpAddress::parse("127.0.0.1"));
  addresses.push_back(*IpAddress::parse("::1"));

  const auto pem = quic::make_self_signed_certificate(names, addresses);
  if (!pem) return fail(pem);
  if (auto ok = os::create_private_file(key_path, pem->key); !ok) return ok;
  return os::create_private_file(certificate_path, pem->certificate);
}

// How clients are most likely to reach this host: where its own packets to the world come from.
std::string likely_address() {
  const SocketAddress world{IpAddress::v4(0x01010101), 443};
  const auto logger = ops::make_logger(LogLevel::kError, /*json=*/false);
  // Nothing is sent: connecting a UDP socket only looks up the route.
  const auto socket = os::UdpSocket::open({.remote = world}, *logger);
  if (socket) return socket->local_address().address.to_string();
  for (const IpAddress& address : os::host_addresses()) {
    if (address.is_v4()) return address.to_string();
  }
  return os::host_addresses().empty() ? os::host_name() : os::host_addresses()[0].to_string();
}

}  // namespace

Result<std::string> make_first_config(const std::string& config_path, Random& random) {
  const std::filesystem::path folder = std::filesystem::path(config_path).parent_path();
  const std::string certificate_path = folder / kCertificateName;
  const std::string key_path = folder / kKeyName;

  std::string made = config_path;
  const bool has_certificate = os::file_exists(certificate_path);
  if (has_certificate != os::file_exists(key_path)) {
    return fail((has_certificate ? key_path : certificate_path) + " is missing, and so is " +
                config_path + ": to start afresh, move its counterpart away too");
  }
  if (!has_certificate) {
    if (auto ok = make_certificate(certificate_path, key_path); !ok) return fail(ok);
    made += ", " + certificate_path + " and " + key_path;
  }
  const auto tls = quic::TlsServerContext::from_files(certificate_path, key_path);
  if (!tls) return fail(tls);

  const std::string token = make_token(random);
  const std::string config =
      ops::first_server_config({.token = token, .tls_cert = kCertificateName, .tls_key = kKeyName});
  if (auto ok = os::create_private_file(config_path, config); !ok) return fail(ok);

  return "This is the first start: " + made + " were written.\n" +
         "A client.yaml for this server (put in the address or name by which clients reach "
         "it):\n\n" +
         ops::client_config_for(likely_address(), 443, token,
                                quic::fingerprint_text(tls->fingerprint()));
}

}  // namespace qdt::apps
