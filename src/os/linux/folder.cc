#include "os/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

struct DirDeleter {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Dir = std::unique_ptr<DIR, DirDeleter>;

// The kernel sees to it that no link and no ".." leads out of `root` (openat2(2), Linux 5.6).
UniqueFd open_beneath(const UniqueFd& root, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(
      static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
}

class FolderReader {
 public:
  FolderReader(UniqueFd root, std::string name, const FolderLimits& limits)
      : root_(std::move(root)), name_(std::move(name)), limits_(limits) {}

  Result<FolderContent> read() {
    if (auto ok = read_level("", 0); !ok) return fail(ok);
    std::ranges::sort(content_.files, {}, &FolderFile::path);
    return std::move(content_);
  }

 private:
  Result<void> read_level(const std::string& inside, std::size_t depth) {
    if (depth > limits_.depth) {
      return too_much(std::to_string(limits_.depth) + " folders inside one another");
    }
    UniqueFd fd = open_beneath(root_, inside.empty() ? "." : inside, O_RDONLY | O_DIRECTORY);
    if (!fd.is_open()) return os_error("read the folder " + place(inside));
    const Dir folder(::fdopendir(fd.get()));
    if (!folder) return os_error("read the folder " + place(inside));
    fd.release();
    for (;;) {
      errno = 0;
      // Nobody else reads this folder's stream.
      const dirent* entry = ::readdir(folder.get());  // NOLINT(concurrency-mt-unsafe)
      if (entry == nullptr && errno != 0) return os_error("read the folder " + place(inside));
      if (entry == nullptr) return {};
      const std::string name = entry->d_name;
      const bool is_hidden = name.starts_with('.') && name != ".well-known";
      if (is_hidden) continue;
      if (++entries_ > kEntriesPerFile * limits_.files) {
        return too_much(std::to_string(limits_.files) + " files");
      }
      const std::string path = inside.empty() ? name : std::string(inside).append("/").append(name);
      if (auto ok = read_entry(path, depth); !ok) return ok;
    }
  }

  Result<void> read_entry(const std::string& path, std::size_t depth) {
    struct stat entry{};
    if (::fstatat(root_.get(), path.c_str(), &entry, AT_SYMLINK_NOFOLLOW) != 0) {
      leave_out(path, "it cannot be looked at");
      return {};
    }
    if (S_ISDIR(entry.st_mode)) return read_level(path, depth + 1);
    if (!S_ISREG(entry.st_mode) && !S_ISLNK(entry.st_mode)) {
      leave_out(path, "it is no file");
      return {};
    }
    const UniqueFd fd = open_beneath(root_, path, O_RDONLY);
    if (!fd.is_open()) {
      leave_out(path, errno == EXDEV ? "it leads out of the folder"
                                     : std::string(os_error("open it").error().message));
      return {};
    }
    if (::fstat(fd.get(), &entry) != 0 || !S_ISREG(entry.st_mode)) {
      leave_out(path, "it leads to no file");
      return {};
    }
    return read_file(fd, path, entry.st_mtim.tv_sec);
  }

  Result<void> read_file(const UniqueFd& fd, const std::string& path, std::int64_t modified) {
    if (content_.files.size() >= limits_.files) {
      return too_much(std::to_string(limits_.files) + " files");
    }
    FolderFile file{.path = path, .content = "", .modified = modified};
    std::array<char, 65536> piece;
    for (;;) {
      const ssize_t bytes = ::read(fd.get(), piece.data(), piece.size());
      if (bytes < 0 && errno == EINTR) continue;
      if (bytes < 0) return os_error("read " + place(path));
      if (bytes == 0) break;
      bytes_ += static_cast<std::size_t>(bytes);
      if (bytes_ > limits_.bytes) return too_much(std::to_string(limits_.bytes) + " bytes");
      file.content.append(piece.data(), static_cast<std::size_t>(bytes));
    }
    content_.files.push_back(std::move(file));
    return {};
  }

  std::string place(const std::string& inside) const {
    return inside.empty() ? name_ : name_ + "/" + inside;
  }

  std::unexpected<Error> too_much(const std::string& limit) const {
    return fail("the folder " + name_ + " has more than " + limit);
  }

  void leave_out(const std::string& path, const std::string& why) {
    if (content_.notes.size() >= kMaxFolderNotes) return;
    content_.notes.push_back(place(path) + " is left out: " + why);
  }

  // Folders and what is left out count too, so that a walk ends.
  static constexpr std::size_t kEntriesPerFile = 4;

  UniqueFd root_;
  std::string name_;
  FolderLimits limits_;
  FolderContent content_;
  std::size_t bytes_ = 0;
  std::size_t entries_ = 0;
};

}  // namespace

Result<FolderContent> read_folder(const std::string& path, const FolderLimits& limits) {
  UniqueFd root(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.is_open()) return os_error("read the folder " + path);
  return FolderReader(std::move(root), path, limits).read();
}

}  // namespace qdt::os
