#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "os/linux/system_error.h"
#include "os/sandbox.h"

namespace qdt::os {
namespace {

/// IDs that neither Debian nor systemd gives to anybody (systemd's UIDS-GIDS: 65520 to 65533).
constexpr std::uint32_t kFirstSpareId = 65529;
constexpr std::uint32_t kLastSpareId = 65520;

constexpr std::size_t kEntryBytes = 16384;

struct Found {
  int error = 0;
  std::optional<passwd> entry;
};

template <typename Key>
Found find(int (*look)(Key, passwd*, char*, std::size_t, passwd**), Key key) {
  std::array<char, kEntryBytes> buffer{};
  passwd entry{};
  passwd* result = nullptr;
  const int error = look(key, &entry, buffer.data(), buffer.size(), &result);
  if (result == nullptr) return {.error = error, .entry = std::nullopt};
  return {.error = 0, .entry = entry};
}

bool is_spare(std::uint32_t id) {
  std::array<char, kEntryBytes> buffer{};
  group entry{};
  group* result = nullptr;
  ::getgrgid_r(id, &entry, buffer.data(), buffer.size(), &result);
  return result == nullptr && !find<uid_t>(::getpwuid_r, id).entry;
}

std::string how_to_make(const std::string& name) {
  return "useradd --system --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin " +
         name;
}

}  // namespace

Result<ProcessUser> find_process_user(const std::string& name) {
  if (::geteuid() != 0) return ProcessUser{.id = ::geteuid(), .group = ::getegid(), .note = ""};
  if (name == "root") {
    return ProcessUser{
        .note =
            "user: root: whoever breaks into this process is root, with what the sandbox leaves; "
            "leave user out"};
  }
  const Found found = find<const char*>(::getpwnam_r, name.c_str());
  if (found.entry && found.entry->pw_uid != 0) {
    return ProcessUser{.id = found.entry->pw_uid, .group = found.entry->pw_gid, .note = ""};
  }
  if (found.entry) return fail(name + " is another name of root");
  if (name != kOwnUser) {
    return fail("this host has no user " + name + "; make it with: " + how_to_make(name));
  }
  for (std::uint32_t id = kFirstSpareId; id >= kLastSpareId; --id) {
    if (!is_spare(id)) continue;
    return ProcessUser{.id = id,
                       .group = id,
                       .note = "this host has no user " + name + ": the process runs as user ID " +
                               std::to_string(id) +
                               ", which is nobody's; make the user with: " + how_to_make(name)};
  }
  return fail("this host has no user " + name + "; make it with: " + how_to_make(name));
}

}  // namespace qdt::os
