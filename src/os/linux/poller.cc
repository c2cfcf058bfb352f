#include "os/poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

constexpr std::size_t kMaxEvents = 16;

int descriptor(PollHandle handle) {
  return static_cast<int>(handle);
}

epoll_event interest(std::uint32_t events, int key) {
  epoll_event event{};
  event.events = events;
  event.data.u32 = static_cast<std::uint32_t>(key);
  return event;
}

// epoll_pwait2 waits to the nanosecond, as QUIC's pacing wants; before Linux 5.11 (or where a
// sandbox forbids it) epoll_wait waits to the next millisecond.
int wait_for_events(int epoll, epoll_event* events, std::optional<Duration> timeout) {
  if (!timeout) return ::epoll_wait(epoll, events, kMaxEvents, -1);
  const timespec time{.tv_sec = static_cast<time_t>(timeout->count() / 1'000'000'000),
                      .tv_nsec = static_cast<long>(timeout->count() % 1'000'000'000)};
  const int count = ::epoll_pwait2(epoll, events, kMaxEvents, &time, nullptr);
  if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(*timeout).count();
  return ::epoll_wait(epoll, events, kMaxEvents,
                      static_cast<int>(std::min<std::int64_t>(milliseconds, 60'000)));
}

}  // namespace

struct Poller::State {
  UniqueFd epoll;
  std::array<epoll_event, kMaxEvents> events;
  std::array<PollEvent, kMaxEvents> ready;
};

Result<Poller> Poller::open() {
  Poller poller;
  poller.state_ = std::make_unique<State>();
  poller.state_->epoll.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!poller.state_->epoll.is_open()) return os_error("create an epoll instance");
  return poller;
}

Poller::Poller() = default;
Poller::Poller(Poller&&) noexcept = default;
Poller& Poller::operator=(Poller&&) noexcept = default;
Poller::~Poller() = default;

Result<void> Poller::add(PollHandle handle, int key) {
  epoll_event event = interest(EPOLLIN, key);
  if (::epoll_ctl(state_->epoll.get(), EPOLL_CTL_ADD, descriptor(handle), &event) < 0) {
    return os_error("watch a descriptor");
  }
  return {};
}

void Poller::watch_writable(PollHandle handle, int key, bool is_watched) {
  epoll_event event = interest(EPOLLIN | (is_watched ? EPOLLOUT : 0U), key);
  ::epoll_ctl(state_->epoll.get(), EPOLL_CTL_MOD, descriptor(handle), &event);
}

void Poller::remove(PollHandle handle) {
  ::epoll_ctl(state_->epoll.get(), EPOLL_CTL_DEL, descriptor(handle), nullptr);
}

std::span<const PollEvent> Poller::wait(Timestamp deadline, Timestamp now) {
  std::optional<Duration> timeout;
  if (deadline != kNever) timeout = std::max(deadline - now, Duration::zero());
  const int count = wait_for_events(state_->epoll.get(), state_->events.data(), timeout);
  if (count <= 0) return {};
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = state_->events[static_cast<std::size_t>(i)];
    state_->ready[static_cast<std::size_t>(i)] = {
        .key = static_cast<int>(event.data.u32),
        // An error shows itself at the next read.
        .is_readable = (event.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0,
        .is_writable = (event.events & EPOLLOUT) != 0};
  }
  return std::span(state_->ready).first(static_cast<std::size_t>(count));
}

Result<Waker> Waker::open() {
  const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) return os_error("create an eventfd");
  return Waker(fd);
}

Waker::Waker(Waker&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}

Waker& Waker::operator=(Waker&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Waker::~Waker() {
  if (handle_ >= 0) ::close(static_cast<int>(handle_));
}

void Waker::wake() {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the waker is awake.
  [[maybe_unused]] const ssize_t written = ::write(static_cast<int>(handle_), &one, sizeof one);
}

void Waker::clear() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t bytes = ::read(static_cast<int>(handle_), &count, sizeof count);
}

PollHandle Waker::poll_handle() const {
  return PollHandle{handle_};
}

}  // namespace qdt::os
