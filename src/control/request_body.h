#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace qdt::control {

/// The body of a request: an object of JSON, whose values are plain. A value is checked when it is
/// asked for. Errors are kInvalidArgument, and name the key: "up: expected a text, ...".
class RequestBody {
 public:
  /// An empty `text` is an empty object. An error: it is too long or no object, or it has a key
  /// that is not in `known`.
  static Result<RequestBody> parse(const std::string& text, const std::vector<std::string>& known);

  bool is_empty() const { return values_.empty(); }
  bool has(const std::string& key) const { return values_.contains(key); }
  bool has_number(const std::string& key) const;
  /// The text, or the whole number as one. Nothing: there is no such key, or it is null or `none`.
  Result<std::optional<std::string>> text(const std::string& key) const;
  /// A text that users::check_name() takes.
  Result<std::string> name(const std::string& key) const;
  /// False where there is no such key.
  Result<bool> flag(const std::string& key) const;
  /// The value of a key that is there, as JSON; of a list or an object, an empty text.
  std::string as_json(const std::string& key) const;

 private:
  enum class Kind { kNull, kFlag, kNumber, kText, kOther };
  struct Value {
    Kind kind = Kind::kOther;
    std::string text;  // of a text its letters, of kOther nothing, of the others their JSON
  };

  std::map<std::string, Value> values_;
};

}  // namespace qdt::control
