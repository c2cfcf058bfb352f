#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "ops/http_server.h"

namespace qdt::control {

// The parts that all answers of a control socket have in common (docs/control.md): JSON, and for a
// failure
// `{"error": {"code": ..., "message": ...}}`, with a status of HTTP that goes with the code.

/// A question has this time for its answer: less than whoever asks waits (kPatience, call.h).
inline constexpr Duration kAnswerTime = 5s;

ops::HttpResponse answer(std::string json);
ops::HttpResponse refusal(const Error& error);

/// The error in a refusal; kOther, and the beginning of `body`, where it is none.
Error parse_refusal(int status, std::string_view body);

/// Of a control socket: nobody who may use it is thrown out for another, and refusals are JSON.
ops::HttpManners manners();

/// Why a request with a body is refused: none of ours has one. Nothing: it has none.
Result<void> check_no_body(const ops::HttpRequest& request);

}  // namespace qdt::control
