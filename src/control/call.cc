#include "control/call.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <thread>

#include "control/answer.h"
#include "os/clock.h"
#include "os/stream_socket.h"

namespace qdt::control {
namespace {

// 100,000 sessions have half of that.
constexpr std::size_t kMaxAnswerBytes = 128 << 20;

// Where too many wait already, it has another look soon.
Result<os::StreamConnection> connect(const std::string& path, Timestamp deadline) {
  for (;;) {
    auto connection = os::StreamConnection::connect_local(path);
    if (connection) return connection;
    const ErrorCode code = connection.error().code;
    if (code == ErrorCode::kPermission) {
      return fail(connection.error().message + "; root may ask, and the members of the group qdt",
                  code);
    }
    if (code != ErrorCode::kBusy || os::now() >= deadline) return connection;
    std::this_thread::sleep_for(10ms);
  }
}

}  // namespace

Result<std::string> call(const std::string& path, std::string_view method, std::string_view target,
                         Duration patience, std::string_view body) {
  const Timestamp deadline = os::now() + patience;
  auto connection = connect(path, deadline);
  if (!connection) return fail(connection);
  std::string request(method);
  request.append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
  if (method == "POST") request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  request.append("\r\n").append(body);
  const auto no_answer = [&] {
    return fail("ask " + path + ": no answer; it may be stopped, or be busy", ErrorCode::kTimeout);
  };
  if (!connection->write(as_bytes(request), deadline)) return no_answer();

  std::string response;
  std::array<std::uint8_t, 65536> piece{};
  for (;;) {
    const auto bytes = connection->read(piece, deadline);
    if (!bytes) return no_answer();
    if (*bytes == 0) break;
    response += as_text(Bytes(piece).first(*bytes));
    if (response.size() > kMaxAnswerBytes) return fail("ask " + path + ": the answer has no end");
  }
  constexpr std::string_view kHead = "HTTP/1.1 ";
  const auto head_end = response.find("\r\n\r\n");
  int status = 0;
  if (response.starts_with(kHead) && head_end != response.npos) {
    std::from_chars(response.data() + kHead.size(), response.data() + head_end, status);
  }
  if (status == 0) return fail("ask " + path + ": no answer of a QDT", ErrorCode::kUnavailable);
  response.erase(0, head_end + 4);
  if (status != 200) return std::unexpected(parse_refusal(status, response));
  return response;
}

}  // namespace qdt::control
