#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "ops/http_server.h"

namespace qdt::ops {

/// The largest body of a request.
inline constexpr std::size_t kMaxHttpBodyBytes = 256 << 10;

/// The whole response to a whole request, in HTTP/1.1's form. `wait` is HttpRequest's.
std::string answer_http(const HttpRoutes& routes, std::string_view request,
                        std::function<bool(Duration)> wait);

}  // namespace qdt::ops
