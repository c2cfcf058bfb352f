#include "os/host_watch.h"

#include "os/windows/poll_handle.h"
#include "os/windows/system_error.h"
#include "os/windows/unique_handle.h"

namespace qdt::os {

// LinkMonitor tells of what matters on Windows; the rest is found by looking every two seconds.
struct HostWatch::State {
  UniqueHandle event = make_event();
};

HostWatch::HostWatch(std::unique_ptr<State> state) : state_(std::move(state)) {}
HostWatch::HostWatch(HostWatch&&) noexcept = default;
HostWatch& HostWatch::operator=(HostWatch&&) noexcept = default;
HostWatch::~HostWatch() = default;

Result<HostWatch> HostWatch::open() {
  auto state = std::make_unique<State>();
  if (!state->event.is_open()) return windows_error("make an event");
  return HostWatch(std::move(state));
}

PollHandle HostWatch::poll_handle() const {
  return to_poll_handle(state_->event.get());
}

void HostWatch::take() {}

}  // namespace qdt::os
