#include "os/service.h"

#include "os/file.h"

namespace qdt::os {
namespace {

std::unexpected<Error> use_systemd(const std::string& what) {
  return fail(what + ": on Linux systemd does that; see systemctl(1)");
}

}  // namespace

bool has_services() {
  return false;
}

std::string find_config(const std::string& name) {
  const std::string shared = "/etc/qdt/" + name;
  return !file_exists(name) && file_exists(shared) ? shared : name;
}

std::string config_places() {
  return "the working folder and /etc/qdt";
}

std::string config_folder() {
  return "/etc/qdt";
}

Result<std::string> install_service(const Service& service, const std::string& /*config_path*/) {
  return use_systemd("install the service " + service.name);
}

Result<void> uninstall_service(const Service& service) {
  return use_systemd("uninstall the service " + service.name);
}

Result<void> start_service(const Service& service) {
  return use_systemd("start the service " + service.name);
}

Result<void> stop_service(const Service& service) {
  return use_systemd("stop the service " + service.name);
}

Result<ServiceState> service_state(const Service& service) {
  return use_systemd("look for the service " + service.name);
}

Result<int> run_service(const Service& service, std::function<int()> /*work*/) {
  return use_systemd("run as the service " + service.name);
}

}  // namespace qdt::os
