#include "client/status.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <nlohmann/json.hpp>

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

// Text of a server's goes to a terminal, and who wrote it may have been taken over.
std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char letter) { return letter < 0x20 || letter == 0x7f; }, ' ');
  return text;
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
  if (status.send_rate_bits > 0) {
    text += "\n  limit      sends " + in_tenths(status.send_rate_bits, 1'000'000) +
            " Mbit/s at most, this user's rate at the server";
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
         ",\"clock_nanoseconds\":" + std::to_string(now.time_since_epoch().count()) +
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
         ",\"send_rate_bits\":" + std::to_string(status.send_rate_bits) +
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

namespace {

using Json = nlohmann::json;

std::vector<std::string> words(const Json& list) {
  std::vector<std::string> texts;
  for (const Json& text : list) texts.push_back(one_line(text.get<std::string>()));
  return texts;
}

Result<Status> status_of(const Json& json) {
  const auto text = [&](const char* key) { return one_line(json.at(key).get<std::string>()); };
  const auto number = [&](const char* key) { return json.at(key).get<std::uint64_t>(); };
  const Timestamp now{Duration(json.at("clock_nanoseconds").get<std::int64_t>())};
  const auto time = [&](const char* key) {
    if (json.at(key).is_null()) return Timestamp{};
    return now - std::chrono::seconds(json.at(key).get<std::uint32_t>());
  };
  const auto state =
      std::ranges::find(kStates, text("state"), [](State one) { return name_of(one); });
  const auto plane = std::ranges::find(kPlanes, text("data_plane"), &PlaneName::key);
  if (state == std::end(kStates) || plane == std::end(kPlanes)) {
    return fail("the status is not of a client of this version");
  }
  Status status{.state = *state,
                .reason = text("reason"),
                .since = time("seconds"),
                .server = text("server"),
                .server_address = text("server_address"),
                .mtu = number("mtu"),
                .path_mtu = number("path_mtu"),
                .connects = number("connects"),
                .rtt_microseconds = number("rtt_microseconds"),
                .window_bytes = number("window_bytes"),
                .bytes_per_second = number("bytes_per_second"),
                .data_plane = plane->plane,
                .shaper_bytes_per_second = number("shaper_bytes_per_second"),
                .send_rate_bits = number("send_rate_bits"),
                .path_queue_microseconds = number("path_queue_microseconds"),
                .heard_at = time("heard_seconds"),
                .written_at = time("written_seconds"),
                .packets_sent = number("packets_sent"),
                .bytes_sent = number("bytes_sent"),
                .packets_received = number("packets_received"),
                .bytes_received = number("bytes_received"),
                .name_servers = words(json.at("name_servers")),
                .cipher = text("cipher"),
                .has_kill_switch = json.at("kill_switch").get<bool>(),
                .ignored_routes = words(json.at("ignored_routes"))};
  for (const std::string& word : words(json.at("addresses"))) {
    const auto address = IpAddress::parse(word);
    if (!address) return fail(address);
    status.addresses.push_back(*address);
  }
  return status;
}

}  // namespace

Result<Status> parse_status(std::string_view json) {
  try {
    return status_of(Json::parse(json));
  } catch (const Json::exception&) {
    return fail("the status is not of a client of this version");
  }
}

}  // namespace qdt::client
