// The answer of the web server behind `decoy: {proxy: ...}`, in pieces as they may come.

#include <algorithm>
#include <cstdlib>

#include "server/http_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr qdt::server::HttpAnswer::Limits kLimits{.header_bytes = 256, .body_bytes = 64};
  qdt::server::HttpAnswer answer(/*is_head=*/(data[0] & 1) != 0, kLimits);
  const std::size_t piece = 1 + data[0] / 2;
  qdt::Bytes rest(data + 1, size - 1);
  auto state = qdt::server::HttpAnswer::State::kMore;
  while (!rest.empty() && state == qdt::server::HttpAnswer::State::kMore) {
    state = answer.take(rest.first(std::min(piece, rest.size())));
    rest = rest.subspan(std::min(piece, rest.size()));
  }
  if (state == qdt::server::HttpAnswer::State::kMore) state = answer.end();
  if (state != qdt::server::HttpAnswer::State::kWhole) return 0;
  const qdt::quic::Response response = std::move(answer).response();
  const bool is_sound = response.status >= 200 && response.status <= 599 &&
                        response.body.size() <= kLimits.body_bytes;
  if (!is_sound) std::abort();
  return 0;
}
