#include "os/side_process.h"

#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <mutex>
#include <optional>
#include <utility>

#include "base/archive.h"
#include "os/clock.h"
#include "os/linux/capabilities.h"
#include "os/linux/child_process.h"
#include "os/linux/landlock.h"
#include "os/linux/memory_file.h"
#include "os/linux/system_call_filter.h"
#include "os/linux/system_error.h"

namespace qdt::os {
namespace {

using Number = std::uint32_t;

// It reads and writes files, and nothing else: no network, no program, no other process.
constexpr std::array kRefused = {"socket", "socketpair", "connect",    "bind",     "listen",
                                 "accept", "accept4",    "execve",     "execveat", "kill",
                                 "tkill",  "tgkill",     "pidfd_open", "bpf",      "io_uring_setup",
                                 "kcmp",   "fsconfig",   "fspick"};
// Of the one that answers, too.
constexpr std::array kForks = {"fork", "vfork"};
// Nobody asks with this number: the one who answers is another, and what was asked is lost.
constexpr Number kAnother = 0;
// Between the end of one and the beginning of the next, so that a fault at each start is no load.
constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 200'000'000};

// The files are root's or the starting user's, in folders that may be somebody else's.
constexpr Capabilities kKept = Capabilities{1} << CAP_DAC_OVERRIDE;

#ifdef QDT_SANITIZED
// Reports of sanitizers go where they are told to.
constexpr bool kMayRestrictFiles = false;
#else
constexpr bool kMayRestrictFiles = true;
#endif

// A kernel that has not got one of them leaves what it has to the others.
void limit(const SideProcess::Plan& plan) {
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (kMayRestrictFiles) static_cast<void>(restrict_writing(plan.places));
  bound_capabilities(kKept);
  static_cast<void>(keep_capabilities(effective_capabilities() & kKept));
  static_cast<void>(refuse_system_calls(kRefused));
}

std::vector<std::uint8_t> with_number(Number number, std::string_view text) {
  std::vector<std::uint8_t> message(sizeof number + text.size());
  store_be<Number>(message.data(), number);
  append(MutableBytes(message).subspan(sizeof number), as_bytes(text));
  return message;
}

std::optional<Number> number_of(Bytes message) {
  if (message.size() < sizeof(Number)) return std::nullopt;
  return load_be<Number>(message.data());
}

void serve(HostLink& link, const SideProcess::Answer& answer) {
  for (;;) {
    const auto question = link.receive(HostLink::Wait::kForever, /*takes_descriptors=*/false);
    if (!question) return;
    const auto number = number_of(question->bytes);
    if (!number) return;
    const std::string text = answer(as_text(Bytes(question->bytes).subspan(sizeof(Number))));
    const auto file = make_memory_file(text, SideProcess::kMaxAnswerBytes);
    std::vector<int> descriptors;
    if (file) descriptors.push_back(file->get());
    // If the main process has gone, the next receive() finds out.
    [[maybe_unused]] const auto sent = link.send(with_number(*number, ""), descriptors);
  }
}

// What was asked while nobody was there is not answered late: whoever asked has been told so.
void begin_anew(HostLink& link) {
  while (link.receive(HostLink::Wait::kNone, /*takes_descriptors=*/false)) {
  }
  [[maybe_unused]] const auto sent = link.send(with_number(kAnother, ""));
}

[[noreturn]] void be_side_process(HostLink& link, const SideProcess::Plan& plan,
                                  const std::function<SideProcess::Answer()>& make_answer,
                                  bool is_first) {
  show_title(plan.title, plan.name.c_str());
  [[maybe_unused]] const auto limited = refuse_system_calls(kForks);
  {
    const SideProcess::Answer answer = make_answer();
    if (!is_first) begin_anew(link);
    serve(link, answer);
  }
  ::_exit(0);
}

// One after the other answers, until one ends by itself: the main process has gone.
[[noreturn]] void watch_over_side_processes(
    HostLink link, const SideProcess::Plan& plan,
    const std::function<SideProcess::Answer()>& make_answer) {
  block_signals();
  link = keep_only(std::move(link), nullptr);
  show_title(plan.watcher_title, "qdt-watch");
  limit(plan);
  for (bool is_first = true;; is_first = false) {
    const pid_t process = ::fork();
    if (process == 0) be_side_process(link, plan, make_answer, is_first);
    int status = 0;
    pid_t ended = -1;
    while ((ended = ::waitpid(process, &status, 0)) < 0 && errno == EINTR) {
    }
    if (ended != process || !WIFSIGNALED(status)) ::_exit(0);
    ::nanosleep(&kPause, nullptr);
  }
}

int milliseconds_until(Timestamp deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

}  // namespace

struct SideProcess::State {
  State(HostLink its_link, pid_t its_process, std::string its_title)
      : link(std::move(its_link)), process(its_process), title(std::move(its_title)) {}

