#include "os/linux/forwarding_interest.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

namespace qdt::os {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kOurTables = "qdt_";

std::string text_member(const Json& json, const char* name) {
  if (!json.is_object()) return {};
  const auto member = json.find(name);
  return member != json.end() && member->is_string() ? member->get<std::string>() : std::string();
}

// The objects of one kind ("chain", "rule") in an answer of nftables.
std::vector<Json> objects(std::string_view text, const char* kind) {
  std::vector<Json> found;
  const Json answer = Json::parse(text, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object() || !answer.contains("nftables")) return found;
  for (const Json& object : answer["nftables"]) {
    if (object.is_object() && object.contains(kind)) found.push_back(object[kind]);
  }
  return found;
}

bool is_about_forwarding(const Json& chain) {
  const std::string hook = text_member(chain, "hook");
  return hook == "forward" ||
         (text_member(chain, "type") == "nat" && (hook == "postrouting" || hook == "prerouting"));
}

// FNV-1a, 64 bits: to notice that something has changed, not to stand against anybody.
std::uint64_t digest_of(std::string_view text) {
  std::uint64_t digest = 0xcbf29ce484222325;
  for (const char letter : text) {
    digest = (digest ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  }
  return digest;
}

bool translates_sources(std::string_view rule) {
  constexpr std::array<std::string_view, 4> kWords = {"\"masquerade\"", "\"snat\"",
                                                      "\"MASQUERADE\"", "\"SNAT\""};
  return std::ranges::any_of(kWords, [&](std::string_view word) { return rule.contains(word); });
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

}  // namespace

std::vector<NftTable> find_foreign_tables(std::string_view chains_json) {
  std::vector<NftTable> tables;
  for (const Json& chain : objects(chains_json, "chain")) {
    const NftTable table{text_member(chain, "family"), text_member(chain, "table")};
    if (!is_about_forwarding(chain) || table.name.starts_with(kOurTables)) continue;
    if (std::ranges::find(tables, table) == tables.end()) tables.push_back(table);
  }
  return tables;
}

ForeignTable read_foreign_table(const NftTable& table, std::string_view table_json) {
  // Chains at other hooks, such as input, say nothing about forwarding.
  std::set<std::string> others;
  for (const Json& chain : objects(table_json, "chain")) {
    if (!text_member(chain, "hook").empty() && !is_about_forwarding(chain)) {
      others.insert(text_member(chain, "name"));
    }
  }
  ForeignTable foreign{.table = table};
  std::string rules;
  for (const Json& rule : objects(table_json, "rule")) {
    const std::string chain = text_member(rule, "chain");
    if (others.contains(chain) || !rule.contains("expr")) continue;
    const std::string words =
        rule["expr"].dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
    foreign.translates_sources |= translates_sources(words);
    rules += chain + " " + words + "\n";
  }
  if (!rules.empty()) foreign.digest = std::to_string(digest_of(rules));
  return foreign;
}

std::string note_of(const ForeignTable& table) {
  return table.table.family + " " + table.table.name + " " + table.digest;
}

std::string find_interest(std::span<const ForeignTable> now, std::span<const std::string> before) {
  for (const ForeignTable& table : now) {
    if (table.digest.empty()) continue;
    const bool is_new = std::ranges::find(before, note_of(table)) == before.end();
    if (is_new || table.translates_sources) {
      return "nftables table " + table.table.family + " " + table.table.name;
    }
  }
  return {};
}

bool is_switched_on(std::span<const std::string> files, std::span<const std::string_view> names) {
  bool is_on = false;
  for (const std::string& file : files) {
    std::istringstream lines(file);
    for (std::string line; std::getline(lines, line);) {
      std::string_view rest = trimmed(line);
      if (rest.starts_with('-')) rest = trimmed(rest.substr(1));
      const auto equals = rest.find('=');
      if (rest.empty() || rest.starts_with('#') || rest.starts_with(';')) continue;
      if (equals == rest.npos) continue;
      std::string name(trimmed(rest.substr(0, equals)));
      std::ranges::replace(name, '/', '.');
      const std::string_view value = trimmed(rest.substr(equals + 1));
      const bool is_meant = std::ranges::any_of(names, [&](std::string_view wanted) {
        return ::fnmatch(name.c_str(), std::string(wanted).c_str(), 0) == 0;
      });
      if (is_meant) is_on = !value.empty() && value != "0";
    }
  }
  return is_on;
}

}  // namespace qdt::os
