#include "os/linux/resolv_conf.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <filesystem>
#include <sstream>

#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

constexpr int kMaxLinks = 40;  // as many as the kernel follows (path_resolution(7))

std::unexpected<Error> cannot_write(int error) {
  const std::string doing = std::string("write ") + kResolvConf;
  switch (error) {
    case EPERM: return fail(doing + ": it is immutable; chattr -i " + kResolvConf);
    case EACCES:
      return fail(doing +
                  ": permission denied: it is another user's; run as root. A service: restart it, "
                  "so that its unit lends it the file, or give it CAP_DAC_OVERRIDE");
    case EROFS:
      return fail(doing +
                  ": read-only file system; make it writable, or leave this host its name servers "
                  "(dns: off)");
    case ENOSPC:
    case EDQUOT: return fail(doing + ": the disk is full");
    default: return os_error(doing, error);
  }
}

std::unexpected<Error> is_no_file(const std::string& path) {
  return fail(std::string(kResolvConf) + ": " + path + " is no regular file");
}

// Follows the links of the last name alone: the kernel follows those of folders.
Result<std::string> follow_links(std::string path) {
  for (int i = 0; i < kMaxLinks; ++i) {
    std::array<char, PATH_MAX> target{};
    const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
    if (length < 0) return path;  // no link, or nothing at all
    const std::filesystem::path next(std::string(target.data(), static_cast<std::size_t>(length)));
    path = next.is_absolute() ? next.string()
                              : (std::filesystem::path(path).parent_path() / next).string();
  }
  return os_error(std::string("read ") + kResolvConf, ELOOP);
}

std::string first_word(const std::string& line) {
  std::string word;
  std::istringstream(line) >> word;
  return word;
}

template <typename Keep>
std::string lines_of(std::string_view text, Keep keep) {
  std::string kept;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (keep(line)) kept += line + "\n";
  }
  return kept;
}

Result<void> make_folders(const std::string& path, std::vector<std::string>* made) {
  std::vector<std::filesystem::path> missing;
  auto folder = std::filesystem::path(path).parent_path();
  struct stat status{};
  for (; !folder.empty() && ::stat(folder.c_str(), &status) < 0; folder = folder.parent_path()) {
    if (errno != ENOENT) return cannot_write(errno);
    missing.push_back(folder);
  }
  for (; !missing.empty(); missing.pop_back()) {
    // As it is to be, whatever the umask.
    const char* const name = missing.back().c_str();
    const bool is_made = ::mkdir(name, 0755) == 0;
    if (is_made ? ::chmod(name, 0755) < 0 : errno != EEXIST) return cannot_write(errno);
    if (made) made->push_back(missing.back().string());
  }
  return {};
}

bool write_all(int file, std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t written =
        ::pwrite(file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    done += static_cast<std::size_t>(written);
  }
  return true;
}

Result<void> create(const ResolvConfFile& file, std::string_view content,
                    std::vector<std::string>* made) {
  std::vector<std::string> folders;
  if (auto ok = make_folders(file.path, &folders); !ok) {
    [[maybe_unused]] const auto gone = remove_resolv_conf({}, folders);
    return ok;
  }
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  const UniqueFd opened(::open(file.path.c_str(), flags, 0644));
  const bool is_written =
      opened.is_open() && ::fchmod(opened.get(), 0644) == 0 && write_all(opened.get(), content);
  if (!is_written) {
    const int error = errno;
    [[maybe_unused]] const auto gone = remove_resolv_conf(
        {.path = opened.is_open() ? file.path : "", .id = {}, .content = {}}, folders);
    return cannot_write(error);
  }
  if (made) made->insert(made->end(), folders.begin(), folders.end());
  return {};
}

}  // namespace

