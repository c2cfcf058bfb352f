#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qdt::ops {

/// The content of server.example.yaml and client.example.yaml: every key with its default.
std::string server_example();
std::string client_example();

/// All keys as Markdown tables, for the README.
std::string server_key_table();
std::string client_key_table();

/// The files and the token that a server's first start has made.
struct FirstConfig {
  std::string token;
  std::string tls_cert;  ///< file names, relative to the configuration's folder or absolute
  std::string tls_key;
};

/// A complete server.yaml for that, every other key explained and commented out.
std::string first_server_config(const FirstConfig& first);

/// A short client.yaml for a server. `host` is a name or an address, without brackets;
/// `fingerprint` as tls_fingerprint takes it, or empty where the system trusts the server's CA.
std::string client_config_for(const std::string& host, std::uint16_t port, const std::string& token,
                              const std::string& fingerprint);

/// A client.yaml for a device that was added by a link. `server` is HOST:PORT, `key` and
/// `server_keys` as the keys of these names take them, `tun_name` the connection's own device.
std::string profile_config(const std::string& server, const std::string& key,
                           const std::vector<std::string>& server_keys,
                           const std::string& tun_name);

}  // namespace qdt::ops
