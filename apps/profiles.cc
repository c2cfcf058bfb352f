#include "profiles.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "ops/config_example.h"
#include "wire/key_text.h"

namespace qdt::apps {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxProfiles = 1000;
constexpr std::size_t kMaxTunNameBytes = 15;  // IFNAMSIZ less one

bool has_tun(const std::vector<Profile>& profiles, const std::string& tun_name) {
  return std::ranges::any_of(profiles, [&](const Profile& profile) {
    return profile.config && profile.config->config.tun_name == tun_name;
  });
}

}  // namespace

std::string profile_path(const std::string& folder, const std::string& name) {
  return (fs::path(folder) / (name + ".yaml")).string();
}

Result<std::vector<Profile>> find_profiles(const std::string& folder) {
  std::error_code error;
  std::vector<Profile> profiles;
  fs::directory_iterator files(folder, error);
  if (error == std::errc::no_such_file_or_directory) return profiles;
  for (; !error && files != fs::directory_iterator(); files.increment(error)) {
    const fs::path& path = files->path();
    const std::string name = path.stem().string();
    // The server's has keys of its own.
    if (path.extension() != ".yaml" || !wire::is_link_name(name) || name == "server") continue;
    if (profiles.size() == kMaxProfiles) break;
    profiles.push_back({name, path.string(), ops::load_client_config(path.string())});
  }
  if (error) return fail("read " + folder + ": " + error.message());
  std::ranges::sort(profiles, {}, &Profile::name);
  return profiles;
}

std::string free_tun_name(const std::string& name, const std::vector<Profile>& profiles) {
  const std::string wanted = ("qdt-" + name).substr(0, kMaxTunNameBytes);
  std::string tun_name = wanted;
  for (int number = 2; has_tun(profiles, tun_name); ++number) {
    const std::string suffix = "-" + std::to_string(number);
    tun_name = wanted.substr(0, kMaxTunNameBytes - suffix.size()) + suffix;
  }
  return tun_name;
}

std::string profile_text(const wire::Link& link, const wire::Ed25519Seed& key,
                         const std::string& tun_name) {
  std::vector<std::string> server_keys;
  for (const wire::Ed25519PublicKey& one : link.server_keys) {
    server_keys.push_back(wire::public_key_text(one));
  }
  const std::string server = link.server.host + ":" + std::to_string(link.server.port);
  return ops::profile_config(server, wire::private_key_text(key), server_keys, tun_name);
}

}  // namespace qdt::apps
