#include "os/host_control.h"

#include <optional>
#include <utility>

#include "os/local_host_control.h"
#include "os/status_file.h"

namespace qdt::os {
namespace {

class WindowsHostControl final : public LocalHostControl {
 public:
  WindowsHostControl(HostPlan plan, std::unique_ptr<Logger> logger)
      : LocalHostControl(plan, std::move(logger)), tun_name_(plan.tun.name) {}

  Result<void> show_status(std::string_view content) override {
    if (content.empty()) {
      status_.reset();
      return {};
    }
    if (!status_) {
      auto status = StatusFile::open(tun_name_);
      if (!status) return fail(status);
      status_ = std::move(*status);
    }
    return status_->write(content);
  }

 private:
  std::string tun_name_;
  std::optional<StatusFile> status_;
};

}  // namespace

Result<std::unique_ptr<HostControl>> start_host_control(
    HostPlan plan, const std::function<std::unique_ptr<Logger>()>& make_logger) {
  return std::make_unique<WindowsHostControl>(std::move(plan), make_logger());
}

}  // namespace qdt::os
