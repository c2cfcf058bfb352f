#include "os/linux/host_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "os/file.h"
#include "os/linux/dns.h"
#include "os/linux/file_draft.h"
#include "os/linux/host_message.h"
#include "os/linux/memory_file.h"
#include "os/linux/resolv_conf.h"
#include "os/linux/system_error.h"
#include "os/linux/tun_parts.h"
#include "os/run_file.h"

namespace qdt::os {
namespace {

class HostServant {
 public:
  HostServant(HostLink& link, HostControl& control, const HostPlan& plan, Logger& logger)
      : link_(link), control_(control), plan_(plan), logger_(logger), access_(plan.access) {}

  MainEnd run() {
    for (;;) {
      wait_for_request();
      const auto parcel = link_.receive(HostLink::Wait::kForever, /*takes_descriptors=*/false);
      if (!parcel) return end(network_ ? MainEnd::kCrashed : MainEnd::kOrderly);
      const auto request = decode_request(parcel->bytes);
      if (!request) return end(MainEnd::kRefused);
      number_ = *number_of(parcel->bytes);
      std::visit([this](const auto& message) { serve(message); }, *request);
    }
  }

 private:
  template <typename Request>
  void serve(const Request& message) {
    using Answer = Request::Answer;
    if (const auto ok = check_request(message, plan_); !ok) {
      tell_refusal(ok.error().message);
      return answer<Answer>(fail(ok));
    }
    answer<Answer>(work(message));
  }
  // It came too late: the program has ended already.
  void serve(const request::StopHook&) {}

  void wait_for_request() {
    constexpr int kLookMilliseconds = 1000;
    pollfd polled{.fd = link_.fd(), .events = POLLIN, .revents = 0};
    do {
      bound_files();
    } while (::poll(&polled, 1, has_lent_ ? kLookMilliseconds : -1) == 0);
  }

  // A main process that somebody has taken over fills no disk by the files that it writes.
  void bound_files() {
    if (draft_) is_draft_cut_ |= bound_file(draft_->fd(), kMaxTextFileBytes);
    bound_file(published_.get(), kMaxTextFileBytes);
    // Leases are written behind what is there before they take its place (KeptFile).
    bound_file(leases_.get(), 2 * kMaxFileBytes);
  }
  // Whether there was something to cut.
  static bool bound_file(int file, std::size_t most) {
    if (!is_larger(file, most)) return false;
    [[maybe_unused]] const int cut = ::ftruncate(file, static_cast<off_t>(most));
    return true;
  }
  static bool is_larger(int file, std::size_t most) {
    struct stat status{};
    return ::fstat(file, &status) == 0 && static_cast<std::size_t>(status.st_size) > most;
  }
  // One that stays open here while the main process has it.
  UniqueFd lent(int file) {
    has_lent_ = true;
    return UniqueFd(::fcntl(file, F_DUPFD_CLOEXEC, 0));
  }

  // A main process that somebody has taken over fills no log.
  void tell_refusal(const std::string& why) {
    constexpr int kMostLines = 16;
    if (refusals_ >= kMostLines) return;
    logger_.warning("a request of the main process is refused: " + why +
                    (++refusals_ == kMostLines ? "; no more of them are told" : ""));
  }

  template <typename Answer>
  void answer(const Result<Answer>& result) {
    // If the main process has gone, the next receive() finds out.
    if (!result) descriptors_.clear();
    [[maybe_unused]] const auto sent = link_.send(encode_answer(number_, result), descriptors_);
    descriptors_.clear();
    tun_.reset();
    files_.clear();
  }

  static Result<Nothing> nothing(const Result<void>& result) {
    if (!result) return fail(result);
    return Nothing{};
  }

  // For requests about the host's network, which was opened before.
  template <typename Work>
  auto with_network(Work work) -> decltype(work(std::declval<HostNetwork&>())) {
    if (!network_) return fail("this host's network is not open");
    return work(*network_);
  }

