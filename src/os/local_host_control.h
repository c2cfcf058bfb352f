#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/control_socket.h"
#include "os/file.h"
#include "os/host_control.h"
#include "os/program.h"
#include "os/run_file.h"
#include "os/steering.h"

namespace qdt::os {

/// HostControl in this process, by its own privilege.
class LocalHostControl : public HostControl {
 public:
  /// The logger outlives the object.
  LocalHostControl(HostPlan plan, Logger& logger) : plan_(std::move(plan)), logger_(logger) {}
  LocalHostControl(HostPlan plan, std::unique_ptr<Logger> logger)
      : plan_(std::move(plan)), owned_logger_(std::move(logger)), logger_(*owned_logger_) {}

  Result<std::unique_ptr<HostNetwork>> open_network() override {
    return open_host_network(plan_.tun.name, logger_, plan_.leftover_nat);
  }

  Result<std::unique_ptr<KillSwitch>> raise_kill_switch() override {
    if (!plan_.kill_switch) return fail("raise a kill switch: the configuration has none");
    return KillSwitch::raise(*plan_.kill_switch, logger_);
  }

  // A host that refuses to steer costs speed, not service.
  Result<TunDevice> open_tun() override {
    auto tun = TunDevice::open(plan_.tun, logger_);
    if (!tun || !plan_.is_steered) return tun;
    if (const auto ok = steer_packets(tun->queues, plan_.ipv6_difference, plan_.tun.programs.get());
        !ok) {
      logger_.warning(ok.error().message +
                      "; the first shard takes all packets to clients and hands them over, which "
                      "is slower");
    }
    return tun;
  }

  Result<void> run_hook(const Hook& hook, std::optional<PollHandle> stop) override {
    const auto& words = hook.moment == Hook::Moment::kUp ? plan_.up : plan_.down;
    if (words.empty()) return {};
    return run_program(
        {.words = words, .environment = environment_of(hook, plan_.tun.name), .stop = stop},
        logger_);
  }

  Result<std::vector<std::string>> read_files(HostFileReader::Part part,
                                              std::optional<PollHandle>) override {
    if (plan_.files == nullptr) return std::vector<std::string>();
    return plan_.files->read(part);
  }
  // Whoever opened the network limits the clients there.
  Result<void> adopt_files(std::optional<PollHandle>) override {
    if (plan_.files != nullptr) plan_.files->adopt();
    return {};
  }
  Result<std::uint64_t> certificate_stamp() override {
    return plan_.files != nullptr ? plan_.files->certificate_stamp() : 0;
  }

  Result<void> keep_note(std::string_view content) override {
    const auto path = run_file_path(plan_.tun.name, "resume");
    if (!path) return fail(path);
    return content.empty() ? remove_file(*path) : replace_private_file(*path, content);
  }

  Result<KeptFile> open_lease_file() override {
    if (plan_.lease_path.empty()) return fail("open a file of leases: the plan has none");
    return KeptFile::open(plan_.lease_path);
  }

  Result<PollHandle> open_control_socket() override {
    if (control_socket_) return fail("open a control socket: it is open already");
    auto socket = ControlSocket::open(plan_.tun.name, plan_.role);
    if (!socket) return fail(socket);
    control_socket_ = std::move(*socket);
    return control_socket_->release();
  }
  void leave_control_socket() override {
    if (control_socket_) control_socket_->leave();
  }

 private:
  HostPlan plan_;
  std::unique_ptr<Logger> owned_logger_;
  Logger& logger_;
  std::optional<ControlSocket> control_socket_;
};

}  // namespace qdt::os
