#pragma once

#include <memory>
#include <optional>

#include "os/kill_switch.h"
#include "os/windows/network_calls.h"

namespace qdt::os {

/// A kill switch of filters that Windows removes with the process that added them, a crash
/// included: a service that is killed is started again by the service manager, and until then
/// nothing stands between programs and the network. Filters that outlive it would keep a host off
/// the network for good, also when the program is gone, with nothing there to take them away.
class WindowsKillSwitch final : public KillSwitch {
 public:
  WindowsKillSwitch(const Options& options, std::unique_ptr<NetworkCalls> calls, Logger& logger)
      : options_(options), calls_(std::move(calls)), logger_(logger) {}

  Result<void> raise();
  void keep(Upkeep& upkeep) override;
  bool outlives_process() const override { return false; }
  void lower() override { filters_.reset(); }

 private:
  std::optional<InterfaceId> find_tun();
  Result<void> put_up(std::optional<InterfaceId> tun);

  Options options_;
  std::unique_ptr<NetworkCalls> calls_;
  Logger& logger_;
  std::optional<InterfaceId> tun_;  // that the filters know
  std::unique_ptr<FilterSession> filters_;
};

}  // namespace qdt::os
