#include "control/request_body.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/words.h"
#include "control/refuse.h"
#include "users/text.h"

namespace qdt::control {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxBodyBytes = 16 << 10;
constexpr std::size_t kMaxQuotedBytes = 64;

}  // namespace

Result<RequestBody> RequestBody::parse(const std::string& text,
                                       const std::vector<std::string>& known) {
  if (text.size() > kMaxBodyBytes) return refuse("the body has more than 16 KiB");
  const Json json = Json::parse(text.empty() ? "{}" : text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return refuse("the body is no object of JSON");
  const auto read = [](const Json& value) -> Value {
    if (value.is_string()) return {.kind = Kind::kText, .text = value.get<std::string>()};
    const Kind kind = value.is_null()             ? Kind::kNull
                      : value.is_boolean()        ? Kind::kFlag
                      : value.is_number_integer() ? Kind::kNumber
                                                  : Kind::kOther;
    return {.kind = kind, .text = kind == Kind::kOther ? "" : value.dump()};
  };
  RequestBody body;
  for (const auto& [key, value] : json.items()) {
    if (std::ranges::find(known, key) == known.end()) {
      return refuse("\"" + key.substr(0, kMaxQuotedBytes) + "\" is not known here; there are " +
                    list_in_words(known));
    }
    body.values_.emplace(key, read(value));
  }
  return body;
}

bool RequestBody::has_number(const std::string& key) const {
  return has(key) && values_.at(key).kind == Kind::kNumber;
}

Result<std::optional<std::string>> RequestBody::text(const std::string& key) const {
  if (!has(key)) return std::nullopt;
  const auto& [kind, text] = values_.at(key);
  if (kind == Kind::kFlag || kind == Kind::kOther) {
    return refuse(key + ": expected a text, a whole number or null");
  }
  if (kind == Kind::kNull || text == "none") return std::nullopt;
  return text;
}

Result<std::string> RequestBody::name(const std::string& key) const {
  if (!has(key)) return refuse(key + " is missing");
  const auto given = text(key);
  if (!given) return fail(given);
  const std::string name = given->value_or("none");
  if (const auto ok = users::check_name(key, name); !ok) return fail(ok);
  return name;
}

Result<bool> RequestBody::flag(const std::string& key) const {
  if (!has(key)) return false;
  const auto& [kind, text] = values_.at(key);
  if (kind != Kind::kFlag) return refuse(key + ": expected true or false");
  return text == "true";
}

std::string RequestBody::as_json(const std::string& key) const {
  const auto& [kind, text] = values_.at(key);
  return kind == Kind::kText ? Json(text).dump() : text;
}

}  // namespace qdt::control
