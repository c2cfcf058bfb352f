#include "os/windows/undo_step.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <concepts>
#include <ranges>

namespace qdt::os {
namespace {

std::string word(IpFamily family) {
  return family == IpFamily::kV4 ? "v4" : "v6";
}

// "none", or addresses joined by commas: one word in either case.
std::string word(std::span<const IpAddress> addresses) {
  std::string text;
  for (const IpAddress& address : addresses) {
    text += (text.empty() ? "" : ",") + address.to_string();
  }
  return text.empty() ? "none" : text;
}

std::string words(const IpSettings& settings) {
  return std::to_string(settings.mtu) + " " + (settings.has_automatic_metric ? "auto" : "fixed") +
         " " + std::to_string(settings.metric) + " " +
         (settings.configures_itself ? "ra" : "still");
}

std::string line_of(const RestoreIpSettings& step) {
  return "settings " + std::to_string(step.link) + " " + word(step.family) + " " + words(step.was) +
         " " + words(step.wrote);
}

std::string line_of(const RemoveAddress& step) {
  return "address " + std::to_string(step.address.link) + " " + step.address.address.to_string() +
         " " + std::to_string(step.address.prefix_length);
}

std::string line_of(const RemoveRoute& step) {
  return "route " + std::to_string(step.route.link) + " " + step.route.destination.to_string() +
         " " + step.route.next_hop.to_string() + " " + std::to_string(step.route.metric);
}

std::string line_of(const RestoreDns& step) {
  return "dns " + std::to_string(step.link) + " " + word(step.family) + " " + word(step.was) + " " +
         word(step.wrote);
}

std::string line_of(const RemoveResolutionPolicy& step) {
  return "policy " + step.key;
}

/// Takes a line apart; once something does not fit, nothing does.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}

  std::string_view text() {
    const auto end = rest_.find(' ');
    const std::string_view word = rest_.substr(0, end);
    is_good_ &= !word.empty();
    rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
    return word;
  }
  template <std::unsigned_integral Number>
  Number number() {
    const std::string_view digits = text();
    Number value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    is_good_ &= error == std::errc() && end == digits.data() + digits.size();
    return value;
  }
  bool is(std::string_view yes, std::string_view no) {
    const std::string_view said = text();
    is_good_ &= said == yes || said == no;
    return said == yes;
  }
  IpAddress address() { return value_of(IpAddress::parse(text())); }
  Prefix prefix() { return value_of(Prefix::parse(text())); }
  IpFamily family() { return is("v4", "v6") ? IpFamily::kV4 : IpFamily::kV6; }
  IpSettings settings() {
    IpSettings settings;
    settings.mtu = number<std::uint32_t>();
    settings.has_automatic_metric = is("auto", "fixed");
    settings.metric = number<std::uint32_t>();
    settings.configures_itself = is("ra", "still");
    return settings;
  }
  std::vector<IpAddress> addresses() {
    std::vector<IpAddress> all;
    std::string_view list = text();
    if (list == "none") return all;
    while (!list.empty()) {
      const auto end = list.find(',');
      all.push_back(value_of(IpAddress::parse(list.substr(0, end))));
      list.remove_prefix(end == list.npos ? list.size() : end + 1);
    }
    return all;
  }
  void require(bool is_so) { is_good_ &= is_so; }

  /// Whether all fitted, and nothing is left.
  bool is_done() const { return is_good_ && rest_.empty(); }

 private:
  template <typename Value>
  Value value_of(const Result<Value>& parsed) {
    is_good_ &= parsed.has_value();
    return parsed.value_or(Value());
  }

