#include "client/status.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>

#include "base/words.h"

namespace qdt::client {
namespace {

constexpr State kStates[] = {State::kConnecting,   State::kConnected, State::kSilent,
                             State::kReconnecting, State::kRefused,   State::kDegraded};

// A status is written every two seconds; one that is so old was not.
constexpr Duration kStale = 10s;

struct PlaneName {
  PlaneInUse plane;
  std::string_view key;
  std::string_view words;
};
constexpr PlaneName kPlanes[] = {
    {PlaneInUse::kUnknown, "", ""},
    {PlaneInUse::kQuic, "quic", "QUIC"},
    {PlaneInUse::kDirect, "direct", "direct"},
    {PlaneInUse::kDirectLost, "direct_lost", "QUIC, direct packets do not get through"},
    {PlaneInUse::kNone, "none",
     "none: direct packets do not get through, and no others may be sent"},
};

const PlaneName& name_of(PlaneInUse plane) {
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

std::string join_words(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += between;
    text += word;
  }
  return text;
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    words.emplace_back(word);
  }
  return words;
}

std::string count_of(Timestamp time) {
  return std::to_string(time.time_since_epoch().count());
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
  line("since", count_of(status.since));
  line("heard", count_of(status.heard_at));
  line("written", count_of(status.written_at));
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
  line("packets_sent", std::to_string(status.packets_sent));
  line("bytes_sent", std::to_string(status.bytes_sent));
  line("packets_received", std::to_string(status.packets_received));
  line("bytes_received", std::to_string(status.bytes_received));
  line("name_servers", join_words(status.name_servers, " "));
  line("cipher", status.cipher);
  if (status.has_kill_switch) line("kill_switch", "1");
  line("data_plane", std::string(name_of(status.data_plane).key));
  if (status.data_plane == PlaneInUse::kDirect) {
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
    const std::string_view raw = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(raw.size() + 1, text.size()));
    // It goes to a terminal, and who wrote it may have been taken over.
    const std::string line = one_line(std::string(raw));
    const auto space = line.find(' ');
    if (space == line.npos) return fail("\"" + line + "\" is no line of a status");
    lines[line.substr(0, space)] = line.substr(space + 1);
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
  const auto heard = optional("heard");
  const auto written = optional("written");
  const auto packets_sent = optional("packets_sent");
  const auto bytes_sent = optional("bytes_sent");
  const auto packets_received = optional("packets_received");
  const auto bytes_received = optional("bytes_received");
  const auto kill_switch = optional("kill_switch");
  for (const auto* number :
       {&since, &mtu, &path_mtu, &connects, &rtt, &window, &rate, &shaper, &queue, &heard, &written,
        &packets_sent, &bytes_sent, &packets_received, &bytes_received, &kill_switch}) {
    if (!*number) return fail(*number);
  }
  const auto plane = std::ranges::find(kPlanes, lines["data_plane"], &PlaneName::key);
  if (plane == std::end(kPlanes)) return fail("\"" + lines["data_plane"] + "\" is no data plane");
  status.state = *state;
  status.reason = lines["reason"];
  const auto time = [](std::uint64_t count) {
    return Timestamp(Duration(static_cast<std::int64_t>(count)));
  };
  status.since = time(*since);
  status.heard_at = time(*heard);
  status.written_at = time(*written);
  status.packets_sent = *packets_sent;
  status.bytes_sent = *bytes_sent;
  status.packets_received = *packets_received;
  status.bytes_received = *bytes_received;
  status.name_servers = split_words(lines["name_servers"]);
  status.cipher = lines["cipher"];
  status.has_kill_switch = *kill_switch != 0;
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
  for (const std::string& word : split_words(lines["addresses"])) {
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
  const bool is_direct = status.data_plane == PlaneInUse::kDirect;
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

bool is_stale(const Status& status, Timestamp now) {
  return status.written_at != Timestamp{} && now - status.written_at > kStale;
}

std::string describe_totals(const Status& status) {
  const auto total = [](std::uint64_t bytes, std::uint64_t packets) {
    return bytes_in_words(bytes) + " in " + std::to_string(packets) + " packets";
  };
  return total(status.bytes_sent, status.packets_sent) + " sent, " +
         total(status.bytes_received, status.packets_received) + " received";
}

}  // namespace

std::string describe(const Status& status, const std::string& tun_name, Timestamp now) {
  std::string text =
      tun_name + ": " + std::string(name_of(status.state)) + " for " + in_words(now - status.since);
  if (!status.reason.empty()) text += ": " + status.reason;
  if (is_stale(status, now)) {
    text += " (as it was " + in_words(now - status.written_at) +
            " ago: the client has written nothing since)";
  }
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
  if (status.data_plane != PlaneInUse::kUnknown) {
    text += "\n  data plane " + std::string(name_of(status.data_plane).words);
    if (status.shaper_bytes_per_second > 0) {
      text += ", held to " + in_tenths(8 * status.shaper_bytes_per_second, 1'000'000) +
              " Mbit/s to keep the queue short";
    }
  }
  if (!status.ignored_routes.empty()) text += "\n  ignored    " + describe_ignored(status);
  if (status.heard_at != Timestamp{}) {
    text += "\n  heard      " + in_words(now - status.heard_at) + " ago";
  }
  if (status.packets_sent + status.packets_received > 0) {
    text += "\n  packets    " + describe_totals(status);
  }
  if (!status.addresses.empty()) {
    text +=
        "\n  DNS        " +
        (status.name_servers.empty() ? "this host's own" : join_words(status.name_servers, ", "));
  }
  if (!status.cipher.empty() || status.has_kill_switch) {
    text += "\n  security   " + (status.cipher.empty() ? "" : status.cipher + ", ") +
            (status.has_kill_switch ? "kill switch" : "no kill switch");
  }
  return text + "\n  connects   " + std::to_string(status.connects) + "\n";
}

std::string to_json(const Status& status, const std::string& tun_name, Timestamp now) {
  const auto seconds_since = [now](Timestamp time) {
    return std::to_string(std::max<std::int64_t>((now - time) / 1s, 0));
  };
  std::string name_servers;
  for (const std::string& server : status.name_servers) {
    name_servers += (name_servers.empty() ? "" : ",") + quoted(server);
  }
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
         ",\"heard_seconds\":" +
         (status.heard_at == Timestamp{} ? "null" : seconds_since(status.heard_at)) +
         ",\"written_seconds\":" +
         (status.written_at == Timestamp{} ? "null" : seconds_since(status.written_at)) +
         ",\"packets_sent\":" + std::to_string(status.packets_sent) +
         ",\"bytes_sent\":" + std::to_string(status.bytes_sent) +
         ",\"packets_received\":" + std::to_string(status.packets_received) +
         ",\"bytes_received\":" + std::to_string(status.bytes_received) + ",\"name_servers\":[" +
         name_servers + "],\"cipher\":" + quoted(status.cipher) +
         ",\"kill_switch\":" + (status.has_kill_switch ? "true" : "false") +
         ",\"ignored_routes\":" + json_list(status.ignored_routes) + "}\n";
}

}  // namespace qdt::client
