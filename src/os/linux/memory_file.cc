#include "os/linux/memory_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>

#include "os/linux/system_error.h"

namespace qdt::os {

Result<UniqueFd> make_memory_file(std::string_view content, std::size_t max_bytes) {
  const std::string what = "pass on a file";
  if (content.size() > max_bytes) return fail(what + ": it is too long");
  UniqueFd file(::memfd_create("qdt", MFD_CLOEXEC));
  if (!file.is_open()) return os_error(what);
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t written = ::pwrite(file.get(), content.data() + done, content.size() - done,
                                     static_cast<off_t>(done));
    if (written <= 0) return os_error(what);
    done += static_cast<std::size_t>(written);
  }
  return file;
}

Result<std::string> read_memory_file(int file, std::size_t max_bytes, const std::string& what) {
  std::string content;
  std::array<char, 65536> piece{};
  while (content.size() <= max_bytes) {
    const ssize_t bytes =
        ::pread(file, piece.data(), piece.size(), static_cast<off_t>(content.size()));
    if (bytes < 0) return os_error(what);
    if (bytes == 0) break;
    content.append(piece.data(), static_cast<std::size_t>(bytes));
  }
  return content;
}

}  // namespace qdt::os
