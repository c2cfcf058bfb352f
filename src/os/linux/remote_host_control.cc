#include "os/linux/remote_host_control.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "os/clock.h"
#include "os/linux/memory_file.h"
#include "os/linux/resolv_conf.h"
#include "os/linux/system_error.h"
#include "os/linux/tun_parts.h"

namespace qdt::os {
namespace {

/// How long the undoing of everything may take at the end; a service manager waits 90 s by default.
constexpr Duration kEndPatience = 60s;
/// For one that owes an answer already: it puts the host back all the same, once it goes on.
constexpr Duration kShortEndPatience = 3s;
constexpr Duration kLook = 10ms;

constexpr const char* kNoAnswer =
    "the process that changes this host's network does not answer; it may have been stopped "
    "(SIGCONT has it go on)";
constexpr const char* kGone = "the process that changes this host's network has gone";

constexpr const char* kWriteFile = "write a file";

Result<void> write_whole(const UniqueFd& file, std::string_view content) {
  const ssize_t bytes = ::pwrite(file.get(), content.data(), content.size(), 0);
  if (bytes < 0) return os_error(kWriteFile);
  if (static_cast<std::size_t>(bytes) == content.size()) return {};
  return fail(std::string(kWriteFile) + ": the file system is full");
}

Result<void> done(const Result<Nothing>& answer) {
  if (!answer) return fail(answer);
  return {};
}

int milliseconds_until(Timestamp deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

// A host process that is busy is no fault of the host's yet.
bool is_told(const HostQuestions& questions) {
  return !questions.is_behind() || questions.stands_still();
}

std::optional<Interruption> no_longer_than(std::optional<PollHandle> stop) {
  if (!stop) return std::nullopt;
  return Interruption{.handle = *stop, .then = Interruption::Then::kWaitNoLonger};
}

// Asks for a part of the end. A host process that owes an answer already has little time for this
// one, and does it once it goes on: it is not to take an end in order for a crash.
template <typename Request>
void finish(HostQuestions& questions, const Request& request) {
  const bool was_behind = questions.is_behind();
  const auto answer = questions.ask(request, was_behind ? kShortEndPatience : kEndPatience);
  if (!answer && was_behind) questions.leave_behind(request);
}

class RemoteHostNetwork final : public HostNetwork {
 public:
  explicit RemoteHostNetwork(HostQuestions& questions) : questions_(questions) {}
  // The host process has logged what it could not undo.
  ~RemoteHostNetwork() override { finish(questions_, request::CloseNetwork{}); }

  Result<void> configure_tun(std::span<const TunAddress> addresses, std::size_t mtu) override {
    return done(questions_.ask(
        request::ConfigureTun{.addresses = {addresses.begin(), addresses.end()}, .mtu = mtu}));
  }
  Result<void> set_tun_mtu(std::size_t mtu) override {
    return done(questions_.ask(request::SetTunMtu{mtu}));
  }
  // The host process has these options, and the next ones, in its plan.
  Result<void> limit_clients(const ClientAccess&) override {
    return done(questions_.ask(request::LimitClients{}));
  }
  Result<void> enable_forwarding() override {
    return done(questions_.ask(request::EnableForwarding{.is_v6 = false}));
  }
  Result<void> enable_ipv6_forwarding() override {
    return done(questions_.ask(request::EnableForwarding{.is_v6 = true}));
  }
  Result<void> install_nat(const NatOptions&) override {
    return done(questions_.ask(request::InstallNat{}));
  }
  std::vector<std::string> forwarding_obstacles() override {
    auto answer = questions_.ask(request::FindForwardingObstacles{});
    if (answer) return std::move(answer->lines);
    return {answer.error().message};
  }
  void leave_outside(const Outside& outside) override { outside_ = outside; }
  Result<void> route_everything_through_tunnel() override {
    return done(questions_.ask(request::RouteEverything{outside_}));
  }
  Result<void> route_only(std::span<const Prefix> destinations) override {
    return done(questions_.ask(request::RouteOnly{{destinations.begin(), destinations.end()}}));
  }
  Result<void> use_dns(const NameServerWish& wish) override {
    return done(questions_.ask(request::UseDns{wish}));
  }
  Upkeep keep() override {
    auto answer = questions_.ask(request::Keep{}, HostQuestions::kShortPatience);
    if (answer) {
      ignored_routes_ = std::move(answer->ignored_routes);
      return answer->upkeep;
    }
    Upkeep upkeep;
    if (is_told(questions_)) upkeep.add_fault(answer.error().message);
    return upkeep;
  }
  Result<void> adopt_device() override { return done(questions_.ask(request::AdoptDevice{})); }
  std::vector<std::string> ignored_routes() const override { return ignored_routes_; }
  std::vector<NameServer> name_servers_outside() override {
    auto answer = questions_.ask(request::FindNameServersOutside{}, HostQuestions::kShortPatience);
    if (answer) name_servers_ = std::move(answer->servers);
    return name_servers_;
  }

 private:
  HostQuestions& questions_;
  Outside outside_;
  std::vector<std::string> ignored_routes_;
  std::vector<NameServer> name_servers_;
};

class RemoteKillSwitch final : public KillSwitch {
 public:
  explicit RemoteKillSwitch(HostQuestions& questions) : questions_(questions) {}

  void keep(Upkeep& upkeep) override {
    const auto answer = questions_.ask(request::KeepKillSwitch{}, HostQuestions::kShortPatience);
    if (answer) return upkeep.add(answer->upkeep);
    if (is_told(questions_)) upkeep.add_fault(answer.error().message);
  }
  bool outlives_process() const override { return true; }
  void lower() override { finish(questions_, request::LowerKillSwitch{}); }

 private:
  HostQuestions& questions_;
};

std::string words_of(int status) {
  if (WIFEXITED(status)) return "ended with status " + std::to_string(WEXITSTATUS(status));
  const char* const name = ::sigabbrev_np(WTERMSIG(status));
  return std::string("was ended by ") + (name != nullptr ? "SIG" : "a signal") +
         (name != nullptr ? name : "");
}

}  // namespace

Result<void> HostQuestions::exchange(const HostRequest& request, Duration patience,
                                     std::optional<Interruption> stop) {
  const bool is_repeated = patience <= kShortPatience;
  const Timestamp deadline = now() + patience;
  if (is_behind()) {
    const auto again = encode(asked_, request);
    const bool is_same = is_repeated && again && *again == asked_message_;
    if (is_same) return wait(stands_still() ? now() : deadline, stop);
    const Timestamp first =
        stands_still() ? std::min(deadline, now() + kShortEndPatience) : deadline;
    const bool may_leave = stop && stop->then == Interruption::Then::kWaitNoLonger;
    const auto ok = wait(is_repeated ? now() : first, may_leave ? stop : std::nullopt);
    if (!ok) return ok;
  }
  auto message = encode(asked_ + 1, request);
  if (!message) return fail(message);
  if (const auto sent = link_.send(*message); !sent) return sent;
  ++asked_;
  asked_message_ = std::move(*message);
  asked_at_ = now();
  return wait(deadline, stop);
}

bool HostQuestions::stands_still() const {
  constexpr Duration kLongest = 5s;
  return is_behind() && now() - asked_at_ >= kLongest;
}

Result<void> HostQuestions::wait(Timestamp deadline, std::optional<Interruption> stop) {
  for (bool is_told = !stop; is_behind();) {
    std::array<pollfd, 2> polled = {
        {{.fd = link_.fd(), .events = POLLIN, .revents = 0},
         {.fd = is_told ? -1 : static_cast<int>(stop->handle), .events = POLLIN, .revents = 0}}};
    const int ready = ::poll(polled.data(), polled.size(), milliseconds_until(deadline));
    const bool is_interrupted = !is_told && (polled[1].revents & POLLIN) != 0;
    if (is_interrupted && stop->then == Interruption::Then::kTellHook) {
      const auto message = encode(asked_, request::StopHook{});
      if (message) [[maybe_unused]]
        const auto sent = link_.send(*message);
      is_told = true;
    }
    auto parcel = link_.receive(HostLink::Wait::kNone, /*takes_descriptors=*/true);
    if (link_.has_ended()) return fail(kGone);
    if (parcel && number_of(parcel->bytes) == asked_) {
      answered_ = asked_;
      answer_ = std::move(*parcel);
    } else if (!parcel && is_interrupted && !is_told) {
      return fail("something else was asked for before the host process had answered");
    } else if (!parcel && ready == 0) {
      return fail(kNoAnswer);
    }
  }
  return {};
}

bool HostQuestions::has_ended() {
  while (!link_.has_ended()) {
    const auto parcel = link_.receive(HostLink::Wait::kNone, /*takes_descriptors=*/true);
    if (!parcel) break;
    if (number_of(parcel->bytes) == asked_) answered_ = asked_;
  }
  return link_.has_ended();
}

RemoteHostControl::~RemoteHostControl() {
  [[maybe_unused]] const auto closed = close();
}

Result<std::unique_ptr<HostNetwork>> RemoteHostControl::open_network() {
  if (const auto opened = questions_.ask(request::OpenNetwork{}); !opened) return fail(opened);
  return std::make_unique<RemoteHostNetwork>(questions_);
}

Result<std::unique_ptr<KillSwitch>> RemoteHostControl::raise_kill_switch() {
  if (const auto raised = questions_.ask(request::RaiseKillSwitch{}); !raised) return fail(raised);
  return std::make_unique<RemoteKillSwitch>(questions_);
}

Result<TunDevice> RemoteHostControl::open_tun() {
  const auto facts = questions_.ask(request::OpenTun{});
  if (!facts) return fail(facts);
  return TunParts::join(*facts, questions_.take_descriptors());
}

Result<void> RemoteHostControl::run_hook(const Hook& hook, std::optional<PollHandle> stop) {
  std::optional<Interruption> end;
  if (stop) end = {.handle = *stop, .then = Interruption::Then::kTellHook};
  return done(questions_.ask(request::RunHook{hook}, HostQuestions::kPatience, end));
}

Result<std::vector<std::string>> RemoteHostControl::read_files(HostFileReader::Part part,
                                                               std::optional<PollHandle> stop) {
  const auto files =
      questions_.ask(request::ReadFiles{part}, HostQuestions::kPatience, no_longer_than(stop));
  if (!files) return fail(files);
  const auto descriptors = questions_.take_descriptors();
  if (descriptors.size() != files->count) return fail("read the files again: they have not come");
  std::vector<std::string> contents;
  for (const UniqueFd& file : descriptors) {
    auto content = read_memory_file(file.get(), kMaxHostFileBytes, "read the files again");
    if (!content) return fail(content);
    contents.push_back(std::move(*content));
  }
  return contents;
}

Result<void> RemoteHostControl::adopt_files(std::optional<PollHandle> stop) {
  return done(
      questions_.ask(request::AdoptFiles{}, HostQuestions::kPatience, no_longer_than(stop)));
}

Result<std::uint64_t> RemoteHostControl::certificate_stamp() {
  const auto answer = questions_.ask(request::LookAtCertificate{}, HostQuestions::kShortPatience);
  if (!answer) return fail(answer);
  return answer->stamp;
}

std::vector<NameServer> RemoteHostControl::name_servers_of_files() {
  const UniqueFd file(::open(kResolvConf, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.is_open() || errno != EACCES) return {};
  auto answer = questions_.ask(request::FindNameServersOutside{}, HostQuestions::kShortPatience);
  return answer ? std::move(answer->servers) : std::vector<NameServer>();
}

Result<void> RemoteHostControl::keep_note(std::string_view content) {
  constexpr Duration kPatience = HostQuestions::kShortPatience;
  if (content.empty()) return done(questions_.ask(request::RemoveNote{}, kPatience));
  if (const auto begun = questions_.ask(request::DraftNote{}, kPatience); !begun) {
    return fail(begun);
  }
  const auto descriptors = questions_.take_descriptors();
  if (descriptors.size() != 1) return fail(std::string(kWriteFile) + ": it has not come");
  if (const auto ok = write_whole(descriptors.front(), content); !ok) {
    [[maybe_unused]] const auto gone = questions_.ask(request::ForgetDraft{}, kPatience);
    return fail(ok);
  }
  ::fdatasync(descriptors.front().get());
  return done(questions_.ask(request::PublishNote{}, kPatience));
}

Result<KeptFile> RemoteHostControl::open_lease_file() {
  const auto files = questions_.ask(request::OpenLeaseFile{}, HostQuestions::kShortPatience);
  if (!files) return fail(files);
  auto descriptors = questions_.take_descriptors();
  if (descriptors.size() != 1) return fail("open " + lease_path_ + ": it has not come");
  return KeptFile::adopt(lease_path_, descriptors.front().release());
}

Result<PollHandle> RemoteHostControl::open_control_socket() {
  if (const auto opened = questions_.ask(request::OpenControlSocket{}); !opened) {
    return fail(opened);
  }
  auto descriptors = questions_.take_descriptors();
  if (descriptors.size() != 1) return fail("open the control socket: it has not come");
  return PollHandle{descriptors.front().release()};
}

std::optional<PollHandle> RemoteHostControl::poll_handle() const {
  return PollHandle{questions_.fd()};
}

std::optional<std::string> RemoteHostControl::has_ended() {
  if (!questions_.has_ended()) return std::nullopt;
  return std::string(kGone) + explain_end() +
         "; nobody looks after the host any more, and what was changed there is undone by the next "
         "start, or by --cleanup";
}

// It has closed its end of the socket pair: it is about to be a child that has ended, at least.
std::string RemoteHostControl::explain_end() {
  int status = 0;
  for (int looks = 0; process_ > 0 && looks < 100; ++looks) {
    const pid_t ended = ::waitpid(process_, &status, WNOHANG);
    if (ended == process_) {
      process_ = 0;
      return " (" + words_of(status) + ")";
    }
    if (ended < 0 && errno != EINTR) break;
    ::poll(nullptr, 0, static_cast<int>(kLook / 1ms));
  }
  return "";
}

Result<void> RemoteHostControl::close() {
  const bool was_behind = questions_.is_behind();
  const bool had_ended = questions_.fd() >= 0 && questions_.has_ended();
  questions_.close();
  const Timestamp deadline = now() + (was_behind ? kShortEndPatience : kEndPatience);
  while (process_ > 0) {
    int status = 0;
    const pid_t ended = ::waitpid(process_, &status, WNOHANG);
    if (ended == process_ || (ended < 0 && errno != EINTR)) {
      process_ = 0;
      const bool is_good = ended < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
      if (!is_good) return fail(std::string(kGone) + " (" + words_of(status) + ")");
      break;
    }
    if (now() >= deadline) {
      process_ = 0;
      return fail(std::string(kNoAnswer) + "; it puts the host back once it goes on");
    }
    ::poll(nullptr, 0, 1);
  }
  if (had_ended) return fail(kGone);
  return {};
}

}  // namespace qdt::os
