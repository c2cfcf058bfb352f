#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "access/meter.h"
#include "users/model.h"

namespace qdt::users {

/// What one run of a server has counted, as it is told to a store: absolute numbers, so that
/// telling them twice, or after a doubt, is harmless. Months and days are UTC's, by the time at
/// which bytes are added; a clock that is set back begins another row of numbers. Pure. One thread.
class Ledger {
 public:
  /// `first_epoch` is random: no other run has it, nor one of the thousands behind it.
  Ledger(std::string node, std::uint64_t first_epoch)
      : node_(std::move(node)), epoch_(first_epoch) {}

  /// Adds what a device has carried lately. `now`: seconds since the Unix epoch.
  void add(std::uint64_t user, std::uint64_t device, const access::Meter::Reading& reading,
           std::int64_t now);
  /// What the store does not have, at most `most` of each kind.
  Counts untold(std::size_t most) const;
  /// The store has it. What is over and told is forgotten.
  void told(const Counts& counts);

  /// For a test of its bounds.
  std::size_t size() const { return months_.size() + days_.size() + sightings_.size(); }
  /// With more rows than this, of a store that takes nothing, the day and month at hand go on.
  static constexpr std::size_t kMaxRows = 200'000;

 private:
  struct Ways {
    std::uint64_t up = 0;
    std::uint64_t down = 0;
    bool operator==(const Ways&) const = default;
  };
  struct Row {
    std::uint64_t user = 0;
    int label = 0;  // the month or day
    Ways counted;
    Ways told;
    bool is_told() const { return counted == told; }
  };
  struct Seen {
    std::int64_t at = 0;
    std::int64_t told = 0;
  };
  // By the device or user, and the epoch.
  using Rows = std::map<std::pair<std::uint64_t, std::uint64_t>, Row>;
  // Where rows are added: a month or day, and its epoch.
  struct Page {
    int label = 0;
    std::uint64_t epoch = 0;
  };

  void turn(Page& page, Rows& rows, int label);
  static void tell(Rows& rows, const Page& page, std::uint64_t id, std::uint64_t epoch,
                   const Ways& told);

  std::string node_;
  std::uint64_t epoch_;  // the next one
  Page month_;
  Page day_;
  Rows months_;
  Rows days_;
  std::map<std::uint64_t, Seen> sightings_;
  std::int64_t now_ = 0;
};

}  // namespace qdt::users
