#include "os/kept_file.h"

namespace qdt::os {

// There is no server on Windows, and nothing else keeps a file so.

Result<KeptFile> KeptFile::open(const std::string& path) {
  return fail("open " + path + ": Windows has no server");
}

KeptFile::KeptFile(KeptFile&& other) noexcept = default;
KeptFile& KeptFile::operator=(KeptFile&& other) noexcept = default;
KeptFile::~KeptFile() = default;

Result<std::string> KeptFile::read() const {
  return fail("read " + path_ + ": Windows has no server");
}

bool KeptFile::was_removed() const {
  return false;
}

Result<void> KeptFile::replace(std::string_view /*content*/) {
  return fail("write " + path_ + ": Windows has no server");
}

}  // namespace qdt::os
