#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "ops/config.h"
#include "wire/ed25519.h"
#include "wire/link.h"

// Connections that were added by links: each is a file NAME.yaml in a folder, a configuration like
// any other.

namespace qdt::apps {

struct Profile {
  std::string name;
  std::string path;
  Result<ops::Loaded<ops::ClientConfig>> config;
};

std::string profile_path(const std::string& folder, const std::string& name);
/// All client configurations of the folder, by name; one that cannot be read is there with the
/// reason. Fails where the folder cannot be read.
Result<std::vector<Profile>> find_profiles(const std::string& folder);
/// A TUN device that none of them has: qdt-NAME, cut to what Linux takes, or with a number.
std::string free_tun_name(const std::string& name, const std::vector<Profile>& profiles);
/// The configuration of a device with this key at the link's server.
std::string profile_text(const wire::Link& link, const wire::Ed25519Seed& key,
                         const std::string& tun_name);

}  // namespace qdt::apps
