#include "os/poller.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "os/clock.h"
#include "os/windows/poll_handle.h"
#include "os/windows/resume_notice.h"
#include "os/windows/system_error.h"
#include "os/windows/unique_handle.h"

// Newer than mingw-w64's headers; Windows 10 1803 and later know it.
#ifndef CREATE_WAITABLE_TIMER_HIGH_RESOLUTION
#define CREATE_WAITABLE_TIMER_HIGH_RESOLUTION 0x00000002
#endif

namespace qdt::os {
namespace {

// WaitForMultipleObjects takes 64; two are the poller's own.
constexpr std::size_t kMaxSources = MAXIMUM_WAIT_OBJECTS - 2;

// Longer waits than this need no timer: WaitForMultipleObjects ends them up to a clock tick (16 ms)
// late.
constexpr Duration kTimerLimit = 200ms;

// A wait's limit in milliseconds; it looks again after this long in any case.
constexpr std::int64_t kLongestWaitMilliseconds = 3'600'000;

UniqueHandle make_timer() {
  constexpr DWORD kAccess = SYNCHRONIZE | TIMER_MODIFY_STATE;
  UniqueHandle timer(
      ::CreateWaitableTimerExW(nullptr, nullptr, CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, kAccess));
  if (timer.is_open()) return timer;
  return UniqueHandle(::CreateWaitableTimerExW(nullptr, nullptr, 0, kAccess));
}

}  // namespace

struct Poller::State {
  struct Source {
    PollHandle handle;
    int key;
    bool is_writable_watched = false;
  };

  State() : resumed(make_event()), notice(resumed.get()), timer(make_timer()) {}

  Source* find(PollHandle handle) {
    const auto found = std::find_if(sources.begin(), sources.begin() + count,
                                    [&](const Source& one) { return one.handle == handle; });
    return found == sources.begin() + count ? nullptr : &*found;
  }

  // The handles waited for: the sources, then what wakes a sleeper, then the timer where it is set.
  DWORD list_handles(bool has_timer);
  // Whether something else than a time was waited for and came.
  bool wait_once(std::optional<Duration> timeout);
  void report(const Source& source, bool is_set);

  UniqueHandle resumed;
  ResumeNotice notice;
  UniqueHandle timer;
  std::array<Source, kMaxSources> sources{};
  std::size_t count = 0;
  std::array<HANDLE, MAXIMUM_WAIT_OBJECTS> handles{};
  std::array<PollEvent, kMaxSources> ready{};
  std::size_t ready_count = 0;
};

Poller::Poller() = default;
Poller::Poller(Poller&&) noexcept = default;
Poller& Poller::operator=(Poller&&) noexcept = default;
Poller::~Poller() = default;

Result<Poller> Poller::open() {
  Poller poller;
  poller.state_ = std::make_unique<State>();
  const bool is_complete = poller.state_->resumed.is_open() && poller.state_->timer.is_open();
  if (!is_complete) return windows_error("make a timer to wait with");
  return poller;
}

Result<void> Poller::add(PollHandle handle, int key) {
  if (event_of(handle) == nullptr) return fail("watch an event: there is none");
  if (state_->count == kMaxSources) return fail("watch an event: too many are watched");
  state_->sources[state_->count++] = {handle, key};
  return {};
}

void Poller::watch_writable(PollHandle handle, int key, bool is_watched) {
  State::Source* source = state_->find(handle);
  if (source == nullptr) return;
  source->key = key;
  source->is_writable_watched = is_watched;
}

void Poller::remove(PollHandle handle) {
  State::Source* source = state_->find(handle);
  if (source == nullptr) return;
  State::Source* const end = state_->sources.data() + state_->count;
  std::move(source + 1, end, source);
  --state_->count;
}

DWORD Poller::State::list_handles(bool has_timer) {
  DWORD listed = 0;
  for (const Source& source : std::span(sources).first(count)) {
    handles[listed++] = event_of(source.handle);
  }
  handles[listed++] = resumed.get();
  if (has_timer) handles[listed++] = timer.get();
  return listed;
}

void Poller::State::report(const Source& source, bool is_set) {
  const PollKind kind = kind_of(source.handle);
  const bool is_writable = source.is_writable_watched && (is_set || kind != PollKind::kSocket);
  if (!is_set && !is_writable) return;
  if (is_set && kind == PollKind::kAutoReset) ::SetEvent(event_of(source.handle));
  ready[ready_count++] = {.key = source.key, .is_readable = is_set, .is_writable = is_writable};
}

bool Poller::State::wait_once(std::optional<Duration> timeout) {
  const bool has_timer = timeout && *timeout > 0ns && *timeout < kTimerLimit;
  DWORD milliseconds = INFINITE;
  if (has_timer) {
    // Negative: from now on. In 100 ns, rounded up.
    LARGE_INTEGER due{};
    due.QuadPart = -((timeout->count() + 99) / 100);
    ::SetWaitableTimer(timer.get(), &due, 0, nullptr, nullptr, FALSE);
  } else if (timeout) {
    const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(*timeout).count();
    milliseconds = static_cast<DWORD>(std::min<std::int64_t>(rounded, kLongestWaitMilliseconds));
  }
  const DWORD listed = list_handles(has_timer);
  const DWORD result = ::WaitForMultipleObjects(listed, handles.data(), FALSE, milliseconds);
  const bool has_first = result < WAIT_OBJECT_0 + count;
  const std::size_t first = has_first ? result - WAIT_OBJECT_0 : count;

  // The first that is set was told; those behind it are asked, so that none starves.
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_set =
        i == first || (i > first && ::WaitForSingleObject(handles[i], 0) == WAIT_OBJECT_0);
    report(sources[i], is_set);
  }
  const bool has_resumed = result == WAIT_OBJECT_0 + count;
  if (has_resumed) ::ResetEvent(resumed.get());
  return ready_count > 0 || has_resumed;
}

std::span<const PollEvent> Poller::wait(Timestamp deadline, Timestamp now) {
  State& state = *state_;
  state.ready_count = 0;
  const bool is_always_ready = std::any_of(
      state.sources.begin(), state.sources.begin() + state.count, [](const State::Source& source) {
        return source.is_writable_watched && kind_of(source.handle) != PollKind::kSocket;
      });
  for (;; now = os::now()) {
    std::optional<Duration> timeout;
    if (is_always_ready) {
      timeout = Duration::zero();
    } else if (deadline != kNever) {
      timeout = std::max(deadline - now, Duration::zero());
    }
    if (state.wait_once(timeout)) break;
    // A wait may end early by as much as its clock is coarse.
    if (timeout && (*timeout == Duration::zero() || os::now() >= deadline)) break;
  }
  return std::span(state.ready).first(state.ready_count);
}

Result<Waker> Waker::open() {
  UniqueHandle event = make_event();
  if (!event.is_open()) return windows_error("make an event");
  return Waker(reinterpret_cast<std::intptr_t>(event.release()));
}

namespace {

HANDLE event(std::intptr_t handle) {
  return event_of(PollHandle{handle});
}

}  // namespace

Waker::Waker(Waker&& other) noexcept : handle_(std::exchange(other.handle_, -1)) {}

Waker& Waker::operator=(Waker&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Waker::~Waker() {
  if (handle_ != -1) ::CloseHandle(event(handle_));
}

void Waker::wake() {
  ::SetEvent(event(handle_));
}

void Waker::clear() {
  ::ResetEvent(event(handle_));
}

PollHandle Waker::poll_handle() const {
  return PollHandle{handle_};
}

}  // namespace qdt::os
