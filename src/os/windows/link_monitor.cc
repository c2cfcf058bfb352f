#include "os/link_monitor.h"

#include <array>
#include <utility>

#include "os/windows/network_headers.h"
#include "os/windows/outside.h"
#include "os/windows/poll_handle.h"
#include "os/windows/system_error.h"
#include "os/windows/unique_handle.h"
#include "os/windows/windows_network.h"

namespace qdt::os {
namespace {

// Any thread of Windows' pool.
void WINAPI tell(PVOID event, const void*, MIB_NOTIFICATION_TYPE) {
  ::SetEvent(event);
}

void WINAPI tell_of_interface(PVOID event, PMIB_IPINTERFACE_ROW row, MIB_NOTIFICATION_TYPE type) {
  tell(event, row, type);
}

void WINAPI tell_of_address(PVOID event, PMIB_UNICASTIPADDRESS_ROW row,
                            MIB_NOTIFICATION_TYPE type) {
  tell(event, row, type);
}

void WINAPI tell_of_route(PVOID event, PMIB_IPFORWARD_ROW2 row, MIB_NOTIFICATION_TYPE type) {
  tell(event, row, type);
}

/// A subscription to changes; destroying it waits for a call that is under way.
class Subscription {
 public:
  Subscription() = default;
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;
  ~Subscription() {
    if (handle_ != nullptr) ::CancelMibChangeNotify2(handle_);
  }
  HANDLE* place() { return &handle_; }

 private:
  HANDLE handle_ = nullptr;
};

}  // namespace

// Windows says that something has changed, and of what kind, also of what we change ourselves. What
// matters is what is there afterwards: the network as it would be without tunnels.
struct LinkMonitor::State {
  std::unique_ptr<NetworkCalls> calls = windows_network();
  UniqueHandle event = make_event();
  Surroundings seen;
  std::array<Subscription, 3> subscriptions;  // last: these go before the event
};

LinkMonitor::LinkMonitor(std::unique_ptr<State> state) : state_(std::move(state)) {}
LinkMonitor::LinkMonitor(LinkMonitor&&) noexcept = default;
LinkMonitor& LinkMonitor::operator=(LinkMonitor&&) noexcept = default;
LinkMonitor::~LinkMonitor() = default;

// Tunnels are known by what their adapters are, not by name.
Result<LinkMonitor> LinkMonitor::open(const std::string&) {
  auto state = std::make_unique<State>();
  if (!state->event.is_open()) return windows_error("make an event");
  HANDLE event = state->event.get();
  auto& [interfaces, addresses, routes] = state->subscriptions;
  const DWORD errors[] = {
      ::NotifyIpInterfaceChange(AF_UNSPEC, tell_of_interface, event, FALSE, interfaces.place()),
      ::NotifyUnicastIpAddressChange(AF_UNSPEC, tell_of_address, event, FALSE, addresses.place()),
      ::NotifyRouteChange2(AF_UNSPEC, tell_of_route, event, FALSE, routes.place())};
  for (const DWORD error : errors) {
    if (error != NO_ERROR) return windows_error("ask Windows to report network changes", error);
  }
  // After the subscriptions: what changes from here on is reported.
  if (auto seen = look_around(*state->calls)) state->seen = std::move(*seen);
  return LinkMonitor(std::move(state));
}

PollHandle LinkMonitor::poll_handle() const {
  return to_poll_handle(state_->event.get());
}

bool LinkMonitor::take() {
  ::ResetEvent(state_->event.get());  // first: what changes while we look is reported again
  auto now = look_around(*state_->calls);
  if (!now) return true;
  return *now != std::exchange(state_->seen, *now);
}

Result<IpAddress> source_address(const SocketAddress& remote, std::uint32_t mark) {
  const auto calls = windows_network();
  if (mark != 0) {
    const auto way = way_outside(*calls, remote.address);
    if (!way) return fail(way);
    return way->source;
  }
  return calls->source_towards(remote.address, std::nullopt);
}

}  // namespace qdt::os
