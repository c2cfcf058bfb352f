#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "os/host_control.h"
#include "os/linux/host_link.h"
#include "os/linux/host_message.h"

namespace qdt::os {

/// A reason to look up while an answer is waited for: `handle` has become readable.
struct Interruption {
  PollHandle handle;
  enum class Then {
    kTellHook,     ///< the host process is to end the hook that it runs, and answers then
    kWaitNoLonger  ///< the answer is nobody's any more
  } then;
};

/// Questions to a host process and its answers, one after the other. One thread.
class HostQuestions {
 public:
  explicit HostQuestions(HostLink link) : link_(std::move(link)) {}

  /// Longer than anything takes on a host that works: programs that set name servers have their 30
  /// s.
  static constexpr Duration kPatience = 60s;
  /// For what is asked again soon, so that a host process that stands still holds nobody up:
  /// shorter than what a client takes for a sleep of the whole host.
  static constexpr Duration kShortPatience = 2s;

  /// Asks and waits. An answer that does not come in time is an error. Until it comes nothing else
  /// is asked, and then it is forgotten, but where the same is asked again, with kShortPatience.
  template <typename Request>
  Result<typename Request::Answer> ask(const Request& request, Duration patience = kPatience,
                                       std::optional<Interruption> stop = std::nullopt) {
    if (const auto ok = exchange(request, patience, stop); !ok) return fail(ok);
    auto answer = decode_answer<typename Request::Answer>(answer_.bytes);
    return answer ? std::move(*answer) : fail("the host process has sent what is no answer");
  }
  /// Asks for what is done in the end, whenever the host process comes to it. Nobody hears of it.
  template <typename Request>
  void leave_behind(const Request& request) {
    const auto message = encode(asked_ + 1, HostRequest(request));
    if (message && link_.send(*message)) ++asked_;
  }
  /// The descriptors that came with the answer.
  std::vector<UniqueFd> take_descriptors() { return std::move(answer_.descriptors); }

  /// Whether the host process has gone. Forgets answers that come late.
  bool has_ended();
  /// It owes an answer.
  bool is_behind() const { return asked_ != answered_; }
  /// It has for so long that it must have been stopped.
  bool stands_still() const;
  int fd() const { return link_.fd(); }
  void close() { link_.close(); }

 private:
  Result<void> exchange(const HostRequest& request, Duration patience,
                        std::optional<Interruption> stop);
  /// Until the latest question is answered, or the time is up.
  Result<void> wait(Timestamp deadline, std::optional<Interruption> stop);

  HostLink link_;
  RequestNumber asked_ = 0;
  std::vector<std::uint8_t> asked_message_;
  Timestamp asked_at_;
  RequestNumber answered_ = 0;
  HostParcel answer_;
};

/// HostControl by requests to a host process.
class RemoteHostControl final : public HostControl {
 public:
  /// `process` is the host process, a child of ours; 0: nobody is to be waited for.
  RemoteHostControl(HostLink link, pid_t process, std::string lease_path = "")
      : questions_(std::move(link)), process_(process), lease_path_(std::move(lease_path)) {}
  ~RemoteHostControl() override;

  Result<std::unique_ptr<HostNetwork>> open_network() override;
  Result<std::unique_ptr<KillSwitch>> raise_kill_switch() override;
  Result<TunDevice> open_tun() override;
  Result<void> run_hook(const Hook& hook, std::optional<PollHandle> stop) override;
  Result<std::vector<std::string>> read_files(HostFileReader::Part part,
                                              std::optional<PollHandle> stop) override;
  Result<void> adopt_files(std::optional<PollHandle> stop) override;
  Result<std::uint64_t> certificate_stamp() override;
  std::vector<NameServer> name_servers_of_files() override;
  Result<void> keep_note(std::string_view content) override;
  Result<KeptFile> open_lease_file() override;
  Result<PollHandle> open_control_socket() override;
  std::optional<PollHandle> poll_handle() const override;
  std::optional<std::string> has_ended() override;
  Result<void> close() override;

 private:
  std::string explain_end();

  HostQuestions questions_;
  pid_t process_;
  std::string lease_path_;  // for words
};

}  // namespace qdt::os
