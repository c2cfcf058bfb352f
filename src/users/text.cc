#include "users/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include "base/ascii.h"

namespace qdt::users {
namespace {

using Days = std::chrono::sys_days;

constexpr std::size_t kMaxNameBytes = 64;
constexpr std::size_t kMaxQuotedBytes = 40;

// `expires: "31.12.2026": why; what to write`
std::unexpected<Error> refuse(std::string_view what, std::string_view text, std::string_view why,
                              std::string_view remedy) {
  std::string quoted;
  for (const char c : text.substr(0, kMaxQuotedBytes)) quoted += c >= ' ' && c <= '~' ? c : '?';
  if (text.size() > kMaxQuotedBytes) quoted += "...";
  return fail(
      std::string(what) + ": \"" + quoted + "\": " + std::string(why) + "; " + std::string(remedy),
      ErrorCode::kInvalidArgument);
}

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 4> kRates = {{{"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {"bit", 1}}};
constexpr std::array<Unit, 9> kSizes = {{{"kb", 1e3},
                                         {"mb", 1e6},
                                         {"gb", 1e9},
                                         {"tb", 1e12},
                                         {"kib", 1024.},
                                         {"mib", 1048576.},
                                         {"gib", 1073741824.},
                                         {"tib", 1099511627776.},
                                         {"b", 1}}};
constexpr std::array<Unit, 4> kTimes = {{{"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}}};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_lower);
  return out;
}

struct Kind {
  std::string_view is_none;  // "is no rate"
  std::string_view remedy;
  double least;
  double most;
};

// A number, which may have decimals, and one of the units right behind it.
template <std::size_t N>
Result<std::uint64_t> parse_amount(std::string_view what, std::string_view text,
                                   const std::array<Unit, N>& units, const Kind& kind) {
  const std::string small = lower(text);
  double number = 0;
  const char* const end = small.data() + small.size();
  const auto [rest, error] = std::from_chars(small.data(), end, number, std::chars_format::fixed);
  const bool has_number = error == std::errc() && !small.empty() && is_digit(small[0]);
  if (!has_number) return refuse(what, text, kind.is_none, kind.remedy);
  const std::string_view unit(rest, end);
  if (unit.empty()) return refuse(what, text, "it has no unit", kind.remedy);
  const auto found = std::ranges::find(units, unit, &Unit::name);
  if (found == units.end()) return refuse(what, text, "it has another unit", kind.remedy);
  const double amount = std::round(number * found->factor);
  if (amount < kind.least) return refuse(what, text, "it is too little", kind.remedy);
  if (!(amount <= kind.most)) return refuse(what, text, "it is too much", kind.remedy);
  return static_cast<std::uint64_t>(amount);
}

constexpr std::string_view kTimeRemedy =
    "write a date such as 2026-12-31, a time such as 2026-12-31T18:00 (UTC), or a time from now "
    "such as 24h or 30d";

// Digits alone, `count` of them, from the front of `text`, and what has to stand behind them.
std::optional<int> take_digits(std::string_view& text, std::size_t count, std::string_view behind) {
  if (text.size() < count) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(0, count)) {
    if (!is_digit(c)) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(count);
  if (!text.starts_with(behind)) return std::nullopt;
  text.remove_prefix(behind.size());
  return number;
}

Result<std::int64_t> parse_date(std::string_view what, std::string_view text) {
  std::string_view rest = text;
  const auto year = take_digits(rest, 4, "-");
  const auto month = year ? take_digits(rest, 2, "-") : std::nullopt;
  const auto day = month ? take_digits(rest, 2, "") : std::nullopt;
  if (!day) return refuse(what, text, "is no date", kTimeRemedy);
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return refuse(what, text, "the calendar has no such day", kTimeRemedy);
  const auto midnight = std::chrono::seconds(Days(date).time_since_epoch()).count();
  if (rest.empty()) return midnight;

  if (!rest.starts_with('T') && !rest.starts_with('t')) {
    return refuse(what, text, "is no date", kTimeRemedy);
  }
  rest.remove_prefix(1);
  const auto hour = take_digits(rest, 2, ":");
  const auto minute = hour ? take_digits(rest, 2, "") : std::nullopt;
  std::optional<int> second = 0;
  if (minute && rest.starts_with(':')) {
    rest.remove_prefix(1);
    second = take_digits(rest, 2, "");
  }
  if (rest == "Z" || rest == "z") rest = {};
  const bool is_time =
      minute && second && rest.empty() && *hour < 24 && *minute < 60 && *second < 60;
  if (!is_time) return refuse(what, text, "its time is none", kTimeRemedy);
  return midnight + *hour * 3600 + *minute * 60 + *second;
}

std::string two(int number) {
  return {static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
}

std::chrono::year_month_day date_of(std::int64_t seconds) {
  return {std::chrono::floor<std::chrono::days>(
      std::chrono::sys_seconds(std::chrono::seconds(seconds)))};
}

}  // namespace

Result<void> check_name(std::string_view what, std::string_view name) {
  constexpr std::string_view kRemedy =
      "write 1 to 64 letters or digits, with . _ - @ between them, such as ann or ann.lee";
  if (name.empty()) return refuse(what, name, "it is empty", kRemedy);
  if (name.size() > kMaxNameBytes) return refuse(what, name, "it is too long", kRemedy);
  const auto is_alphanumeric = [](char c) { return is_digit(c) || is_alpha(c); };
  if (!is_alphanumeric(name[0])) {
    return refuse(what, name, "it begins with neither a letter nor a digit", kRemedy);
  }
  const bool is_good = std::ranges::all_of(name, [&](char c) {
    return is_alphanumeric(c) || c == '.' || c == '_' || c == '-' || c == '@';
  });
  if (!is_good) return refuse(what, name, "it has other characters", kRemedy);
  return {};
}

Result<std::uint64_t> parse_rate(std::string_view what, std::string_view text) {
  return parse_amount(what, text, kRates,
                      {.is_none = "is no rate",
                       .remedy = "write bits a second such as 500kbit, 20mbit or 1.5gbit, from "
                                 "1kbit to 1000gbit",
                       .least = 1e3,
                       .most = 1e12});
}

std::string rate_text(std::uint64_t bits_per_second) {
  for (const Unit& unit : {kRates[2], kRates[1], kRates[0]}) {
    const auto factor = static_cast<std::uint64_t>(unit.factor);
    if (bits_per_second >= factor && bits_per_second % factor == 0) {
      return std::to_string(bits_per_second / factor) + std::string(unit.name);
    }
  }
  return std::to_string(bits_per_second) + "bit";
}

Result<std::uint64_t> parse_size(std::string_view what, std::string_view text) {
  return parse_amount(what, text, kSizes,
                      {.is_none = "is no size",
                       .remedy = "write bytes such as 500mb, 20gb or 1.5tb (20gib is in powers of "
                                 "1024), up to 1000tb",
                       .least = 1,
                       .most = 1e15});
}

Result<std::uint64_t> parse_count(std::string_view what, std::string_view text, std::uint64_t least,
                                  std::uint64_t most) {
  const std::string remedy =
      "write a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) return refuse(what, text, "it is too much", remedy);
  if (error != std::errc() || end != text.data() + text.size()) {
    return refuse(what, text, "is no whole number", remedy);
  }
  if (number < least) return refuse(what, text, "it is too little", remedy);
  if (number > most) return refuse(what, text, "it is too much", remedy);
  return number;
}

Result<std::int64_t> parse_time(std::string_view what, std::string_view text, std::int64_t now) {
  constexpr std::int64_t kLatest = 7258118400;  // 2200-01-01
  const bool is_date = text.size() > 4 && text[4] == '-';
  std::int64_t time = 0;
  if (is_date) {
    const auto date = parse_date(what, text);
    if (!date) return date;
    time = *date;
  } else {
    const auto span =
        parse_amount(what, text, kTimes,
                     {.is_none = "is no time", .remedy = kTimeRemedy, .least = 1, .most = 1e10});
    if (!span) return fail(span);
    time = now + static_cast<std::int64_t>(*span);
  }
  if (time <= now) {
    return refuse(what, text, "it is past (it is " + time_text(now) + " now)", kTimeRemedy);
  }
  if (time >= kLatest) return refuse(what, text, "it is too far away", kTimeRemedy);
  return time;
}

std::string time_text(std::int64_t seconds) {
  const auto date = date_of(seconds);
  const auto of_day =
      static_cast<int>(seconds - std::chrono::seconds(Days(date).time_since_epoch()).count());
  const int year = static_cast<int>(date.year());
  return two(year / 100) + two(year % 100) + "-" +
         two(static_cast<int>(static_cast<unsigned>(date.month()))) + "-" +
         two(static_cast<int>(static_cast<unsigned>(date.day()))) + "T" + two(of_day / 3600) + ":" +
         two(of_day / 60 % 60) + ":" + two(of_day % 60) + "Z";
}

int period_of(std::int64_t seconds, int reset_day) {
  const auto date = date_of(seconds - std::int64_t{86400} * (reset_day - 1));
  return static_cast<int>(date.year()) * 100 +
         static_cast<int>(static_cast<unsigned>(date.month()));
}

std::int64_t begin_of_period(int period, int reset_day) {
  const Days first = std::chrono::year(period / 100) /
                     std::chrono::month(static_cast<unsigned>(period % 100)) /
                     std::chrono::day(static_cast<unsigned>(reset_day));
  return std::chrono::seconds(first.time_since_epoch()).count();
}

int next_period(int period) {
  return period % 100 == 12 ? period + 89 : period + 1;
}

int day_of(std::int64_t seconds) {
  const auto date = date_of(seconds);
  return period_of(seconds) * 100 + static_cast<int>(static_cast<unsigned>(date.day()));
}

Result<int> parse_month(std::string_view what, std::string_view text) {
  const auto digits = [&](std::size_t from, std::size_t count) {
    int number = 0;
    for (const char c : text.substr(from, count)) {
      if (c < '0' || c > '9') return -1;
      number = number * 10 + (c - '0');
    }
    return number;
  };
  const bool has_form = text.size() == 7 && text[4] == '-';
  const int year = has_form ? digits(0, 4) : -1;
  const int month = has_form ? digits(5, 2) : -1;
  if (year < 1970 || month < 1 || month > 12) {
    return refuse(what, text, "it is no month", "write year and month such as 2026-11");
  }
  return year * 100 + month;
}

std::string month_text(int period) {
  return two(period / 10000) + two(period / 100 % 100) + "-" + two(period % 100);
}

}  // namespace qdt::users
