#include "os/linux/forwarding_obstacles.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace qdt::os {
namespace {

using Json = nlohmann::json;

const Json* find_member(const Json& json, const char* name) {
  if (!json.is_object()) return nullptr;
  const auto member = json.find(name);
  return member == json.end() ? nullptr : &*member;
}

std::string text_member(const Json& json, const char* name) {
  const Json* member = find_member(json, name);
  return member && member->is_string() ? member->get<std::string>() : std::string();
}

// The objects of one kind ("chain", "rule") in an answer of nftables.
std::vector<Json> objects(std::string_view json, const char* kind) {
  std::vector<Json> found;
  const Json answer = Json::parse(json, /*cb=*/nullptr, /*allow_exceptions=*/false);
  const Json* all = find_member(answer, "nftables");
  if (!all || !all->is_array()) return found;
  for (const Json& object : *all) {
    if (const Json* wanted = find_member(object, kind)) found.push_back(*wanted);
  }
  return found;
}

bool filters_forwarding(const Json& chain) {
  const std::string family = text_member(chain, "family");
  return (family == "ip" || family == "ip6" || family == "inet") &&
         text_member(chain, "hook") == "forward" && text_member(chain, "type") == "filter";
}

bool matches_device(const Json& right, std::string_view tun_name) {
  if (right.is_string()) {
    const auto& name = right.get_ref<const std::string&>();
    return name.ends_with('*') ? tun_name.starts_with(name.substr(0, name.size() - 1))
                               : name == tun_name;
  }
  if (const Json* set = find_member(right, "set")) return matches_device(*set, tun_name);
  return right.is_array() && std::ranges::any_of(right, [&](const Json& element) {
           return matches_device(element, tun_name);
         });
}

const Json* expressions(const Json& rule) {
  const Json* expressions = find_member(rule, "expr");
  return expressions && expressions->is_array() ? expressions : nullptr;
}

// A rule about packets that come in by the device.
bool names_device(const Json& rule, std::string_view tun_name) {
  const Json* parts = expressions(rule);
  return parts && std::ranges::any_of(*parts, [&](const Json& part) {
           const Json* match = find_member(part, "match");
           const Json* left = match ? find_member(*match, "left") : nullptr;
           const Json* meta = left ? find_member(*left, "meta") : nullptr;
           const Json* right = match ? find_member(*match, "right") : nullptr;
           return meta && right && text_member(*meta, "key").starts_with("iif") &&
                  text_member(*match, "op") != "!=" && matches_device(*right, tun_name);
         });
}

// Such as firewalld's last rule: whatever came so far is rejected.
bool stops_everything(const Json& rule) {
  const Json* parts = expressions(rule);
  if (!parts || parts->empty()) return false;
  const bool is_verdict = parts->back().contains("drop") || parts->back().contains("reject");
  return is_verdict && std::ranges::none_of(*parts, [](const Json& part) {
           return part.contains("match") || part.contains("xt") || part.contains("limit");
         });
}

std::string both_ways(const std::string& from, const std::string& to) {
  return from + "; " + to;
}

std::string remedy(const std::vector<Json>& chains, const Json& chain, std::string_view tun_name) {
  const std::string tun(tun_name);
  const std::string table = text_member(chain, "table");
  const std::string name = text_member(chain, "name");
  const auto has_chain = [&](std::string_view wanted) {
    return std::ranges::any_of(
        chains, [&](const Json& other) { return text_member(other, "name") == wanted; });
  };
  const std::string program =
      text_member(chain, "family") == "ip6" ? "ip6tables -I " : "iptables -I ";
  const auto iptables = [&](const std::string& into) {
    return both_ways(program + into + " -i " + tun + " -j ACCEPT",
                     program + into + " -o " + tun + " -j ACCEPT");
  };
  if (has_chain("DOCKER-USER")) return iptables("DOCKER-USER");
  if (has_chain("ufw-user-forward")) {
    return both_ways("ufw route allow in on " + tun, "ufw route allow out on " + tun);
  }
  if (table == "firewalld") return "firewall-cmd --zone=trusted --add-interface=" + tun;
  if (table == "filter" && name == "FORWARD") return iptables("FORWARD");
  const std::string insert =
      "nft insert rule " + text_member(chain, "family") + " " + table + " " + name + " ";
  return both_ways(insert + "iifname " + tun + " accept", insert + "oifname " + tun + " accept");
}

}  // namespace

std::vector<NftTable> forward_filters(std::string_view chains_json, std::string_view our_table,
                                      bool carries_ipv6) {
  std::vector<NftTable> tables;
  for (const Json& chain : objects(chains_json, "chain")) {
    const NftTable table{text_member(chain, "family"), text_member(chain, "table")};
    if (!filters_forwarding(chain) || table.name == our_table) continue;
    if (table.family == "ip6" && !carries_ipv6) continue;
    if (std::ranges::find(tables, table) == tables.end()) tables.push_back(table);
  }
  return tables;
}

std::vector<std::string> obstacles_in(std::string_view table_json, std::string_view tun_name) {
  const std::vector<Json> chains = objects(table_json, "chain");
  const std::vector<Json> rules = objects(table_json, "rule");
  const auto names_tun = [&](const Json& rule) { return names_device(rule, tun_name); };
  if (std::ranges::any_of(rules, names_tun)) return {};

  std::vector<std::string> obstacles;
  for (const Json& chain : chains) {
    if (!filters_forwarding(chain)) continue;
    const std::string name = text_member(chain, "name");
    const bool drops = text_member(chain, "policy") == "drop";
    const bool rejects = std::ranges::any_of(rules, [&](const Json& rule) {
      return text_member(rule, "chain") == name && stops_everything(rule);
    });
    if (!drops && !rejects) continue;
    obstacles.push_back("chain " + name + " of table " + text_member(chain, "family") + " " +
                        text_member(chain, "table") +
                        " stops forwarded packets: " + remedy(chains, chain, tun_name));
  }
  return obstacles;
}

}  // namespace qdt::os
