#include "first_start.h"

#include <filesystem>
#include <vector>

#include "client_config.h"
#include "ops/config_example.h"
#include "os/file.h"
#include "quic/certificate.h"
#include "server/certificate_file.h"
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

// Anyone who asks port 443 is shown it, so it says nothing of this host: no name, no address, no
// product. Clients trust it by its fingerprint, whatever it says.
Result<void> make_certificate(const std::string& certificate_path, const std::string& key_path) {
  const std::vector<std::string> names = {"localhost"};
  const auto pem = quic::make_self_signed_certificate(names, {});
  if (!pem) return fail(pem);
  if (auto ok = os::create_private_file(key_path, pem->key); !ok) return ok;
  auto made = os::create_private_file(certificate_path, pem->certificate);
  // A key without its certificate would keep the next start from making both.
  if (!made) {
    [[maybe_unused]] const auto gone = os::remove_file(key_path);
  }
  return made;
}

std::filesystem::path beside(const std::string& config_path, const char* name) {
  return std::filesystem::path(config_path).parent_path() / name;
}

// As the user would have to write it behind a command.
std::string config_option(const std::string& config_path) {
  return config_path == "server.yaml" ? "" : " --config " + config_path;
}

}  // namespace

Result<std::string> make_first_config(const std::string& config_path, Random& random) {
  const std::string certificate_path = beside(config_path, kCertificateName);
  const std::string key_path = beside(config_path, kKeyName);

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
  const auto tls = server::load_certificate(certificate_path, key_path);
  if (!tls) return fail(tls);

  const std::string config = ops::first_server_config(
      {.token = make_token(random), .tls_cert = kCertificateName, .tls_key = kKeyName});
  if (auto ok = os::create_private_file(config_path, config); !ok) return fail(ok);

  return "This is the first start: " + made + " were written.\n" +
         "A client.yaml for this server: this command prints it, with the token in it.\n\n" +
         "  qdt-server client-config" + config_option(config_path) + " --address HOST\n\n" +
         describe_address();
}

bool lacks_own_certificate(const std::string& config_path, const ops::ServerConfig& config) {
  return config.tls_cert == beside(config_path, kCertificateName) &&
         config.tls_key == beside(config_path, kKeyName) && !os::file_exists(config.tls_cert) &&
         !os::file_exists(config.tls_key);
}

Result<std::string> make_own_certificate(const ops::ServerConfig& config) {
  if (auto ok = make_certificate(config.tls_cert, config.tls_key); !ok) return fail(ok);
  const auto tls = server::load_certificate(config.tls_cert, config.tls_key, config.user);
  if (!tls) return fail(tls);
  return config.tls_cert + " and " + config.tls_key +
         " were missing, and were made: clients need the new fingerprint, " +
         quic::fingerprint_text(tls->fingerprint());
}

}  // namespace qdt::apps
