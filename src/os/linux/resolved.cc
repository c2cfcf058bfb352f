#include "os/linux/resolved.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "os/linux/system_error.h"

namespace qdt::os {
namespace {

constexpr const char* kName = "org.freedesktop.resolve1";
constexpr const char* kPath = "/org/freedesktop/resolve1";
constexpr const char* kManager = "org.freedesktop.resolve1.Manager";
constexpr const char* kLink = "org.freedesktop.resolve1.Link";
constexpr std::uint64_t kTimeoutMicroseconds = 5'000'000;

struct Unreference {
  void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
  void operator()(sd_bus_creds* credentials) const { sd_bus_creds_unref(credentials); }
};
using Message = std::unique_ptr<sd_bus_message, Unreference>;

struct BusError {
  sd_bus_error error{};
  BusError() = default;
  BusError(const BusError&) = delete;
  BusError& operator=(const BusError&) = delete;
  ~BusError() { sd_bus_error_free(&error); }
};

/// A connection to the system bus ($DBUS_SYSTEM_BUS_ADDRESS, where that is set).
class Bus {
 public:
  static Result<Bus> open() {
    sd_bus* bus = nullptr;
    if (const int result = sd_bus_open_system(&bus); result < 0) {
      return os_error("connect to the system bus", -result);
    }
    Bus opened(bus);
    sd_bus_set_method_call_timeout(bus, kTimeoutMicroseconds);
    return opened;
  }

  Result<Message> start_call(const char* path, const char* interface, const char* method) const {
    sd_bus_message* message = nullptr;
    const int result =
        sd_bus_message_new_method_call(bus_.get(), &message, kName, path, interface, method);
    if (result < 0) return os_error(std::string("call resolved: ") + method, -result);
    sd_bus_message_set_auto_start(message, 0);
    return Message(message);
  }

  Result<Message> call(const Message& message) const {
    BusError error;
    sd_bus_message* reply = nullptr;
    const int result = sd_bus_call(bus_.get(), message.get(), 0, &error.error, &reply);
    if (result >= 0) return Message(reply);
    const std::string doing =
        std::string("resolved: ") + sd_bus_message_get_member(message.get()) + ": ";
    if (!error.error.message) return os_error(doing, -result);
    return fail(doing + error.error.message + " (" + error.error.name + ")");
  }

  /// Calls a method of the manager that takes a link and `...` in D-Bus's notation `types`.
  template <typename... Arguments>
  Result<Message> call_for_link(const char* method, int link_index, const char* types,
                                Arguments... arguments) const {
    const auto message = start_call(kPath, kManager, method);
    if (!message) return fail(message);
    sd_bus_message_append(message->get(), "i", link_index);
    if constexpr (sizeof...(arguments) > 0) {
      sd_bus_message_append(message->get(), types, arguments...);
    }
    return call(*message);
  }

  /// The value of a property, entered and ready to be read.
  Result<Message> property(const char* path, const char* interface, const char* name,
                           const char* type) const {
    const auto message = start_call(path, "org.freedesktop.DBus.Properties", "Get");
    if (!message) return fail(message);
    sd_bus_message_append(message->get(), "ss", interface, name);
    auto reply = call(*message);
    if (!reply) return reply;
    const int result = sd_bus_message_enter_container(reply->get(), SD_BUS_TYPE_VARIANT, type);
    if (result < 0) return os_error(std::string("read resolved's ") + name, -result);
    return reply;
  }

  /// The process that owns resolved's name; nothing when that cannot be told.
  std::optional<pid_t> resolved_process() const {
    sd_bus_creds* raw = nullptr;
    if (sd_bus_get_name_creds(bus_.get(), kName, SD_BUS_CREDS_PID, &raw) < 0) return std::nullopt;
    const std::unique_ptr<sd_bus_creds, Unreference> credentials(raw);
    pid_t process = 0;
    if (sd_bus_creds_get_pid(raw, &process) < 0) return std::nullopt;
    return process;
  }

 private:
  explicit Bus(sd_bus* bus) : bus_(bus) {}

