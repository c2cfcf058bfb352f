#include "control/server_text.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/peer_text.h"
#include "base/time.h"
#include "base/words.h"
#include "ops/text.h"

namespace qdt::control {
namespace {

using Json = nlohmann::ordered_json;

struct Column {
  std::string_view title;
  std::size_t width;
};
// 99 letters with the spaces between them.
constexpr std::array<Column, 6> kColumns = {{{"CLIENT", 18},
                                             {"OUTER ADDRESS", 21},
                                             {"INNER ADDRESSES", 18},
                                             {"SINCE", 11},
                                             {"HEARD", 10},
                                             {"SESSION", 16}}};
// Nobody who is there is silent for so long.
constexpr std::int64_t kLongSilenceMilliseconds = 60'000;

constexpr const char* kOther = "the answer is not one of a qdt-server of this version";

std::string padded(std::string text, std::size_t width) {
  if (text.size() > width) text = text.substr(0, width - 2) + "..";
  return text + std::string(width - std::min(width, text.size()), ' ');
}

std::string row(const std::array<std::string, kColumns.size()>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += (i == 0 ? "" : " ") + padded(cells[i], kColumns[i].width);
  }
  return line.substr(0, line.find_last_not_of(' ') + 1);
}

std::string text(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? ops::printable(found->get<std::string>()) : "";
}

std::string megabits(std::uint64_t bytes_per_second) {
  return in_tenths(8 * bytes_per_second, 1'000'000) + " Mbit/s";
}

std::string way(const Json& way) {
  return bytes_in_words(way.at("bytes").get<std::uint64_t>()) + " " +
         megabits(way.at("bytes_per_second").get<std::uint64_t>());
}

std::string loss(const Json& session) {
  const auto lost = session.at("packets_lost").get<std::uint64_t>();
  const auto all = lost + session.at("packets_arrived").get<std::uint64_t>();
  return all == 0 ? "-" : in_tenths(lost * 100'000 / all, 1000) + " %";
}

std::string list_of(const Json& texts) {
  std::vector<std::string> words;
  for (const Json& text : texts) words.push_back(ops::printable(text.get<std::string>()));
  return list_in_words(words);
}

std::string describe_session(const Json& session, bool has_color) {
  const std::string inner = list_of(session.at("inner"));
  std::string name = text(session, "client");
  if (const std::string user = text(session, "user"); !user.empty()) {
    const std::string device = text(session, "device");
    name += " (" + user + (device.empty() ? "" : "/" + device) + ")";
  }
  const auto silence = session.at("silent_milliseconds").get<std::int64_t>();
  const bool is_silent = silence >= kLongSilenceMilliseconds;
  std::string line =
      row({name, text(session, "outer"), inner,
           in_words(std::chrono::seconds(session.at("age_seconds").get<std::int64_t>())),
           in_words(std::chrono::milliseconds(silence)), text(session, "id")});
  if (has_color && is_silent) line = "\x1b[31m" + line + "\x1b[0m";
  const auto rtt = session.at("rtt_microseconds").get<std::uint64_t>();
  const auto mtu = session.at("path_mtu").get<std::uint64_t>();
  return line + "\n  " + padded(text(session, "plane"), 6) + "  " +
         padded(rtt == 0 ? "-" : in_tenths(rtt, 1000) + " ms", 9) + "  loss " +
         padded(loss(session), 6) + " MTU " + padded(mtu == 0 ? "-" : std::to_string(mtu), 5) +
         "  up " + way(session.at("up")) + "  down " + way(session.at("down")) + "\n";
}

std::string describe_status(const Json& status) {
  const bool is_ready = status.at("ready").get<bool>();
  std::string line =
      text(status, "tun") + ": qdt-server " + text(status, "version") + " on " +
      text(status, "address") + ", " + (is_ready ? "ready" : "not ready") + ", runs for " +
      in_words(std::chrono::seconds(status.at("age_seconds").get<std::int64_t>())) + "\n";
  if (!is_ready) line += "  clients are refused: " + text(status, "obstacle") + "\n";
  return line;
}

std::string describe(const Json& status, const Json& sessions, bool has_color) {
  const Json& list = sessions.at("sessions");
  const auto most = status.at("max_sessions").get<std::uint64_t>();
  std::string all = describe_status(status) + std::to_string(list.size()) + " of " +
                    (most == 0 ? "as many sessions as the pool holds\n"
                               : "at most " + std::to_string(most) + " sessions\n");
  if (list.empty()) return all;
  std::array<std::string, kColumns.size()> titles;
  std::ranges::transform(kColumns, titles.begin(),
                         [](const Column& column) { return std::string(column.title); });
  all += (has_color ? "\x1b[1m" : "") + row(titles) + (has_color ? "\x1b[0m" : "") + "\n";
  for (const Json& session : list) all += describe_session(session, has_color);
  return all;
}

// What comes from the socket may be anything; the library throws at what it is not.
template <typename Work>
auto read(std::string_view text, Work work) -> Result<decltype(work(Json()))> {
  try {
    return work(Json::parse(text));
  } catch (const Json::exception&) {
    return fail(kOther);
  }
}

}  // namespace

Result<std::string> describe_server(std::string_view status, std::string_view sessions,
                                    bool has_color) {
  return read(status,
              [&](const Json& first) { return describe(first, Json::parse(sessions), has_color); });
}

// Looked at, but not made a tree of values: there may be 10,000 sessions.
Result<std::string> join_server(std::string_view status, std::string_view sessions) {
  constexpr std::string_view kBegin = "{\"sessions\":";
  if (!sessions.starts_with(kBegin) || !Json::accept(status) || !Json::accept(sessions)) {
    return fail(kOther);
  }
  while (status.ends_with('\n')) status.remove_suffix(1);
  return "{\"status\":" + std::string(status) + "," + std::string(sessions.substr(1));
}

Result<std::string> describe_reload(std::string_view reloaded) {
  return read(reloaded, [](const Json& answer) {
    const bool is_new = answer.at("is_new_certificate").get<bool>();
    std::string words = "the files are read again: " +
                        (is_new ? "clients are shown the certificate " + text(answer, "certificate")
                                : std::string("the same certificate")) +
                        "\n";
    const std::string now = list_of(answer.at("in_force"));
    if (!now.empty()) words += "changed, and in force: " + now + "\n";
    const std::string later = list_of(answer.at("needs_restart"));
    if (!later.empty()) words += "changed, but in force only after a restart: " + later + "\n";
    return words;
  });
}

Result<std::vector<std::string>> sessions_of(std::string_view sessions, std::string_view client) {
  const std::string shown = quote_peer_name(client);  // as a session has it
  return read(sessions, [&](const Json& all) {
    std::vector<std::string> ids;
    for (const Json& session : all.at("sessions")) {
      const Json& inner = session.at("inner");
      const bool has_address = std::ranges::any_of(
          inner, [&](const Json& address) { return address.get<std::string>() == client; });
      const auto name = session.at("client").get<std::string>();
      const bool has_user = !client.empty() && session.value("user", "") == client;
      if (!has_address && !has_user && name != client && name != shown) continue;
      ids.push_back(session.at("id").get<std::string>());
    }
    return ids;
  });
}

}  // namespace qdt::control
