#include "control/user_message.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/archive.h"
#include "control/answer.h"
#include "os/side_process.h"

namespace qdt::control {
namespace {

// Both sides of each.
template <typename Archive>
void describe(Archive& archive, UserRequest& request) {
  constexpr std::size_t kMaxTextBytes = 60'000;
  for (std::string* text : {&request.method, &request.path, &request.who, &request.body}) {
    field(archive, *text, kMaxTextBytes);
  }
}

template <typename Archive>
void describe(Archive& archive, users::Enrolment& enrolment) {
  constexpr std::size_t kMaxNameBytes = 256;
  field(archive, enrolment.ticket);
  field(archive, enrolment.key);
  field(archive, enrolment.name, kMaxNameBytes);
}

template <typename Message>
std::string encode(Message message) {
  MessageWriter writer(os::SideProcess::kMaxQuestionBytes - 1);
  describe(writer, message);
  return writer.is_good() ? std::string(as_text(writer.take())) : std::string();
}

template <typename Message>
std::optional<Message> decode(std::string_view bytes) {
  MessageReader reader(as_bytes(bytes));
  Message message;
  describe(reader, message);
  if (!reader.is_at_end()) return std::nullopt;
  return message;
}

}  // namespace

std::string encode_request(UserRequest request) {
  return encode(std::move(request));
}

std::optional<UserRequest> decode_request(std::string_view bytes) {
  return decode<UserRequest>(bytes);
}

std::string encode_enrolment(users::Enrolment enrolment) {
  return encode(std::move(enrolment));
}

std::optional<users::Enrolment> decode_enrolment(std::string_view bytes) {
  return decode<users::Enrolment>(bytes);
}

std::string encode_response(const ops::HttpResponse& response) {
  return std::to_string(response.status) + "\n" + response.body;
}

ops::HttpResponse decode_response(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  int status = 0;
  std::from_chars(bytes.data(), bytes.data() + std::min(end, bytes.size()), status);
  if (end == bytes.npos || status == 0) return refusal({"no answer came", ErrorCode::kUnavailable});
  return {.status = status,
          .content_type = "application/json",
          .body = std::string(bytes.substr(end + 1))};
}

}  // namespace qdt::control