  std::unexpected<Error> killed() const {
    return fail("the process " + title +
                    " was killed, and another has taken its place; what was asked of it may be "
                    "done or not",
                ErrorCode::kUnavailable);
  }
  std::unexpected<Error> gone() const {
    return fail("the process " + title + " has gone; restart the server", ErrorCode::kUnavailable);
  }
  // Until the latest question is answered.
  Result<void> wait(Timestamp deadline) {
    while (asked != answered) {
      pollfd polled{.fd = link.fd(), .events = POLLIN, .revents = 0};
      const int ready = ::poll(&polled, 1, milliseconds_until(deadline));
      auto parcel = link.receive(HostLink::Wait::kNone, /*takes_descriptors=*/true);
      if (link.has_ended()) return gone();
      if (parcel && number_of(parcel->bytes) == asked) {
        answered = asked;
        answer = std::move(*parcel);
      } else if (parcel && number_of(parcel->bytes) == kAnother) {
        answered = asked;
        return killed();
      } else if (!parcel && ready == 0) {
        return fail("the process " + title + " has not answered yet; its disk may be slow",
                    ErrorCode::kTimeout);
      }
    }
    return {};
  }

  std::mutex mutex;
  HostLink link;
  pid_t process;
  std::string title;
  Number asked = 0;
  Number answered = 0;
  HostParcel answer;
};

SideProcess::SideProcess(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<SideProcess>> SideProcess::start(
    const Plan& plan, const std::function<Answer()>& make_answer) {
  auto links = HostLink::make_pair();
  if (!links) return fail(links);
  auto& [ours, theirs] = *links;
  const pid_t process = ::fork();
  if (process < 0) return os_error("start the process " + plan.title);
  if (process == 0) {
    ours.close();
    watch_over_side_processes(std::move(theirs), plan, make_answer);
  }
  theirs.close();
  return std::unique_ptr<SideProcess>(
      new SideProcess(std::make_unique<State>(std::move(ours), process, plan.title)));
}

SideProcess::~SideProcess() {
  state_->link.close();
  while (::waitpid(state_->process, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<std::string> SideProcess::ask(std::string_view question, Timestamp deadline) {
  if (question.size() > kMaxQuestionBytes) {
    return fail("ask the process " + state_->title + ": the question is too long",
                ErrorCode::kInvalidArgument);
  }
  const std::scoped_lock lock(state_->mutex);
  if (const auto ok = state_->wait(deadline); !ok) return fail(ok);
  // Another may have come while nothing was asked of the one before it: nothing is lost.
  while (state_->link.receive(HostLink::Wait::kNone, /*takes_descriptors=*/true)) {
  }
  if (!state_->link.send(with_number(state_->asked + 1, question))) return state_->gone();
  ++state_->asked;
  if (const auto ok = state_->wait(deadline); !ok) return fail(ok);
  const auto descriptors = std::move(state_->answer.descriptors);
  if (descriptors.size() != 1) {
    return fail("ask the process " + state_->title + ": it has no memory for its answer",
                ErrorCode::kUnavailable);
  }
  return read_memory_file(descriptors.front().get(), kMaxAnswerBytes,
                          "ask the process " + state_->title);
}

}  // namespace qdt::os
