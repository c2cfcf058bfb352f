#include "os/linux/undo_step.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "os/linux/json_bytes.h"

namespace qdt::os {
namespace {

using Json = nlohmann::json;

template <typename Number>
Json json_of(const std::optional<Number>& number) {
  return number ? Json(*number) : Json();
}

std::optional<std::uint32_t> number_of(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(json.get<std::uint32_t>());
}

Json texts_of(const std::vector<std::string>& names) {
  Json texts = Json::array();
  for (const std::string& name : names) texts.push_back(text_from_bytes(name));
  return texts;
}

std::vector<std::string> names_of(const Json& texts) {
  std::vector<std::string> names;
  for (const Json& text : texts) names.push_back(bytes_from_text(text.get<std::string>()));
  return names;
}

Json json_of(const RestoreForwarding& step) {
  return {{"undo", "forwarding"},
          {"v6", step.is_v6},
          {"forwarding", texts_of(step.forwarding)},
          {"closed", texts_of(step.closed)},
          {"advertisements", texts_of(step.takes_advertisements)},
          {"rules", texts_of(step.rules)}};
}

Json json_of(const Link& link) {
  return {{"index", link.index},
          {"name", link.name},
          {"up", link.is_up},
          {"mtu", link.mtu},
          {"queue", link.queue_packets}};
}

Link link_of(const Json& json) {
  return {.index = json.at("index").get<int>(),
          .name = json.at("name").get<std::string>(),
          .is_up = json.at("up").get<bool>(),
          .mtu = json.at("mtu").get<std::uint32_t>(),
          .queue_packets = json.at("queue").get<std::uint32_t>()};
}

Json json_of(const RestoreSysctl& step) {
  return {{"undo", "sysctl"}, {"name", step.name}, {"was", step.was}, {"wrote", step.wrote}};
}

Json json_of(const RestoreLink& step) {
  return {{"undo", "link"}, {"was", json_of(step.was)}, {"wrote", json_of(step.wrote)}};
}

Json json_of(const DeleteAddress& step) {
  return {{"undo", "address"},
          {"link", step.address.link_index},
          {"address", step.address.address.to_string()},
          {"length", step.address.prefix_length}};
}

Json json_of(const DeleteRoute& step) {
  return {{"undo", "route"},
          {"destination", step.route.destination.to_string()},
          {"link", step.route.link_index},
          {"table", step.route.table},
          {"metric", step.route.metric},
          {"goes_on", step.route.goes_on}};
}

Json json_of(const DeleteRule& step) {
  return {{"undo", "rule"},
          {"v6", step.rule.is_v6},
          {"priority", step.rule.priority},
          {"table", step.rule.table},
          {"unless_mark", json_of(step.rule.unless_mark)},
          {"if_bits", json_of(step.rule.if_bits)},
          {"suppress_prefix_length", json_of(step.rule.suppress_prefix_length)}};
}

Json json_of(const DeleteNftTable& step) {
  return {{"undo", "nft table"}, {"name", step.name}};
}

Json json_of(const RevertResolved& step) {
  return {{"undo", "resolved"}, {"link", step.link_index}};
}

Json json_of(const DeleteResolvconfRecord& step) {
  return {{"undo", "resolvconf"}, {"record", step.record}};
}

Json json_of(const RemoveResolvConfLayer& step) {
  return {{"undo", "resolv.conf layer"}, {"owner", step.owner}};
}

Json json_of(const RestoreResolvConf& step) {
  return {{"undo", "resolv.conf"},
          {"was", step.was ? Json(text_from_bytes(*step.was)) : Json()},
          {"wrote", text_from_bytes(step.wrote)}};
}

// The journal is its owner's, but whoever cleans up after that may be more powerful: no name from
// it leads out of the realm of its kind.

std::optional<UndoStep> parse_sysctl(const Json& json) {
  auto name = json.at("name").get<std::string>();
  if (!name.starts_with("net/") || name.contains("..")) return std::nullopt;
  return RestoreSysctl{.name = std::move(name), .was = json.at("was"), .wrote = json.at("wrote")};
}

std::optional<UndoStep> parse_forwarding(const Json& json) {
  RestoreForwarding step{.is_v6 = json.at("v6").get<bool>(),
                         .forwarding = names_of(json.at("forwarding")),
                         .closed = names_of(json.at("closed")),
                         .takes_advertisements = names_of(json.at("advertisements")),
                         .rules = names_of(json.at("rules"))};
  const auto leads_elsewhere = [](const std::string& interface) {
    return interface.empty() || interface.contains('/') || interface.starts_with('.');
  };
  for (const auto* names : {&step.forwarding, &step.closed, &step.takes_advertisements}) {
    if (std::ranges::any_of(*names, leads_elsewhere)) return std::nullopt;
  }
  return step;
}

std::optional<UndoStep> parse_nft_table(const Json& json) {
  auto name = json.at("name").get<std::string>();
  const bool is_ours = name.starts_with("qdt_") && std::ranges::all_of(name, [](char letter) {
                         return std::isalnum(static_cast<unsigned char>(letter)) ||
                                std::string_view("_-./").contains(letter);
                       });
  if (!is_ours) return std::nullopt;
  return DeleteNftTable{std::move(name)};
}

std::optional<UndoStep> parse_resolvconf(const Json& json) {
  auto record = json.at("record").get<std::string>();
  if (record.empty() || record.starts_with('-')) return std::nullopt;
  return DeleteResolvconfRecord{std::move(record)};
}

std::optional<UndoStep> parse_address(const Json& json) {
  const auto address = IpAddress::parse(json.at("address").get<std::string>());
  const int length = json.at("length").get<int>();
  if (!address || length < 0 || length > address->bit_length()) return std::nullopt;
  return DeleteAddress{{json.at("link").get<int>(), *address, length}};
}

std::optional<UndoStep> parse_route(const Json& json) {
  const auto destination = Prefix::parse(json.at("destination").get<std::string>());
  if (!destination) return std::nullopt;
  return DeleteRoute{{.destination = *destination,
                      .link_index = json.at("link").get<int>(),
                      .table = json.at("table").get<std::uint32_t>(),
                      .metric = json.value("metric", std::uint32_t{0}),  // older ones have none
                      .goes_on = json.value("goes_on", false)}};
}

std::optional<UndoStep> parse_rule(const Json& json) {
  return DeleteRule{{.is_v6 = json.at("v6").get<bool>(),
                     .priority = json.at("priority").get<std::uint32_t>(),
                     .table = json.at("table").get<std::uint32_t>(),
                     .unless_mark = number_of(json.at("unless_mark")),
                     .if_bits = number_of(json.value("if_bits", Json())),  // older ones have none
                     .suppress_prefix_length = number_of(json.at("suppress_prefix_length"))}};
}

std::optional<UndoStep> parse_resolv_conf(const Json& json) {
  RestoreResolvConf step{.was = std::nullopt,
                         .wrote = bytes_from_text(json.at("wrote").get<std::string>())};
  if (const Json& was = json.at("was"); !was.is_null()) {
    step.was = bytes_from_text(was.get<std::string>());
  }
  return step;
}

std::optional<UndoStep> parse_step(const Json& json) {
  const auto kind = json.at("undo").get<std::string>();
  if (kind == "sysctl") return parse_sysctl(json);
  if (kind == "forwarding") return parse_forwarding(json);
  if (kind == "link") return RestoreLink{link_of(json.at("was")), link_of(json.at("wrote"))};
  if (kind == "address") return parse_address(json);
  if (kind == "route") return parse_route(json);
  if (kind == "rule") return parse_rule(json);
  if (kind == "nft table") return parse_nft_table(json);
  if (kind == "resolved") return RevertResolved{json.at("link").get<int>()};
  if (kind == "resolvconf") return parse_resolvconf(json);
  if (kind == "resolv.conf layer") {
    return RemoveResolvConfLayer{json.at("owner").get<std::string>()};
  }
  if (kind == "resolv.conf") return parse_resolv_conf(json);
  return std::nullopt;
}

}  // namespace

std::string to_json(const UndoStep& step) {
  return std::visit([](const auto& kind) { return json_of(kind); }, step).dump();
}

std::optional<UndoStep> parse_undo_step(std::string_view line) {
  const Json json = Json::parse(line, /*cb=*/nullptr, /*allow_exceptions=*/false);
  try {
    return parse_step(json);
  } catch (const Json::exception&) {  // a member that is missing, or of another type
    return std::nullopt;
  }
}

}  // namespace qdt::os
