#include "ops/config_value.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

#include "base/ascii.h"
#include "ops/text.h"

namespace qdt::ops {
namespace {

using Kind = YamlNode::Kind;

bool is_control(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return byte < 0x20 || byte == 0x7f;
}

}  // namespace

std::string describe(const YamlNode& node) {
  constexpr std::size_t kMaxShown = 48;
  switch (node.kind) {
    case Kind::kNothing: return "nothing";
    case Kind::kList: return "a list";
    case Kind::kMap: return "keys below it";
    case Kind::kScalar: break;
  }
  if (node.text.size() <= kMaxShown) return "\"" + printable(node.text) + "\"";
  std::size_t shown = kMaxShown;
  while (shown > 0 && (node.text[shown] & 0xc0) == 0x80) --shown;  // not inside a character
  return "\"" + printable(std::string_view(node.text).substr(0, shown)) + "...\"";
}

Reader<std::size_t> whole_number(std::size_t min, std::size_t max) {
  return text_reader<std::size_t>(
      "a whole number from " + std::to_string(min) + " to " + std::to_string(max),
      [=](const std::string& text) -> Reading<std::size_t> {
        const auto number = parse_whole<std::size_t>(text);
        if (!number || *number < min || *number > max) return refuse();
        return *number;
      });
}

namespace {

// As YAML writes numbers: 0.5, 1e6, +3, 1_000, .inf.
std::optional<double> parse_decimal(std::string text) {
  std::erase(text, '_');
  const std::size_t sign = text.starts_with('+') ? 1 : 0;
  if (text.substr(sign) == ".inf" || text.substr(sign) == ".Inf" || text.substr(sign) == ".INF") {
    return std::numeric_limits<double>::infinity();
  }
  const char* const begin = text.data() + sign;
  const char* const end = text.data() + text.size();
  double number = 0;
  const auto [stop, error] = std::from_chars(begin, end, number);
  const bool is_word = begin == end || std::isalpha(static_cast<unsigned char>(*begin)) != 0;
  if (is_word || stop != end) return std::nullopt;
  // Too large or too close to zero for a double.
  if (error == std::errc::result_out_of_range) {
    const bool is_small =
        text.find("e-") != std::string::npos || text.find("E-") != std::string::npos;
    return is_small ? 0 : std::numeric_limits<double>::infinity();
  }
  if (error != std::errc() || std::isnan(number)) return std::nullopt;
  return number;
}

// Nothing comes so often: with a bucket of it, numbers still add up.
constexpr double kEnough = 1e12;

}  // namespace

Reader<double> rate(double min) {
  const std::string expected = "a number from " + std::to_string(std::llround(min)) + " on";
  return text_reader<double>(expected, [=](const std::string& text) -> Reading<double> {
    const auto number = parse_decimal(text);
    if (!number || *number < min) return refuse();
    return std::min(*number, kEnough);
  });
}

Reader<bool> flag() {
  return one_of<bool>({{"true", true},
                       {"false", false},
                       {"yes", true},
                       {"no", false},
                       {"on", true},
                       {"off", false}},
                      "true or false");
}

namespace {

struct DurationUnit {
  std::string_view name;
  Duration length;
};

// Longest first.
constexpr DurationUnit kDurationUnits[] = {
    {"h", std::chrono::hours(1)}, {"m", 1min}, {"s", 1s}, {"ms", 1ms}};

Reading<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration::zero();
  if (parse_whole<std::uint64_t>(text)) return refuse("the unit is missing: ms, s, m or h");

  Duration sum{};
  while (!text.empty()) {
    const std::size_t digits = std::ranges::find_if_not(text, is_digit) - text.begin();
    const auto number = parse_whole<std::uint32_t>(text.substr(0, digits));
    if (!number) return refuse();
    text.remove_prefix(digits);

    const std::size_t letters = std::ranges::find_if(text, is_digit) - text.begin();
    const auto unit =
        std::ranges::find(kDurationUnits, text.substr(0, letters), &DurationUnit::name);
    if (unit == std::end(kDurationUnits)) return refuse("the units are ms, s, m and h");
    // Bounded long before 2^32 hours and some could pass 2^63 nanoseconds.
    constexpr Duration kLimit = std::chrono::hours(24 * 365 * 100);
    if (*number > kLimit / unit->length) return refuse();
    sum += *number * unit->length;
    if (sum > kLimit) return refuse();
    text.remove_prefix(letters);
  }
  return sum;
}

}  // namespace

