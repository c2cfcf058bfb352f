#pragma once

#include <filesystem>
#include <string>

namespace qdt::apps {

/// A file of the server's own, beside its configuration: server.yaml has server.secret.
inline std::string state_path(const std::string& config_path, const char* extension) {
  return std::filesystem::path(config_path).replace_extension(extension).string();
}

/// The file of the server's identity key (server/identity_file.h).
inline std::string identity_path(const std::string& config_path) {
  return state_path(config_path, ".identity");
}

}  // namespace qdt::apps