  Result<Nothing> work(const request::OpenNetwork&) {
    if (network_) return fail("this host's network is open already");
    auto network = control_.open_network();
    if (!network) return fail(network);
    network_ = std::move(*network);
    return Nothing{};
  }
  Result<Nothing> work(const request::CloseNetwork&) {
    network_.reset();
    return Nothing{};
  }
  Result<Nothing> work(const request::ConfigureTun& message) {
    return with_network([&](HostNetwork& network) {
      return nothing(network.configure_tun(message.addresses, message.mtu));
    });
  }
  Result<Nothing> work(const request::SetTunMtu& message) {
    return with_network(
        [&](HostNetwork& network) { return nothing(network.set_tun_mtu(message.mtu)); });
  }
  Result<Nothing> work(const request::EnableForwarding& message) {
    return with_network([&](HostNetwork& network) {
      return nothing(message.is_v6 ? network.enable_ipv6_forwarding()
                                   : network.enable_forwarding());
    });
  }
  Result<Nothing> work(const request::LimitClients&) {
    if (!access_) return fail("limit what clients reach: the configuration has no clients");
    return with_network(
        [&](HostNetwork& network) { return nothing(network.limit_clients(*access_)); });
  }
  Result<Nothing> work(const request::InstallNat&) {
    if (!plan_.nat) return fail("translate addresses: the configuration has no NAT");
    return with_network(
        [&](HostNetwork& network) { return nothing(network.install_nat(*plan_.nat)); });
  }
  Result<HostLines> work(const request::FindForwardingObstacles&) {
    return with_network([&](HostNetwork& network) -> Result<HostLines> {
      return HostLines{network.forwarding_obstacles()};
    });
  }
  Result<Nothing> work(const request::RouteEverything& message) {
    return with_network([&](HostNetwork& network) {
      network.leave_outside(message.outside);
      return nothing(network.route_everything_through_tunnel());
    });
  }
  Result<Nothing> work(const request::RouteOnly& message) {
    return with_network(
        [&](HostNetwork& network) { return nothing(network.route_only(message.destinations)); });
  }
  Result<Nothing> work(const request::UseDns& message) {
    return with_network(
        [&](HostNetwork& network) { return nothing(network.use_dns(message.wish)); });
  }
  Result<Kept> work(const request::Keep&) {
    return with_network([&](HostNetwork& network) -> Result<Kept> {
      const Upkeep upkeep = network.keep();
      return Kept{.upkeep = upkeep, .ignored_routes = network.ignored_routes()};
    });
  }
  Result<Nothing> work(const request::AdoptDevice&) {
    return with_network([&](HostNetwork& network) { return nothing(network.adopt_device()); });
  }
  Result<HostNameServers> work(const request::FindNameServersOutside&) {
    if (network_) return HostNameServers{network_->name_servers_outside()};
    const auto file = look_at_resolv_conf();
    if (!file) return fail(file);
    return HostNameServers{name_servers_behind(file->content.value_or(""), {})};
  }
  Result<Nothing> work(const request::RaiseKillSwitch&) {
    if (kill_switch_) return fail("the kill switch is up already");
    auto kill_switch = control_.raise_kill_switch();
    if (!kill_switch) return fail(kill_switch);
    kill_switch_ = std::move(*kill_switch);
    return Nothing{};
  }
  Result<Kept> work(const request::KeepKillSwitch&) {
    if (!kill_switch_) return fail("the kill switch is not up");
    Kept kept;
    kill_switch_->keep(kept.upkeep);
    return kept;
  }
  Result<Nothing> work(const request::LowerKillSwitch&) {
    if (!kill_switch_) return fail("the kill switch is not up");
    kill_switch_->lower();
    kill_switch_.reset();
    return Nothing{};
  }
  // The device lives on by the descriptors that the main process gets.
  Result<TunFacts> work(const request::OpenTun&) {
    auto tun = control_.open_tun();
    if (!tun) return fail(tun);
    tun_ = std::move(*tun);
    descriptors_ = TunParts::descriptors(*tun_);
    return TunParts::facts(*tun_);
  }
  Result<Nothing> work(const request::RunHook& message) {
    // A message says now that the program is to end: StopHook, or the main process's end.
    return nothing(control_.run_hook(message.hook, PollHandle{link_.fd()}));
  }
  Result<HostFiles> work(const request::ReadFiles& message) {
    const auto contents = control_.read_files(message.part, {});
    if (!contents) return fail(contents);
    for (const std::string& content : *contents) {
      auto file = make_memory_file(content, kMaxHostFileBytes);
      if (!file) return fail(file);
      descriptors_.push_back(file->get());
      files_.push_back(std::move(*file));
    }
    return HostFiles{static_cast<std::uint8_t>(files_.size())};
  }

