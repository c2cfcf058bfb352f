#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "ops/http_server.h"

namespace qdt::control {

// The parts that all answers of a control socket share (docs/control.md): they are JSON, and a
// refusal is `{"error": {"code": ..., "message": ...}}` with the status of HTTP that goes with the
// code.

/// A question has this time for its answer: less than whoever asks waits (kPatience, call.h).
inline constexpr Duration kAnswerTime = 5s;

ops::HttpResponse answer(std::string json);
ops::HttpResponse refusal(const Error& error);

/// The error in a refusal; kOther, and the beginning of `body`, where it is none.
Error parse_refusal(int status, std::string_view body);

/// A control socket throws nobody out for another: all who may use it have a right to it. Its
/// refusals are JSON.
ops::HttpManners manners();

/// Why a request with a body is refused: none of ours has one. Nothing: it has none.
Result<void> check_no_body(const ops::HttpRequest& request);

}  // namespace qdt::control
