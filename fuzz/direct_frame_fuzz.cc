// The frames of a direct packet's payload: each within it, each taking something off it.

#include "wire/direct_frame.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  std::vector<std::uint8_t> payload(data, data + size);
  for (MutableBytes rest(payload); !rest.empty();) {
    const std::size_t before = rest.size();
    const auto frame = wire::take_direct_frame(rest);
    if (!frame) break;
    if (rest.size() >= before || frame->body.size() > before - rest.size()) std::abort();
    for (std::uint8_t& byte : frame->body) byte ^= 1;  // all of it is there
    if (frame->type == wire::DirectFrameType::kFeedback) {
      const auto again = wire::encode_feedback(wire::decode_feedback(frame->body));
      if (!std::equal(frame->body.begin(), frame->body.end(), again.begin() + 1)) std::abort();
    }
  }
  return 0;
}