  Result<Nothing> work(const request::AdoptFiles&) {
    if (const auto open = open_name_servers(); !open) return fail(open);
    return nothing(control_.adopt_files({}));
  }
  // The table of what clients reach changes only where a name server is new.
  Result<void> open_name_servers() {
    if (!network_ || !access_ || plan_.files == nullptr) return {};
    ClientAccess access = *access_;
    access.name_servers = plan_.files->name_servers();
    for (const IpAddress& server : access_->name_servers) {
      const bool is_known =
          std::ranges::find(access.name_servers, server) != access.name_servers.end();
      if (!is_known && access.name_servers.size() < kMaxHostAddresses) {
        access.name_servers.push_back(server);
      }
    }
    if (std::ranges::is_permutation(access.name_servers, access_->name_servers)) return {};
    if (const auto limited = network_->limit_clients(access); !limited) return fail(limited);
    access_ = std::move(access);
    return {};
  }
  Result<FileStamp> work(const request::LookAtCertificate&) {
    const auto stamp = control_.certificate_stamp();
    if (!stamp) return fail(stamp);
    return FileStamp{*stamp};
  }

  Result<std::string> note_path() const { return run_file_path(plan_.tun.name, "resume"); }

  Result<HostFiles> work(const request::DraftNote&) {
    draft_.reset();
    const auto path = note_path();
    if (!path) return fail(path);
    auto begun = FileDraft::begin(*path, 0600);
    if (!begun) return fail(begun);
    draft_ = std::move(*begun);
    is_draft_cut_ = false;
    has_lent_ = true;
    descriptors_.push_back(draft_->fd());
    return HostFiles{1};
  }
  Result<Nothing> work(const request::PublishNote&) {
    if (!draft_) return fail("write a file: nothing was written");
    const bool is_too_large = is_draft_cut_ || is_larger(draft_->fd(), kMaxTextFileBytes);
    published_ = lent(draft_->fd());
    const auto published = is_too_large ? fail("write a file: it is too large") : draft_->publish();
    draft_.reset();
    return nothing(published);
  }
  Result<Nothing> work(const request::ForgetDraft&) {
    draft_.reset();
    return Nothing{};
  }
  Result<Nothing> work(const request::RemoveNote&) {
    draft_.reset();
    const auto path = note_path();
    if (!path) return fail(path);
    return nothing(remove_file(*path));
  }
  Result<HostFiles> work(const request::OpenLeaseFile&) {
    auto file = control_.open_lease_file();
    if (!file) return fail(file);
    files_.emplace_back(static_cast<int>(file->release()));
    leases_ = lent(files_.back().get());
    descriptors_.push_back(files_.back().get());
    return HostFiles{1};
  }

  Result<HostFiles> work(const request::OpenControlSocket&) {
    const auto socket = control_.open_control_socket();
    if (!socket) return fail(socket);
    files_.emplace_back(static_cast<int>(*socket));
    descriptors_.push_back(files_.back().get());
    return HostFiles{1};
  }

  MainEnd end(MainEnd how) {
    if (how == MainEnd::kRefused) {
      logger_.error("the main process has sent what is no request; this host is put back");
    } else if (how == MainEnd::kCrashed) {
      logger_.warning("the main process has gone without an end; this host is put back");
    }
    bound_files();
    // While a kill switch stays up, the socket's file tells of the crash.
    if (network_ && kill_switch_) control_.leave_control_socket();
    if (network_ && plan_.leftover_nat == LeftoverNat::kKept) network_->leave_nat();
    network_.reset();
    kill_switch_.reset();  // stays up
    return how;
  }

  HostLink& link_;
  HostControl& control_;
  const HostPlan& plan_;
  Logger& logger_;
  std::optional<ClientAccess> access_;  // the plan's, with the name servers of late
  std::unique_ptr<KillSwitch> kill_switch_;
  std::unique_ptr<HostNetwork> network_;
  RequestNumber number_ = 0;
  int refusals_ = 0;
  std::optional<FileDraft> draft_;
  bool is_draft_cut_ = false;  // by bound_files(): what is left of it is not what was written
  // Files that the main process has open to write, besides the draft.
  UniqueFd published_;
  UniqueFd leases_;
  bool has_lent_ = false;
  // Parts of the answer that is about to go.
  std::optional<TunDevice> tun_;
  std::vector<UniqueFd> files_;
  std::vector<int> descriptors_;
};

}  // namespace

MainEnd serve_host(HostLink& link, HostControl& control, const HostPlan& plan, Logger& logger) {
  return HostServant(link, control, plan, logger).run();
}

}  // namespace qdt::os
