#include "ops/config_example.h"

#include "ops/config_keys.h"
#include "ops/config_reload.h"
#include "ops/config_table.h"
#include "ops/text.h"

namespace qdt::ops {
namespace {

std::string about_reload() {
  return wrapped(
      "A running server takes other values of these keys when it reads the file again "
      "(qdt-server reload, systemctl reload qdt-server, SIGHUP): " +
          keys_taken_at_once() + ". All others need a restart.",
      "# ", 99);
}

}  // namespace

std::string server_example() {
  return example_file(
      std::string(
          "# Configuration of qdt-server. Every key is here with its default: uncomment what you "
          "change.\n") +
          about_reload() +
          "# This file is generated from src/ops/config_keys.cc; a test keeps it true.\n",
      key_texts(server_keys()));
}

std::string client_example() {
  return example_file(
      "# Configuration of qdt-client. Every key is here with its default: uncomment what you "
      "change.\n"
      "# This file is generated from src/ops/config_keys.cc; a test keeps it true.\n",
      key_texts(client_keys()));
}

std::string server_key_table() {
  return markdown_table(key_texts(server_keys()));
}

std::string client_key_table() {
  return markdown_table(key_texts(client_keys()));
}

std::string first_server_config(const FirstConfig& first) {
  return example_file(
      std::string(
          "# Configuration of qdt-server, written by its first start. It holds the token: keep it "
          "private.\n"
          "# Every key is here with its default: uncomment what you change.\n") +
          about_reload(),
      key_texts(server_keys()),
      {{"token", yaml_quoted(first.token)},
       {"tls_cert", yaml_quoted(first.tls_cert)},
       {"tls_key", yaml_quoted(first.tls_key)}});
}

std::string client_config_for(const std::string& host, std::uint16_t port, const std::string& token,
                              const std::string& fingerprint) {
  const bool is_v6 = host.find(':') != std::string::npos;
  const std::string server = (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
  std::string text = "# Configuration of qdt-client for " + printable(server) +
                     ". It holds the token: keep it private.\n"
                     "# All keys: client.example.yaml.\n\n"
                     "server: " +
                     yaml_quoted(server) +
                     "\n"
                     "token: " +
                     yaml_quoted(token) + "\n";
  if (!fingerprint.empty()) {
    text +=
        "# The server's own certificate, and no other, is trusted.\n"
        "tls_fingerprint: " +
        yaml_quoted(fingerprint) + "\n";
  }
  text +=
      "# default: everything goes through the tunnel; cidr: only the server's network.\n"
      "route_mode: default\n";
  return text;
}

std::string profile_config(const std::string& server, const std::string& key,
                           const std::vector<std::string>& server_keys,
                           const std::string& tun_name) {
  std::string keys;
  for (const std::string& one : server_keys) {
    if (!keys.empty()) keys += ", ";
    keys += yaml_quoted(one);
  }
  return "# Configuration of qdt-client for " + printable(server) +
         ", made by qdt-client add. It holds this device's key: keep it private.\n"
         "# All keys: client.example.yaml.\n\n"
         "server: " +
         yaml_quoted(server) + "\nkey: " + yaml_quoted(key) + "\nserver_key: [" + keys +
         "]\n"
         "tun_name: " +
         yaml_quoted(tun_name) +
         "\n"
         "# default: everything goes through the tunnel; cidr: only the server's network.\n"
         "route_mode: default\n";
}

}  // namespace qdt::ops
