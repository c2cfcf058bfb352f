#include "quic/strangers.h"

#include <algorithm>
#include <cassert>

namespace qdt::quic {
namespace {

constexpr int kAddressBits = 64;
constexpr int kSiteBits = 48;
// A shard may have so many, however many shards there are.
constexpr std::size_t kMinConnections = 32;

IpAddress key(const IpAddress& address, int bits) {
  return address.is_v4() ? address : Prefix(address, bits).address();
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

IpAddress Strangers::address_key(const IpAddress& address) {
  return key(address, kAddressBits);
}

IpAddress Strangers::site_key(const IpAddress& address) {
  return key(address, kSiteBits);
}

const Strangers::Group* Strangers::find(const Groups& groups, const IpAddress& key) {
  const auto found = groups.find(key);
  return found == groups.end() ? nullptr : &found->second;
}

std::size_t Strangers::count_of(const IpAddress& address) const {
  const Group* group = find(addresses_, address_key(address));
  return group == nullptr ? 0 : group->members.size();
}

Strangers::Verdict Strangers::judge(const IpAddress& address, Timestamp now) const {
  const Group* of_address = find(addresses_, address_key(address));
  const Group* of_site = find(sites_, site_key(address));
  Note* oldest = nullptr;
  if (of_address != nullptr && of_address->members.size() >= options_.max_per_address) {
    oldest = of_address->members.front();
  } else if (of_site != nullptr && of_site->members.size() >= options_.max_per_site) {
    oldest = of_site->members.front();
  } else if (count_ >= options_.max_connections || bytes_ >= options_.max_bytes) {
    oldest = oldest_of_largest_site();
  }
  if (oldest == nullptr) return {.may_begin = true};
  if (now - oldest->since < options_.tenure) return {.may_begin = false};
  return {.may_begin = true, .gives_way = oldest};
}

void Strangers::add(Note& note, const IpAddress& address, Timestamp now) {
  assert(!note.is_listed);
  note.is_listed = true;
  note.since = now;
  note.address = address;
  Group& of_address = addresses_[address_key(address)];
  note.in_address = of_address.members.insert(of_address.members.end(), &note);
  Group& site = sites_[site_key(address)];
  note.in_site = site.members.insert(site.members.end(), &note);
  resize(site, site.members.size() - 1, site.members.size());
  ++count_;
}

void Strangers::remove(Note& note) {
  if (!note.is_listed) return;
  note.is_listed = false;
  const auto of_address = addresses_.find(address_key(note.address));
  of_address->second.members.erase(note.in_address);
  if (of_address->second.members.empty()) addresses_.erase(of_address);
  const auto site = sites_.find(site_key(note.address));
  site->second.members.erase(note.in_site);
  resize(site->second, site->second.members.size() + 1, site->second.members.size());
  if (site->second.members.empty()) sites_.erase(site);
  --count_;
}

Strangers::Note* Strangers::too_large(Note& note, std::size_t bytes) const {
  if (bytes_ <= options_.max_bytes) return nullptr;
  return bytes > options_.usual_bytes ? &note : oldest_of_largest_site();
}

Strangers::Note* Strangers::oldest_of_largest_site() const {
  return largest_ == 0 ? nullptr : by_size_[largest_].front()->members.front();
}

// Sizes change by one at a time, so that the largest does.
void Strangers::resize(Group& site, std::size_t from, std::size_t to) {
  if (from > 0) by_size_[from].erase(site.in_size);
  if (to > 0) {
    if (by_size_.size() <= to) by_size_.resize(to + 1);
    site.in_size = by_size_[to].insert(by_size_[to].end(), &site);
  }
  if (to > largest_) largest_ = to;
  if (from == largest_ && by_size_[from].empty()) largest_ = to;
}

}  // namespace qdt::quic