Result<ResolvConfFile> look_at_resolv_conf() {
  auto path = follow_links(kResolvConf);
  if (!path) return fail(path);
  ResolvConfFile file{.path = std::move(*path), .id = {}, .content = std::nullopt};
  // A FIFO without a writer is not to hold us up.
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW;
  const UniqueFd opened(::open(file.path.c_str(), flags));
  if (!opened.is_open()) {
    if (errno == ENOENT) return file;
    return os_error(std::string("read ") + kResolvConf);
  }
  struct stat status{};
  if (::fstat(opened.get(), &status) < 0) return os_error(std::string("read ") + kResolvConf);
  if (!S_ISREG(status.st_mode)) return is_no_file(file.path);

  std::string content(kMaxResolvConfBytes + 1, '\0');
  std::size_t bytes = 0;
  while (bytes < content.size()) {
    const ssize_t more = ::read(opened.get(), content.data() + bytes, content.size() - bytes);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return os_error(std::string("read ") + kResolvConf);
    if (more == 0) break;
    bytes += static_cast<std::size_t>(more);
  }
  if (bytes > kMaxResolvConfBytes) return fail(std::string(kResolvConf) + " is larger than 64 KiB");
  content.resize(bytes);
  file.content = std::move(content);
  file.id = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  return file;
}

std::string resolv_conf_text(const std::string& tun_name, std::span<const NameServer> servers,
                             std::string_view original) {
  std::string text =
      std::string(kResolvConfMark) + tun_name + ", which puts back the old content when it ends.\n";
  text += lines_of(original, [](const std::string& line) {
    const std::string word = first_word(line);
    return word == "search" || word == "domain" || word == "options" || word == "sortlist";
  });
  for (const NameServer& server : servers) text += "nameserver " + server.to_string() + "\n";
  return text;
}

std::string without_name_servers(std::string_view text) {
  return lines_of(text, [](const std::string& line) {
    return !line.starts_with(kResolvConfMark) && first_word(line) != "nameserver";
  });
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

Result<void> write_resolv_conf(const ResolvConfFile& file, std::string_view content,
                               std::vector<std::string>* made) {
  if (!file.content) return create(file, content, made);
  const int flags = O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW;
  const UniqueFd opened(::open(file.path.c_str(), flags));
  if (!opened.is_open()) return cannot_write(errno);
  struct stat status{};
  if (::fstat(opened.get(), &status) < 0) return cannot_write(errno);
  if (!S_ISREG(status.st_mode)) return is_no_file(file.path);
  const auto size = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
  if (size > kMaxResolvConfBytes) return fail(std::string(kResolvConf) + " is larger than 64 KiB");

  // Room is made sure of first: a file of which half was written has no name servers at all.
  const auto bytes = static_cast<off_t>(content.size());
  if (bytes > 0 && ::fallocate(opened.get(), FALLOC_FL_KEEP_SIZE, 0, bytes) < 0 &&
      (errno == ENOSPC || errno == EDQUOT)) {
    return cannot_write(errno);
  }
  // Empty lines over the rest of the old content: nobody reads it behind the new one.
  std::string padded(content);
  padded.resize(std::max(padded.size(), size), '\n');
  if (write_all(opened.get(), padded) && ::ftruncate(opened.get(), bytes) == 0) return {};
  const int error = errno;
  if (write_all(opened.get(), *file.content)) {
    const auto old_bytes = static_cast<off_t>(file.content->size());
    [[maybe_unused]] const int result = ::ftruncate(opened.get(), old_bytes);
  }
  return cannot_write(error);
}

Result<void> remove_resolv_conf(const ResolvConfFile& file, std::span<const std::string> made) {
  if (!file.path.empty() && ::unlink(file.path.c_str()) < 0 && errno != ENOENT &&
      errno != ENOTDIR) {
    return os_error("remove " + file.path);
  }
  for (std::size_t i = made.size(); i > 0; --i) {
    // Not where somebody else has put something there.
    if (::rmdir(made[i - 1].c_str()) < 0 && errno != ENOENT) break;
  }
  return {};
}

}  // namespace qdt::os