std::string to_string(Duration duration) {
  if (duration == Duration::zero()) return "0";
  std::string text;
  for (const DurationUnit& unit : kDurationUnits) {
    if (duration < unit.length) continue;
    text.append(std::to_string(duration / unit.length)).append(unit.name);
    duration %= unit.length;
  }
  return text;
}

Reader<Duration> duration(Duration min, Duration max, Zero zero) {
  std::string expected =
      "a duration from " + to_string(min) + " to " + to_string(max) + " such as 90s, 2m or 1m30s";
  if (zero == Zero::kAllowed) expected += ", or 0";
  return text_reader<Duration>(std::move(expected), [=](const std::string& text) {
    Reading<Duration> parsed = parse_duration(text);
    if (!parsed) return parsed;
    const bool is_allowed_zero = zero == Zero::kAllowed && *parsed == Duration::zero();
    if (!is_allowed_zero && (*parsed < min || *parsed > max)) parsed = refuse();
    return parsed;
  });
}

namespace {

// Placeholders that people copy from examples and forget.
bool is_placeholder(std::string_view token) {
  constexpr std::string_view kWords[] = {"example",  "secret", "token", "mytoken",
                                         "password", "todo",   "fixme", "xxx",
                                         "tbd",      "insert", "none",  "null"};
  constexpr std::string_view kParts[] = {
      "changeme",     "changethis", "replaceme",    "replacethis", "replacewith",  "placeholder",
      "yourtoken",    "yoursecret", "yourpassword", "yourkey",     "tokenhere",    "secrethere",
      "exampletoken", "fillin",     "inserttoken",  "inserthere",  "examplesecret"};
  constexpr std::string_view kBrackets[] = {"<>", "{}", "[]", "%%", "()"};
  std::string letters = lower_case(token);
  std::erase_if(letters, [](unsigned char letter) { return std::isalnum(letter) == 0; });
  const bool is_in_brackets = std::ranges::any_of(kBrackets, [&](std::string_view pair) {
    return token.front() == pair[0] && token.back() == pair[1];
  });
  const bool is_variable =
      token.front() == '$' && std::ranges::all_of(token.substr(1), [](unsigned char letter) {
        return std::isalnum(letter) != 0 || letter == '_' || letter == '{' || letter == '}';
      });
  const bool is_one_letter = token.find_first_not_of(token.front()) == std::string_view::npos;
  const bool has_part = std::ranges::any_of(
      kParts, [&](std::string_view part) { return letters.find(part) != std::string::npos; });
  return is_in_brackets || is_variable || is_one_letter || has_part ||
         std::ranges::find(kWords, letters) != std::end(kWords);
}

}  // namespace

Reader<std::string> token() {
  constexpr std::size_t kMaxTokenBytes = 512;
  return text_reader<std::string>(
      "a secret of 1 to 512 characters without spaces around it",
      [](const std::string& text) -> Reading<std::string> {
        if (text.empty()) return refuse("it is empty");
        if (text.size() > kMaxTokenBytes) return refuse("it is too long");
        if (text.find('\n') != std::string::npos) {
          return refuse("it has a line break; is a quote not closed?");
        }
        if (std::ranges::any_of(text, is_control)) return refuse("it has a control character");
        if (text.front() == ' ' || text.back() == ' ') return refuse("it has spaces around it");
        if (is_placeholder(text)) {
          return refuse(
              "it is the example's placeholder, " + printable(text.substr(0, 32)) +
              "; make one with: openssl rand -base64 32, on the server, and give it to the "
              "clients");
        }
        return text;
      });
}

Reader<std::string> file_path() {
  return text_reader<std::string>("the path of a file",
                                  [](const std::string& text) -> Reading<std::string> {
                                    if (text.empty()) return refuse();
                                    if (std::ranges::any_of(text, is_control)) {
                                      return refuse("it has a control character");
                                    }
                                    return text;
                                  });
}

