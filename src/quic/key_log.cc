#include "quic/key_log.h"

#include <cstdio>
#include <cstdlib>

#include "base/ascii.h"

namespace qdt::quic {
namespace {

// Open as long as the process lives: sessions write to it until the end.
std::FILE* key_log = nullptr;

}  // namespace

std::optional<std::string> open_key_log() {
  const char* const path = std::getenv("SSLKEYLOGFILE");  // NOLINT(concurrency-mt-unsafe)
  if (path == nullptr || *path == '\0') return std::nullopt;
  return open_key_log(std::string(path));
}

std::string open_key_log(const std::string& path) {
  key_log = std::fopen(path.c_str(), "a");
  const std::string name = "SSLKEYLOGFILE, " + path;
  if (key_log == nullptr) return name + ": it cannot be opened, and no secret is written";
  return name + ": whoever reads this file can read what every connection carries";
}

void write_key_log(std::string_view label, Bytes client_random, Bytes secret) {
  if (key_log == nullptr) return;
  std::string line(label);
  line += ' ';
  append_hex(line, client_random);
  line += ' ';
  append_hex(line, secret);
  line += '\n';
  std::fputs(line.c_str(), key_log);
  std::fflush(key_log);
}

}  // namespace qdt::quic
