#include "os/linux/resolv_conf.h"

#include <fcntl.h>
#include <unistd.h>

#include <sstream>

#include "os/file.h"
#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

std::unexpected<Error> cannot_write() {
  const std::string doing = std::string("write ") + kResolvConf;
  switch (const int error = errno) {
    case EPERM: return fail(doing + ": it is immutable; chattr -i " + kResolvConf);
    case EACCES: return fail(doing + ": permission denied; run as root");
    case EROFS:
      return fail(doing +
                  ": read-only file system; leave the name servers out of QDT's configuration, or "
                  "make it writable");
    default: return os_error(doing, error);
  }
}

}  // namespace

std::string resolv_conf_text(const std::string& tun_name, std::span<const NameServer> servers) {
  std::string text =
      "# Written by QDT for " + tun_name + ", which puts back the old content when it ends.\n";
  for (const NameServer& server : servers) text += "nameserver " + server.to_string() + "\n";
  return text;
}

std::vector<NameServer> name_servers_in(std::string_view text) {
  std::vector<NameServer> servers;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string key;
    std::string value;
    if (!(words >> key >> value) || key != "nameserver") continue;
    if (const auto server = NameServer::parse(value)) servers.push_back(*server);
  }
  return servers;
}

Result<std::optional<std::string>> read_resolv_conf() {
  if (!file_exists(kResolvConf)) return std::nullopt;
  return read_file(kResolvConf);
}

Result<void> write_resolv_conf(const std::string& content) {
  const UniqueFd file(::open(kResolvConf, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (!file.is_open()) return cannot_write();
  const ssize_t written = ::write(file.get(), content.data(), content.size());
  if (written < 0) return cannot_write();
  if (static_cast<std::size_t>(written) != content.size()) {
    return fail(std::string("write ") + kResolvConf + ": the disk is full");
  }
  if (::ftruncate(file.get(), written) < 0) return cannot_write();
  return {};
}

Result<void> remove_resolv_conf() {
  if (::unlink(kResolvConf) < 0 && errno != ENOENT) {
    return os_error(std::string("remove ") + kResolvConf);
  }
  return {};
}

}  // namespace qdt::os
