#include "users/ledger.h"

#include <algorithm>

#include "users/text.h"

namespace qdt::users {
namespace {

// A device that is always there needs no row every few seconds.
constexpr std::int64_t kSightingSeconds = 60;

}  // namespace

void Ledger::add(std::uint64_t user, std::uint64_t device, const access::Meter::Reading& reading,
                 std::int64_t now) {
  now_ = now;
  if (reading.is_seen) sightings_[device].at = now;
  if (reading.up_bytes == 0 && reading.down_bytes == 0) return;
  turn(month_, months_, period_of(now));
  turn(day_, days_, day_of(now));
  const auto count = [&](Rows& rows, const Page& page, std::uint64_t id) {
    Row& row = rows[{id, page.epoch}];
    row.user = user;
    row.label = page.label;
    row.counted.up += reading.up_bytes;
    row.counted.down += reading.down_bytes;
  };
  count(months_, month_, device);
  count(days_, day_, user);
}

// Rows of a page that was left may be gone, so a page that comes again has another epoch.
void Ledger::turn(Page& page, Rows& rows, int label) {
  if (page.label == label || (page.label != 0 && rows.size() >= kMaxRows)) return;
  const Page left = page;
  page = {.label = label, .epoch = epoch_++};
  std::erase_if(rows, [&](const auto& row) {
    return row.first.second == left.epoch && row.second.is_told();
  });
}

Counts Ledger::untold(std::size_t most) const {
  Counts counts;
  for (const auto& [key, row] : months_) {
    if (counts.usage.size() == most) break;
    if (row.is_told()) continue;
    counts.usage.push_back({.user = row.user,
                            .device = key.first,
                            .period = row.label,
                            .node = node_,
                            .epoch = key.second,
                            .up = row.counted.up,
                            .down = row.counted.down});
  }
  for (const auto& [key, row] : days_) {
    if (counts.days.size() == most) break;
    if (row.is_told()) continue;
    counts.days.push_back({.user = row.user,
                           .day = row.label,
                           .node = node_,
                           .epoch = key.second,
                           .bytes = row.counted.up + row.counted.down});
  }
  for (const auto& [device, seen] : sightings_) {
    if (counts.sightings.size() == most) break;
    const bool is_due = seen.told == 0 || seen.at < seen.told ||
                        seen.at >= seen.told + kSightingSeconds ||
                        (seen.at > seen.told && now_ >= seen.at + kSightingSeconds);
    if (is_due) counts.sightings.push_back({.device = device, .at = seen.at});
  }
  return counts;
}

void Ledger::told(const Counts& counts) {
  for (const Usage& one : counts.usage) {
    tell(months_, month_, one.device, one.epoch, {.up = one.up, .down = one.down});
  }
  for (const DayUsage& one : counts.days) {
    const auto row = days_.find({one.user, one.epoch});
    if (row == days_.end()) continue;
    // Only the sum was told, of the row as it is unless bytes came meanwhile.
    const bool is_all = row->second.counted.up + row->second.counted.down == one.bytes;
    tell(days_, day_, one.user, one.epoch, is_all ? row->second.counted : row->second.told);
  }
  for (const Sighting& one : counts.sightings) {
    const auto seen = sightings_.find(one.device);
    if (seen != sightings_.end()) seen->second.told = one.at;
  }
  std::erase_if(sightings_, [&](const auto& one) {
    const Seen& seen = one.second;
    return seen.at == seen.told && now_ >= seen.at + kSightingSeconds;
  });
}

void Ledger::tell(Rows& rows, const Page& page, std::uint64_t id, std::uint64_t epoch,
                  const Ways& told) {
  const auto row = rows.find({id, epoch});
  if (row == rows.end()) return;
  row->second.told = told;
  if (row->second.is_told() && epoch != page.epoch) rows.erase(row);
}

}  // namespace qdt::users