  std::string_view rest_;
  bool is_good_ = true;
};

OwnAddress parse_address(Words& words) {
  OwnAddress address;
  address.link = words.number<InterfaceId>();
  address.address = words.address();
  const auto length = words.number<std::uint8_t>();
  words.require(length <= address.address.bit_length());
  address.prefix_length = length;
  return address;
}

WindowsRoute parse_route(Words& words) {
  WindowsRoute route;
  route.link = words.number<InterfaceId>();
  route.destination = words.prefix();
  route.next_hop = words.address();
  route.metric = words.number<std::uint32_t>();
  words.require(route.next_hop.is_v4() == route.destination.address().is_v4());
  return route;
}

// The journal is its owner's, but whoever cleans up after that is an administrator: no name from it
// leads to another's rule, or out of the key that the rules are in.
std::string parse_policy_key(Words& words) {
  const std::string_view key = words.text();
  words.require(key.starts_with(kPolicyPrefix) && key.find_first_of("\\/") == key.npos);
  return std::string(key);
}

std::optional<UndoStep> parse_step(Words& words) {
  const std::string_view kind = words.text();
  if (kind == "settings") {
    RestoreIpSettings step;
    step.link = words.number<InterfaceId>();
    step.family = words.family();
    step.was = words.settings();
    step.wrote = words.settings();
    return step;
  }
  if (kind == "address") return RemoveAddress{parse_address(words)};
  if (kind == "route") return RemoveRoute{parse_route(words)};
  if (kind == "dns") {
    RestoreDns step;
    step.link = words.number<InterfaceId>();
    step.family = words.family();
    step.was = words.addresses();
    step.wrote = words.addresses();
    return step;
  }
  if (kind == "policy") return RemoveResolutionPolicy{parse_policy_key(words)};
  return std::nullopt;
}

template <typename Range, typename Value>
bool contains(const Range& range, const Value& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

// An interface that is gone has taken everything with it.
Result<bool> exists(NetworkCalls& calls, InterfaceId id) {
  const auto interfaces = calls.interfaces();
  if (!interfaces) return fail(interfaces);
  return contains(*interfaces | std::views::transform(&Interface::id), id);
}

Result<std::string> undo_step(const RestoreIpSettings& step, NetworkCalls& calls) {
  const auto is_there = exists(calls, step.link);
  if (!is_there) return fail(is_there);
  if (!*is_there) return "";
  const auto now = calls.ip_settings(step.link, step.family);
  if (!now) return fail(now);
  if (*now != step.wrote) return "";
  const auto put_back = calls.set_ip_settings(step.link, step.family, step.was);
  if (!put_back) return fail(put_back);
  return "an interface's IP" + word(step.family) + " settings put back to MTU " +
         std::to_string(step.was.mtu);
}

Result<std::string> undo_step(const RemoveAddress& step, NetworkCalls& calls) {
  const auto addresses = calls.addresses();
  if (!addresses) return fail(addresses);
  const bool is_there = std::ranges::any_of(*addresses, [&](OwnAddress address) {
    address.is_usable = step.address.is_usable;
    return address == step.address;
  });
  if (!is_there) return "";
  const auto removed = calls.remove_address(step.address);
  if (!removed) return fail(removed);
  return "address " + step.address.address.to_string() + " removed";
}

Result<std::string> undo_step(const RemoveRoute& step, NetworkCalls& calls) {
  const auto routes = calls.routes();
  if (!routes) return fail(routes);
  if (!contains(*routes, step.route)) return "";
  const auto removed = calls.remove_route(step.route);
  if (!removed) return fail(removed);
  return "route to " + step.route.destination.to_string() + " removed";
}

Result<std::string> undo_step(const RestoreDns& step, NetworkCalls& calls) {
  const auto dns = calls.dns();
  if (!dns) return fail(dns);
  const auto now = std::ranges::find(*dns, step.link, &InterfaceDns::link);
  if (now == dns->end()) return "";
  std::vector<IpAddress> servers = now->servers;
  std::erase_if(servers, [&](const IpAddress& server) { return family_of(server) != step.family; });
  if (servers != step.wrote) return "";
  const auto put_back = calls.set_dns(step.link, step.family, step.was);
  if (!put_back) return fail(put_back);
  return "an interface's IP" + word(step.family) + " name servers put back";
}

Result<std::string> undo_step(const RemoveResolutionPolicy& step, NetworkCalls& calls) {
  const auto policies = calls.resolution_policies();
  if (!policies) return fail(policies);
  if (!contains(*policies | std::views::transform(&ResolutionPolicy::key), step.key)) return "";
  const auto removed = calls.remove_resolution_policy(step.key);
  if (!removed) return fail(removed);
  return "name resolution policy " + step.key + " removed";
}

}  // namespace

std::string to_line(const UndoStep& step) {
  return std::visit([](const auto& kind) { return line_of(kind); }, step);
}

std::optional<UndoStep> parse_undo_step(std::string_view line) {
  Words words(line);
  auto step = parse_step(words);
  if (!words.is_done()) return std::nullopt;
  return step;
}

Result<std::string> undo(const UndoStep& step, NetworkCalls& calls) {
  return std::visit([&](const auto& kind) { return undo_step(kind, calls); }, step);
}

}  // namespace qdt::os
