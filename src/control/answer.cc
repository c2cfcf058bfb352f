#include "control/answer.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace qdt::control {
namespace {

using Json = nlohmann::ordered_json;

// At 10,000 sessions an answer has some megabytes.
constexpr std::size_t kMaxConnections = 16;
constexpr std::size_t kMaxQuotedBytes = 200;

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return 400;
    case ErrorCode::kPermission: return 403;
    case ErrorCode::kNotFound: return 404;
    case ErrorCode::kBusy:
    case ErrorCode::kUnavailable: return 503;
    case ErrorCode::kTimeout: return 504;
    case ErrorCode::kIo:
    case ErrorCode::kOther: break;
  }
  return 500;
}

ErrorCode code_of(int status) {
  if (status == 404) return ErrorCode::kNotFound;
  if (status == 503) return ErrorCode::kBusy;
  return status >= 400 && status < 500 ? ErrorCode::kInvalidArgument : ErrorCode::kOther;
}

ops::HttpResponse as_json(int status, const Json& json) {
  return {.status = status,
          .content_type = "application/json",
          .body = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

}  // namespace

ops::HttpResponse answer(std::string json) {
  return {.content_type = "application/json", .body = std::move(json) + "\n"};
}

ops::HttpResponse refusal(const Error& error) {
  return as_json(
      status_of(error.code),
      {{"error", {{"code", std::string(name_of(error.code))}, {"message", error.message}}}});
}

Error parse_refusal(int status, std::string_view body) {
  const Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  const auto error = json.is_object() ? json.find("error") : json.end();
  if (json.is_object() && error != json.end() && error->is_object()) {
    const auto text = [&](const char* key) {
      const auto found = error->find(key);
      return found != error->end() && found->is_string() ? found->get<std::string>() : "";
    };
    return {.message = text("message"), .code = parse_error_code(text("code"))};
  }
  return {.message = "HTTP " + std::to_string(status) + ": " +
                     std::string(body.substr(0, kMaxQuotedBytes)),
          .code = code_of(status)};
}

ops::HttpManners manners() {
  return {.newcomers_wait = true,
          .max_connections = kMaxConnections,
          .response_time = 10s,
          .refusal = [](int status, const std::string& text) {
            const std::string_view line =
                std::string_view(text).substr(0, text.find_last_not_of('\n') + 1);
            return as_json(status, {{"error",
                                     {{"code", std::string(name_of(code_of(status)))},
                                      {"message", std::string(line)}}}});
          }};
}

Result<void> check_no_body(const ops::HttpRequest& request) {
  if (request.body.empty()) return {};
  return fail("this request has no body", ErrorCode::kInvalidArgument);
}

}  // namespace qdt::control
