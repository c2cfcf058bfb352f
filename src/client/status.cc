#include "client/status.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>

namespace qdt::client {
namespace {

constexpr State kStates[] = {State::kConnecting, State::kConnected, State::kReconnecting,
                             State::kRefused};

struct PlaneName {
  DataPlane plane;
  std::string_view key;
  std::string_view words;
};
constexpr PlaneName kPlanes[] = {
    {DataPlane::kUnknown, "", ""},
    {DataPlane::kQuic, "quic", "QUIC"},
    {DataPlane::kDirect, "direct", "direct"},
    {DataPlane::kDirectLost, "direct_lost", "QUIC, direct packets do not get through"},
    {DataPlane::kNone, "none",
     "none: direct packets do not get through, and no others may be sent"},
};

const PlaneName& name_of(DataPlane plane) {
  return *std::ranges::find(kPlanes, plane, &PlaneName::plane);
}

constexpr std::string_view kRouteEnd = "; ";

// Text of a server's ends up in a file of lines.
std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char letter) { return letter < 0x20 || letter == 0x7f; }, ' ');
  return text;
}

Result<std::uint64_t> parse_number(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail("\"" + text + "\" is no number");
  }
  return number;
}

std::string join(const std::vector<IpAddress>& addresses, std::string_view before,
                 std::string_view between) {
  std::string text;
  for (const IpAddress& address : addresses) {
    if (!text.empty()) text += between;
    text += std::string(before) + address.to_string() + std::string(before);
  }
  return text;
}

// "3 d 4 h", "12 min 5 s", "7 s": two units are enough.
std::string in_words(Duration duration) {
  const auto seconds = std::max<std::int64_t>(duration / 1s, 0);
  const auto two = [](std::int64_t large, const char* unit, std::int64_t small,
                      const char* smaller) {
    return std::to_string(large) + unit + std::to_string(small) + smaller;
  };
  if (seconds >= 86400) return two(seconds / 86400, " d ", seconds % 86400 / 3600, " h");
  if (seconds >= 3600) return two(seconds / 3600, " h ", seconds % 3600 / 60, " min");
  if (seconds >= 60) return two(seconds / 60, " min ", seconds % 60, " s");
  return std::to_string(seconds) + " s";
}

// 12345 in units of 1000: "12.3".
std::string in_tenths(std::uint64_t number, std::uint64_t unit) {
  const std::uint64_t tenths = (number * 10 + unit / 2) / unit;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

std::string quoted(const std::string& text) {
  std::string json = "\"";
  for (const char letter : one_line(text)) {
    if (letter == '"' || letter == '\\') json += '\\';
    json += letter;
  }
  return json + "\"";
}

std::string json_list(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ",") + quoted(text);
  return "[" + list + "]";
}

}  // namespace

std::string to_text(const Status& status) {
  std::string text;
  const auto line = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) text += std::string(key) + " " + one_line(value) + "\n";
  };
  line("state", std::string(name_of(status.state)));
  line("reason", status.reason);
  line("since", std::to_string(status.since.time_since_epoch().count()));
  line("server", status.server);
  line("server_address", status.server_address);
  line("addresses", join(status.addresses, "", " "));
  line("mtu", std::to_string(status.mtu));
  if (status.path_mtu > 0) line("path_mtu", std::to_string(status.path_mtu));
  line("connects", std::to_string(status.connects));
  if (status.rtt_microseconds > 0) {
    line("rtt_microseconds", std::to_string(status.rtt_microseconds));
    line("window_bytes", std::to_string(status.window_bytes));
    line("bytes_per_second", std::to_string(status.bytes_per_second));
  }
  line("data_plane", std::string(name_of(status.data_plane).key));
  if (status.data_plane == DataPlane::kDirect) {
    line("shaper_bytes_per_second", std::to_string(status.shaper_bytes_per_second));
    line("path_queue_microseconds", std::to_string(status.path_queue_microseconds));
  }
  std::string ignored;
  for (const std::string& route : status.ignored_routes) {
    ignored += std::string(ignored.empty() ? "" : kRouteEnd) + route;
  }
  line("ignored_routes", ignored);
  return text;
}

