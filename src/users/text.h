#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

// What people write about users, and how it is shown to them. `what` is the name of the value, such
// as `expires`, with which an error begins; errors say why the text was refused, and what to write.

namespace qdt::users {

/// 1 to 64 letters, digits, and `.`, `_`, `-`, `@` behind the first: fits a shell, a path of a URL
/// and a table.
Result<void> check_name(std::string_view what, std::string_view name);

/// `20mbit`, `1.5gbit`: bits a second, 1 kbit to 1000 gbit. Letters may be large.
Result<std::uint64_t> parse_rate(std::string_view what, std::string_view text);
/// The shortest text that is that rate: `20mbit`.
std::string rate_text(std::uint64_t bits_per_second);

/// `500mb`, `1.5tb`, `20gib`: bytes, in powers of 1000 or 1024; 1 byte to 1000 tb.
Result<std::uint64_t> parse_size(std::string_view what, std::string_view text);

/// A number of something, `least` to `most`.
Result<std::uint64_t> parse_count(std::string_view what, std::string_view text, std::uint64_t least,
                                  std::uint64_t most);

/// `2026-12-31` (00:00 UTC), `2026-12-31T18:30` or `2026-12-31T18:30:00Z` (UTC), or a time from
/// `now` on: `90m`, `24h`, `30d`. In seconds since the Unix epoch, in the future, and not beyond
/// the year 2199.
Result<std::int64_t> parse_time(std::string_view what, std::string_view text, std::int64_t now);
/// `2026-12-31T18:30:00Z`.
std::string time_text(std::int64_t seconds);
/// 202611 for a time from the reset day (1 to 28) of November 2026 up to that of December.
int period_of(std::int64_t seconds, int reset_day = 1);
/// When that period begins: 00:00 UTC of its reset day.
std::int64_t begin_of_period(int period, int reset_day = 1);
/// The one behind it: 202701 for 202612.
int next_period(int period);
/// 20261130 for a time of 30 November 2026, UTC.
int day_of(std::int64_t seconds);
/// `2026-11`, as 202611.
Result<int> parse_month(std::string_view what, std::string_view text);
/// Likewise the other way.
std::string month_text(int period);

}  // namespace qdt::users
