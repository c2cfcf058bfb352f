// The messages between the main process and the host process. Whatever decodes has exactly one
// form, and is checked without harm; the first byte chooses which message the rest is.

#include "os/linux/host_message.h"

#include <algorithm>

#include "invariant.h"

namespace {

using namespace qdt;

void look_at_request(Bytes message) {
  const auto request = os::decode_request(message);
  if (!request) return;
  const auto again = os::encode(*os::number_of(message), *request);
  fuzz::require(again && std::ranges::equal(*again, message), "a request has one form");
  for (const auto role : {os::HostPlan::Role::kServer, os::HostPlan::Role::kClient}) {
    [[maybe_unused]] const auto ok = os::check_request(*request, {.role = role});
  }
}

template <typename Answer>
void look_at_answer(Bytes message) {
  const auto answer = os::decode_answer<Answer>(message);
  if (!answer) return;
  const auto again = os::encode_answer<Answer>(*os::number_of(message), *answer);
  fuzz::require(std::ranges::equal(again, message), "an answer has one form");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes message(data + 1, size - 1);
  switch (data[0] % 7) {
    case 0: look_at_request(message); break;
    case 1: look_at_answer<os::Nothing>(message); break;
    case 2: look_at_answer<os::Kept>(message); break;
    case 3: look_at_answer<os::HostLines>(message); break;
    case 4: look_at_answer<os::HostNameServers>(message); break;
    case 5: look_at_answer<os::TunFacts>(message); break;
    default: look_at_answer<os::HostFiles>(message); break;
  }
  return 0;
}
