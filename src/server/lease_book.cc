#include "server/lease_book.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/client_networks.h"
#include "wire/base64.h"
#include "wire/seal.h"

namespace qdt::server {

std::size_t LeaseBook::DigestHash::operator()(const Digest& digest) const {
  std::size_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

void LeaseBook::use_max_kept(std::size_t max_kept) {
  const std::scoped_lock lock(mutex_);
  max_kept_ = max_kept;
}

std::optional<LeaseBook::Grant> LeaseBook::acquire(const Holder& holder,
                                                   std::optional<std::string_view> token,
                                                   Random& random, Timestamp now,
                                                   const IpAddress& from) {
  const std::scoped_lock lock(mutex_);
  expire(now);
  const bool can_resume = token && grace_ > Duration::zero();
  if (can_resume && !token->empty()) {
    if (auto grant = resume(holder, *token, from)) return grant;
  }

  auto address = pool_.acquire(holder.shard);
  if (!address && !ended_.empty()) {
    forget(ended_.begin()->second);
    address = pool_.acquire(holder.shard);
  }
  if (!address) return std::nullopt;
  if (!can_resume) return Grant{.address = *address, .token = {}, .replaced = {}};

  Grant grant{
      .address = *address, .token = wire::encode_base64(random.bytes<16>()), .replaced = {}};
  const Digest digest = wire::secret_digest(grant.token);
  notes_[*address] = {
      .token = digest, .holder = holder, .ended_at = {}, .from = from, .user = holder.user};
  by_token_[digest] = *address;
  ++version_;
  return grant;
}

std::optional<LeaseBook::Grant> LeaseBook::resume(const Holder& holder, std::string_view token,
                                                  const IpAddress& from) {
  const auto found = by_token_.find(wire::secret_digest(token));
  if (found == by_token_.end()) return std::nullopt;
  const IpAddress address = found->second;
  Note& note = notes_.at(address);
  if (!note.is_of(holder.user) || pool_.is_fixed(address)) return std::nullopt;
  if (!note.holder) stop_keeping(address, note);
  note.from = from;
  note.user = holder.user;
  note.is_fixed = false;  // it may have been
  pool_.give(address, holder.shard);
  ++version_;
  return Grant{.address = address,
               .token = std::string(token),
               .replaced = std::exchange(note.holder, holder)};
}

void LeaseBook::release(const IpAddress& address, wire::SessionId session, Timestamp now) {
  const std::scoped_lock lock(mutex_);
  const auto found = notes_.find(address);
  if (found == notes_.end()) return pool_.release(address);
  Note& note = found->second;
  const bool is_holder = note.holder && note.holder->session == session;
  if (!is_holder) return;
  ++version_;
  if (note.is_fixed || pool_.is_fixed(address)) {
    by_token_.erase(note.token);
    notes_.erase(found);
    return pool_.release(address);
  }
  pool_.keep(address);
  keep(address, note, now);
}

std::set<IpAddress> LeaseBook::fix(std::span<const IpAddress> addresses) {
  const std::scoped_lock lock(mutex_);
  std::vector<IpAddress> lent;
  std::ranges::copy_if(addresses, std::back_inserter(lent),
                       [this](const IpAddress& address) { return pool_.lends(address); });
  pool_.fix(lent);
  for (const IpAddress& address : lent) {
    const auto note = notes_.find(address);
    if (note != notes_.end() && !note->second.holder) forget(address);
  }
  return {lent.begin(), lent.end()};
}

std::optional<LeaseBook::Grant> LeaseBook::acquire_fixed(const Holder& holder,
                                                         const IpAddress& address, bool can_resume,
                                                         Random& random) {
  const std::scoped_lock lock(mutex_);
  Grant grant{.address = address, .token = {}, .replaced = {}};
  const auto found = notes_.find(address);
  if (found != notes_.end()) {
    if (!found->second.is_fixed) return std::nullopt;
    by_token_.erase(found->second.token);
    grant.replaced = found->second.holder;
  } else if (pool_.owner(address)) {
    return std::nullopt;
  }
  pool_.give(address, holder.shard);
  Note note{.holder = holder, .ended_at = {}, .from = {}, .user = holder.user, .is_fixed = true};
  if (can_resume && grace_ > Duration::zero()) {
    grant.token = wire::encode_base64(random.bytes<16>());
    note.token = wire::secret_digest(grant.token);
    by_token_[note.token] = address;
  }
  notes_[address] = note;
  ++version_;
  return grant;
}

bool LeaseBook::is_in_use(const IpAddress& address) const {
  const std::scoped_lock lock(mutex_);
  const auto note = notes_.find(address);
  return note != notes_.end() && note->second.is_fixed;
}

bool LeaseBook::is_in_use(std::string_view token, std::string_view user) const {
  const std::scoped_lock lock(mutex_);
  const auto found = by_token_.find(wire::secret_digest(token));
  if (found == by_token_.end()) return false;
  const Note& note = notes_.at(found->second);
  return note.holder && note.is_of(user);
}

std::size_t LeaseBook::kept() const {
  const std::scoped_lock lock(mutex_);
  return ended_.size();
}

void LeaseBook::keep(const IpAddress& address, Note& note, Timestamp ended_at) {
  note.holder.reset();
  note.ended_at = ended_at;
  ended_.emplace(ended_at, address);
  if (note.from.is_unspecified()) return;
  const ClientNetworks networks(note.from);
  for (const Prefix& network : {networks.customer, networks.site}) {
    ended_of_[network].emplace(ended_at, address);
  }
  if (max_kept_ == 0) return;
  keep_at_most(max_kept_, networks.customer);
  keep_at_most(networks.max_of_site(max_kept_), networks.site);
}

void LeaseBook::keep_at_most(std::size_t max, const Prefix& network) {
  const auto of_network = ended_of_.find(network);
  if (of_network == ended_of_.end() || of_network->second.size() <= max) return;
  forget(of_network->second.begin()->second);
}

void LeaseBook::stop_keeping(const IpAddress& address, const Note& note) {
  ended_.erase({note.ended_at, address});
  const ClientNetworks networks(note.from);
  for (const Prefix& network : {networks.customer, networks.site}) {
    const auto of_network = ended_of_.find(network);
    if (of_network == ended_of_.end()) continue;
    of_network->second.erase({note.ended_at, address});
    if (of_network->second.empty()) ended_of_.erase(of_network);
  }
}

void LeaseBook::expire(Timestamp now) {
  while (!ended_.empty() && now - ended_.begin()->first >= grace_) forget(ended_.begin()->second);
}

// By value: the sets that it may be from lose it.
void LeaseBook::forget(IpAddress address) {
  const auto note = notes_.find(address);
  stop_keeping(address, note->second);
  pool_.release(address);
  by_token_.erase(note->second.token);
  notes_.erase(note);
  ++version_;
}

std::vector<LeaseBook::Entry> LeaseBook::entries(Timestamp now) const {
  const std::scoped_lock lock(mutex_);
  std::vector<Entry> entries;
  for (const auto& [address, note] : notes_) {
    if (note.is_fixed || (!note.holder && now - note.ended_at >= grace_)) continue;
    entries.push_back(
        {address, note.token, note.holder ? std::nullopt : std::optional(note.ended_at)});
  }
  return entries;
}

std::size_t LeaseBook::restore(const std::vector<Entry>& entries, Timestamp now) {
  const std::scoped_lock lock(mutex_);
  std::size_t left_out = 0;
  for (const Entry& entry : entries) {
    const bool is_known = notes_.contains(entry.address) || by_token_.contains(entry.token);
    if (is_known || !pool_.keep(entry.address)) {
      ++left_out;
      continue;
    }
    by_token_[entry.token] = entry.address;
    Note& note = notes_[entry.address];
    note.token = entry.token;
    keep(entry.address, note, std::min(entry.ended_at.value_or(now), now));
  }
  expire(now);
  ++version_;
  return left_out;
}

std::uint64_t LeaseBook::version() const {
  const std::scoped_lock lock(mutex_);
  return version_;
}

}  // namespace qdt::server