  std::unique_ptr<sd_bus, Unreference> bus_;
};

std::optional<ino_t> network_namespace(const std::string& process) {
  struct stat status{};
  if (::stat(("/proc/" + process + "/ns/net").c_str(), &status) < 0) return std::nullopt;
  return status.st_ino;
}

// Namespaces share the bus, and a link of ours may have the number of quite another one of
// resolved's. Where /proc does not tell (no CAP_SYS_PTRACE, another PID namespace), the link's
// number must do.
bool is_in_another_namespace(const Bus& bus) {
  const auto process = bus.resolved_process();
  if (!process) return false;
  const auto theirs = network_namespace(std::to_string(*process));
  const auto ours = network_namespace("self");
  return theirs && ours && *theirs != *ours;
}

Result<std::string> link_path(const Bus& bus, int link_index) {
  const auto reply = bus.call_for_link("GetLink", link_index, "");
  if (!reply) return fail(reply);
  const char* path = nullptr;
  if (const int result = sd_bus_message_read(reply->get(), "o", &path); result < 0) {
    return os_error("read resolved's link", -result);
  }
  return path;
}

Result<void> send_servers(const Bus& bus, int link_index, std::span<const NameServer> servers) {
  const auto message = bus.start_call(kPath, kManager, "SetLinkDNS");
  if (!message) return fail(message);
  sd_bus_message_append(message->get(), "i", link_index);
  sd_bus_message_open_container(message->get(), SD_BUS_TYPE_ARRAY, "(iay)");
  for (const auto& [server, zone] : servers) {
    // resolved takes the link that it is told for the link that such an address is on.
    if (!zone.empty()) return fail("resolved cannot ask " + server.to_string() + " on " + zone);
    sd_bus_message_open_container(message->get(), SD_BUS_TYPE_STRUCT, "iay");
    sd_bus_message_append(message->get(), "i", server.is_v4() ? AF_INET : AF_INET6);
    sd_bus_message_append_array(message->get(), 'y', server.bytes().data(), server.bytes().size());
    sd_bus_message_close_container(message->get());
  }
  sd_bus_message_close_container(message->get());
  if (const auto reply = bus.call(*message); !reply) return fail(reply);
  return {};
}

Result<std::vector<NameServer>> read_servers(const Bus& bus, int link_index) {
  const auto path = link_path(bus, link_index);
  if (!path) return fail(path);
  const auto reply = bus.property(path->c_str(), kLink, "DNS", "a(iay)");
  if (!reply) return fail(reply);

  std::vector<NameServer> servers;
  sd_bus_message* message = reply->get();
  sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "(iay)");
  while (sd_bus_message_enter_container(message, SD_BUS_TYPE_STRUCT, "iay") > 0) {
    int family = 0;
    const void* bytes = nullptr;
    std::size_t count = 0;
    sd_bus_message_read(message, "i", &family);
    sd_bus_message_read_array(message, 'y', &bytes, &count);
    const Bytes address(static_cast<const std::uint8_t*>(bytes), count);
    if (count == 4) servers.emplace_back(IpAddress::v4(address.first<4>()));
    if (count == 16) servers.emplace_back(IpAddress::v6(address.first<16>()));
    sd_bus_message_exit_container(message);
  }
  return servers;
}

// Mode "foreign" or "missing"; before systemd 248 there is no such property.
bool is_resolv_conf_foreign(const Bus& bus) {
  const auto reply = bus.property(kPath, kManager, "ResolvConfMode", "s");
  const char* mode = "";
  if (!reply || sd_bus_message_read(reply->get(), "s", &mode) < 0) return false;
  return std::string_view(mode) == "foreign" || std::string_view(mode) == "missing";
}

// True: names of the domain go this way (a routing domain), but none is completed by it.
Result<void> send_domains(const Bus& bus, int link_index, std::span<const std::string> domains) {
  const auto message = bus.start_call(kPath, kManager, "SetLinkDomains");
  if (!message) return fail(message);
  sd_bus_message_append(message->get(), "i", link_index);
  sd_bus_message_open_container(message->get(), SD_BUS_TYPE_ARRAY, "(sb)");
  for (const std::string& domain : domains) {
    sd_bus_message_append(message->get(), "(sb)", domain.c_str(), 1);
  }
  sd_bus_message_close_container(message->get());
  if (const auto reply = bus.call(*message); !reply) return fail(reply);
  return {};
}

Result<void> send_settings(const Bus& bus, int link_index, const NameServerWish& wish) {
  const auto sent = send_servers(bus, link_index, wish.servers);
  if (!sent) return fail(sent);
  const bool takes_all = wish.domains.empty();
  const std::vector<std::string> every_name = {"."};
  const auto domains = send_domains(bus, link_index, takes_all ? every_name : wish.domains);
  if (!domains) return fail(domains);
  const auto default_route =
      bus.call_for_link("SetLinkDefaultRoute", link_index, "b", takes_all ? 1 : 0);
  if (!default_route) return fail(default_route);

  const auto read = read_servers(bus, link_index);
  if (!read) return fail(read);
  if (*read != wish.servers) return fail("resolved did not keep the name servers");
  return {};
}

}  // namespace

Result<ResolvedReach> find_resolved(int link_index) {
  const auto bus = Bus::open();
  if (!bus) return fail(bus);
  auto path = link_path(*bus, link_index);
  // resolved may have had our call and the kernel's news of the link at once, and looked at our
  // call first. It has looked at both by now.
  if (!path) path = link_path(*bus, link_index);
  if (!path) return fail(path);
  if (is_in_another_namespace(*bus)) {
    return fail("resolved runs in another network namespace");
  }
  return is_resolv_conf_foreign(*bus) ? ResolvedReach::kSomePrograms : ResolvedReach::kAllPrograms;
}

Result<void> set_resolved_dns(int link_index, const NameServerWish& wish) {
  const auto bus = Bus::open();
  if (!bus) return fail(bus);
  const auto set = send_settings(*bus, link_index, wish);
  if (set) return {};
  const auto reverted = bus->call_for_link("RevertLink", link_index, "");
  return reverted ? set : fail(set.error().message + "; " + reverted.error().message);
}

Result<std::vector<NameServer>> read_resolved_dns(int link_index) {
  const auto bus = Bus::open();
  if (!bus) return fail(bus);
  return read_servers(*bus, link_index);
}

Result<Change> revert_resolved(int link_index) {
  const auto bus = Bus::open();
  if (!bus || !link_path(*bus, link_index)) return Change::kNotNeeded;
  const auto reply = bus->call_for_link("RevertLink", link_index, "");
  if (!reply) return fail(reply);
  return Change::kMade;
}

}  // namespace qdt::os
