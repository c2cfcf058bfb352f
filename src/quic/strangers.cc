#include "quic/strangers.h"

#include <algorithm>
#include <cassert>

#include "base/client_networks.h"

namespace qdt::quic {
namespace {

// A shard may have so many, however many shards there are.
constexpr std::size_t kMinConnections = 32;

// How many admissions the time that one usually needs is smoothed over.
constexpr int kSmoothing = 16;

// One site in so many has the longest turn.
constexpr std::size_t kLongTurns = 16;

IpAddress customer_of(const IpAddress& address) {
  return ClientNetworks(address).customer.address();
}

IpAddress site_of(const IpAddress& address) {
  return ClientNetworks(address).site.address();
}

}  // namespace

Strangers::Options Strangers::Options::share(std::size_t shard_count) const {
  const auto part = [&](std::size_t whole, std::size_t least) {
    return std::min(whole, std::max(whole / shard_count, least));
  };
  Options options = *this;
  options.max_connections = part(max_connections, kMinConnections);
  options.max_per_address = part(max_per_address, kMinConnections / 2);
  options.max_per_site = part(max_per_site, kMinConnections * 3 / 4);
  options.max_bytes =
      max_bytes / std::max<std::size_t>(max_connections, 1) * options.max_connections;
  return options;
}

const Strangers::Group* Strangers::find(const Groups& groups, const IpAddress& key) {
  const auto found = groups.find(key);
  return found == groups.end() ? nullptr : &found->second;
}

std::size_t Strangers::count_of(const IpAddress& address) const {
  const Group* group = find(addresses_, customer_of(address));
  return group == nullptr ? 0 : group->size();
}

Strangers::Verdict Strangers::judge(const IpAddress& address, Timestamp now) const {
  const Group* of_address = find(addresses_, customer_of(address));
  if (of_address != nullptr && of_address->size() >= options_.max_per_address) {
    return unless_it_has_tenure(*of_address->oldest(), now);
  }
  const Group* site = find(sites_, site_of(address));
  const std::size_t own = site == nullptr ? 0 : site->size();
  if (own >= options_.max_per_site) return unless_it_has_tenure(*site->oldest(), now);
  // Each may still come to hold what is usual: who is let in is to get through.
  const std::size_t bytes = std::max(bytes_, count_ * options_.usual_bytes);
  const bool is_full = count_ >= options_.max_connections || bytes >= options_.max_bytes;
  if (!is_full || count_ == 0) return {.may_begin = true};
  if (own == largest_) return unless_it_has_tenure(*site->oldest(), now);
  if (own + 1 == largest_) return unless_all_have_their_turns(now);
  return {.may_begin = true, .gives_way = oldest_of_largest_site()};
}

Strangers::Verdict Strangers::unless_it_has_tenure(Note& oldest, Timestamp now) const {
  if (oldest.has_advanced && now - oldest.since < options_.tenure) return {.may_begin = false};
  return {.may_begin = true, .gives_way = &oldest};
}

Strangers::Verdict Strangers::unless_all_have_their_turns(Timestamp now) const {
  const auto oldest_past = [&](const std::list<Group*>& sites, Duration turn) -> Note* {
    if (sites.empty()) return nullptr;
    Note* oldest = sites.front()->oldest();
    return now - oldest->begun < turn ? nullptr : oldest;
  };
  const Equals& largest = by_size_[largest_];
  Note* past = oldest_past(largest.usual,
                           std::clamp(2 * usual_time_, options_.least_turn, options_.most_turn));
  if (past == nullptr) past = oldest_past(largest.with_long_turns, options_.most_turn);
  return {.may_begin = past != nullptr, .gives_way = past};
}

void Strangers::add(Note& note, const IpAddress& address, Timestamp now) {
  assert(!note.is_listed);
  note.is_listed = true;
  note.has_advanced = false;
  note.begun = now;
  note.since = now;
  note.address = address;
  Group& of_address = addresses_[customer_of(address)];
  note.in_address = of_address.beginners.insert(of_address.beginners.end(), &note);
  Group& site = sites_[site_of(address)];
  if (site.size() == 0) site.has_long_turns = ++sites_begun_ % kLongTurns == 0;
  note.in_site = site.beginners.insert(site.beginners.end(), &note);
  resize(site, site.size() - 1, site.size());
  ++count_;
}

void Strangers::advance(Note& note, Timestamp now) {
  if (!note.is_listed) return;
  const auto move = [&note](Group& group, std::list<Note*>::iterator at) {
    group.advanced.splice(group.advanced.end(), group.list_of(note), at);
  };
  move(addresses_.find(customer_of(note.address))->second, note.in_address);
  move(sites_.find(site_of(note.address))->second, note.in_site);
  note.has_advanced = true;
  note.since = now;
}

void Strangers::admit(Note& note, Timestamp now) {
  if (!note.is_listed) return;
  usual_time_ += (now - note.begun - usual_time_) / kSmoothing;
  remove(note);
}

void Strangers::remove(Note& note) {
  if (!note.is_listed) return;
  note.is_listed = false;
  const auto of_address = addresses_.find(customer_of(note.address));
  of_address->second.list_of(note).erase(note.in_address);
  if (of_address->second.size() == 0) addresses_.erase(of_address);
  const auto site = sites_.find(site_of(note.address));
  site->second.list_of(note).erase(note.in_site);
  resize(site->second, site->second.size() + 1, site->second.size());
  if (site->second.size() == 0) sites_.erase(site);
  --count_;
}

Strangers::Note* Strangers::too_large(Note& note, std::size_t bytes) const {
  if (bytes_ <= options_.max_bytes) return nullptr;
  return bytes > options_.usual_bytes ? &note : oldest_of_largest_site();
}

Strangers::Note* Strangers::oldest_of_largest_site() const {
  if (largest_ == 0) return nullptr;
  const Equals& largest = by_size_[largest_];
  return (largest.usual.empty() ? largest.with_long_turns : largest.usual).front()->oldest();
}

// Sizes change by one at a time, so that the largest does.
void Strangers::resize(Group& site, std::size_t from, std::size_t to) {
  if (from > 0) by_size_[from].list_of(site).erase(site.in_size);
  if (to > 0) {
    if (by_size_.size() <= to) by_size_.resize(to + 1);
    std::list<Group*>& equals = by_size_[to].list_of(site);
    site.in_size = equals.insert(equals.end(), &site);
  }
  if (to > largest_) largest_ = to;
  if (from == largest_ && by_size_[from].empty()) largest_ = to;
}

}  // namespace qdt::quic