Reader<std::vector<std::string>> command() {
  return {"[PROGRAM, ARGUMENT...] with the program's full path, or []",
          [](const YamlNode& node) -> Reading<std::vector<std::string>> {
            if (node.kind != YamlNode::Kind::kList) return refuse();
            std::vector<std::string> words;
            for (const YamlNode& item : node.items) {
              if (item.kind != YamlNode::Kind::kScalar) return refuse("", &item);
              if (item.text.find('\0') != std::string::npos) return refuse("", &item);
              words.push_back(item.text);
            }
            if (!words.empty() && !words[0].starts_with('/')) {
              return refuse("the path begins with /", &node.items[0]);
            }
            return words;
          }};
}

Reader<std::string> interface_name() {
  // The kernel's dev_valid_name(); and no "%", which makes it choose a number itself.
  return text_reader<std::string>(
      "an interface name: 1 to 15 characters without space, \"/\", \":\" or \"%\"",
      [](const std::string& text) -> Reading<std::string> {
        if (text.empty() || text == "." || text == "..") return refuse();
        if (text.size() > 15) return refuse("it has " + std::to_string(text.size()));
        const bool is_clean = std::ranges::none_of(text, [](char letter) {
          return is_control(letter) || std::string_view(" /:%").find(letter) != std::string::npos;
        });
        if (!is_clean) return refuse();
        return text;
      });
}

Reader<std::string> optional_interface_name() {
  return or_empty(interface_name());
}

Reader<std::string> user_name() {
  return text_reader<std::string>(
      "a user's name: 1 to 32 lower-case letters, digits, hyphens and underscores, a letter or "
      "underscore first",
      [](const std::string& text) -> Reading<std::string> {
        const auto is_letter = [](char one) { return (one >= 'a' && one <= 'z') || one == '_'; };
        const bool is_name = std::ranges::all_of(text, [&](char one) {
          return is_letter(one) || (one >= '0' && one <= '9') || one == '-';
        });
        if (text.empty() || text.size() > 32 || !is_name || !is_letter(text[0])) return refuse();
        return text;
      });
}

bool is_short_name(std::string_view text) {
  const bool is_printable_ascii =
      std::ranges::all_of(text, [](char letter) { return letter >= 0x20 && letter < 0x7f; });
  return is_printable_ascii && !text.empty() && text.size() <= 64;
}

Reader<std::string> client_name() {
  return text_reader<std::string>("a name of 1 to 64 printable ASCII characters",
                                  [](const std::string& text) -> Reading<std::string> {
                                    if (!is_short_name(text)) return refuse();
                                    return text;
                                  });
}

namespace {

std::optional<std::uint8_t> hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<std::uint8_t>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<std::uint8_t>(digit - 'a' + 10);
  if (digit >= 'A' && digit <= 'F') return static_cast<std::uint8_t>(digit - 'A' + 10);
  return std::nullopt;
}

using Fingerprint = std::array<std::uint8_t, 32>;

Reading<std::optional<Fingerprint>> parse_fingerprint(const std::string& text) {
  constexpr std::string_view kPrefix = "sha256:";
  if (!text.starts_with(kPrefix)) return refuse("\"sha256:\" has to come first");
  std::string_view rest = std::string_view(text).substr(kPrefix.size());

  Fingerprint fingerprint{};
  const bool has_colons = rest.find(':') != std::string_view::npos;
  for (std::size_t i = 0; i < fingerprint.size(); ++i) {
    if (has_colons && i > 0) {
      if (!rest.starts_with(':')) return refuse("colons have to stand between all bytes or none");
      rest.remove_prefix(1);
    }
    if (rest.size() < 2) return refuse("it is too short");
    const auto high = hex_value(rest[0]);
    const auto low = hex_value(rest[1]);
    if (!high || !low) return refuse("\"" + printable(rest.substr(0, 2)) + "\" is no hex byte");
    fingerprint[i] = static_cast<std::uint8_t>(*high << 4 | *low);
    rest.remove_prefix(2);
  }
  if (!rest.empty()) return refuse("it is too long");
  if (fingerprint == Fingerprint{}) {
    return refuse("it is a placeholder; the server logs its certificate's at each start");
  }
  return fingerprint;
}

}  // namespace

Reader<std::optional<Fingerprint>> certificate_fingerprint() {
  return text_reader<std::optional<Fingerprint>>("sha256: followed by 64 hex digits",
                                                 parse_fingerprint);
}

}  // namespace qdt::ops