Result<Status> parse_status(std::string_view text) {
  std::map<std::string, std::string> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto space = line.find(' ');
    if (space == line.npos) return fail("\"" + std::string(line) + "\" is no line of a status");
    lines[std::string(line.substr(0, space))] = line.substr(space + 1);
  }

  Status status;
  const auto state = std::ranges::find(kStates, lines["state"],
                                       [](State candidate) { return name_of(candidate); });
  if (state == std::end(kStates)) return fail("\"" + lines["state"] + "\" is no state");
  const auto since = parse_number(lines["since"]);
  const auto mtu = parse_number(lines["mtu"]);
  const auto path_mtu = parse_number(lines.contains("path_mtu") ? lines["path_mtu"] : "0");
  const auto connects = parse_number(lines["connects"]);
  const auto optional = [&lines](const std::string& key) {
    return parse_number(lines.contains(key) ? lines[key] : "0");
  };
  const auto rtt = optional("rtt_microseconds");
  const auto window = optional("window_bytes");
  const auto rate = optional("bytes_per_second");
  const auto shaper = optional("shaper_bytes_per_second");
  const auto queue = optional("path_queue_microseconds");
  for (const auto* number :
       {&since, &mtu, &path_mtu, &connects, &rtt, &window, &rate, &shaper, &queue}) {
    if (!*number) return fail(*number);
  }
  const auto plane = std::ranges::find(kPlanes, lines["data_plane"], &PlaneName::key);
  if (plane == std::end(kPlanes)) return fail("\"" + lines["data_plane"] + "\" is no data plane");
  status.state = *state;
  status.reason = lines["reason"];
  status.since = Timestamp(Duration(static_cast<std::int64_t>(*since)));
  status.server = lines["server"];
  status.server_address = lines["server_address"];
  status.mtu = *mtu;
  status.path_mtu = *path_mtu;
  status.rtt_microseconds = *rtt;
  status.window_bytes = *window;
  status.bytes_per_second = *rate;
  status.data_plane = plane->plane;
  status.shaper_bytes_per_second = *shaper;
  status.path_queue_microseconds = *queue;
  status.connects = *connects;
  std::string_view addresses = lines["addresses"];
  while (!addresses.empty()) {
    const std::string_view word = addresses.substr(0, addresses.find(' '));
    addresses.remove_prefix(std::min(word.size() + 1, addresses.size()));
    const auto address = IpAddress::parse(word);
    if (!address) return fail(address);
    status.addresses.push_back(*address);
  }
  for (std::string_view rest = lines["ignored_routes"]; !rest.empty();) {
    const std::string_view route = rest.substr(0, rest.find(kRouteEnd));
    rest.remove_prefix(std::min(route.size() + kRouteEnd.size(), rest.size()));
    status.ignored_routes.emplace_back(route);
  }
  return status;
}

namespace {

// The round trip, and what may be under way: a window, or whatever keeps the queue short.
std::string describe_path(const Status& status) {
  const bool is_direct = status.data_plane == DataPlane::kDirect;
  return "round trip " + in_tenths(status.rtt_microseconds, 1000) + " ms, " +
         (is_direct ? "queue " + in_tenths(status.path_queue_microseconds, 1000) + " ms"
                    : "window " + std::to_string(status.window_bytes / 1024) + " KiB") +
         ", sends " + in_tenths(8 * status.bytes_per_second, 1'000'000) + " Mbit/s";
}

// The routes of the local network that do not count; a few say what kind they are.
std::string describe_ignored(const Status& status) {
  constexpr std::size_t kShown = 4;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, status.ignored_routes.size()); ++i) {
    text += (i == 0 ? "" : ", ") + status.ignored_routes[i];
  }
  if (status.ignored_routes.size() > kShown) {
    text += " and " + std::to_string(status.ignored_routes.size() - kShown) + " more";
  }
  return text + (status.ignored_routes.size() == 1 ? ": a route" : ": routes") +
         " of the local network that the tunnel takes";
}

}  // namespace

std::string describe(const Status& status, const std::string& tun_name, Timestamp now) {
  std::string text =
      tun_name + ": " + std::string(name_of(status.state)) + " for " + in_words(now - status.since);
  if (!status.reason.empty()) text += ": " + status.reason;
  text += "\n  server     " + status.server;
  if (!status.server_address.empty()) text += " (" + status.server_address + ")";
  if (!status.addresses.empty()) {
    text += "\n  addresses  " + join(status.addresses, "", ", ") + ", MTU " +
            std::to_string(status.mtu);
    if (status.path_mtu > 0) text += " (of the path: " + std::to_string(status.path_mtu) + ")";
  }
  if (status.rtt_microseconds > 0) {
    text += "\n  path       " + describe_path(status);
  }
  if (status.data_plane != DataPlane::kUnknown) {
    text += "\n  data plane " + std::string(name_of(status.data_plane).words);
    if (status.shaper_bytes_per_second > 0) {
      text += ", held to " + in_tenths(8 * status.shaper_bytes_per_second, 1'000'000) +
              " Mbit/s to keep the queue short";
    }
  }
  if (!status.ignored_routes.empty()) text += "\n  ignored    " + describe_ignored(status);
  return text + "\n  connects   " + std::to_string(status.connects) + "\n";
}

std::string to_json(const Status& status, const std::string& tun_name, Timestamp now) {
  return "{\"tun\":" + quoted(tun_name) +
         ",\"state\":" + quoted(std::string(name_of(status.state))) +
         ",\"reason\":" + quoted(status.reason) +
         ",\"seconds\":" + std::to_string(std::max<std::int64_t>((now - status.since) / 1s, 0)) +
         ",\"server\":" + quoted(status.server) +
         ",\"server_address\":" + quoted(status.server_address) + ",\"addresses\":[" +
         join(status.addresses, "\"", ",") + "],\"mtu\":" + std::to_string(status.mtu) +
         ",\"path_mtu\":" + std::to_string(status.path_mtu) +
         ",\"connects\":" + std::to_string(status.connects) +
         ",\"rtt_microseconds\":" + std::to_string(status.rtt_microseconds) +
         ",\"window_bytes\":" + std::to_string(status.window_bytes) +
         ",\"bytes_per_second\":" + std::to_string(status.bytes_per_second) +
         ",\"data_plane\":" + quoted(std::string(name_of(status.data_plane).key)) +
         ",\"shaper_bytes_per_second\":" + std::to_string(status.shaper_bytes_per_second) +
         ",\"path_queue_microseconds\":" + std::to_string(status.path_queue_microseconds) +
         ",\"ignored_routes\":" + json_list(status.ignored_routes) + "}\n";
}

}  // namespace qdt::client
