#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/logger.h"
#include "os/clock.h"
#include "os/stream_socket.h"

namespace qdt::ops {

/// Remembers what was logged.
class MemoryLogger final : public Logger {
 public:
  std::string text;

 private:
  void write(LogLevel, std::string_view message) override { text.append(message) += '\n'; }
};

inline const SocketAddress kLoopback{IpAddress::v4(0x7f000001), 0};

/// Sends `request` as it is, and returns all that comes back until the server closes.
inline std::string http(const SocketAddress& server, std::string_view request) {
  const Timestamp deadline = os::now() + 30s;
  auto connection = os::StreamConnection::connect(server, deadline);
  if (!connection || !connection->write(as_bytes(request), deadline)) return "no connection";
  std::string response;
  std::array<std::uint8_t, 4096> bytes;
  while (const auto count = connection->read(bytes, deadline).value_or(0)) {
    response += as_text(Bytes(bytes).first(count));
  }
  return response;
}

inline std::string http_get(const SocketAddress& server, const std::string& path) {
  return http(server, "GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n");
}

}  // namespace qdt::ops
