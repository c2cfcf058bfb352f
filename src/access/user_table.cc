#include "access/user_table.h"

#include <algorithm>
#include <bit>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "wire/seal.h"

namespace qdt::access {
namespace {

// An account that `before` has for a user of that name, or a new one.
std::shared_ptr<Account> account_of(const std::string& name, const UserTable* before) {
  if (before != nullptr) {
    const auto found =
        std::ranges::find(before->users(), name, [](const auto& user) { return user->name; });
    if (found != before->users().end()) return (*found)->account;
  }
  return std::make_shared<Account>();
}

}  // namespace

Result<UserTable::Snapshot> UserTable::create(std::span<const Entry> entries, const Key& key,
                                              const UserTable* before) {
  std::shared_ptr<UserTable> table(new UserTable(key));
  std::set<std::string_view> names;
  std::set<wire::HkdfSecret> known;
  std::vector<wire::HkdfSecret> digests;
  for (const Entry& entry : entries) {
    if (entry.name.empty() && entries.size() > 1) return fail("a user among others has no name");
    if (entry.token.empty()) return fail("the user \"" + entry.name + "\" has no token");
    if (!names.insert(entry.name).second) return fail("two users are named " + entry.name);
    digests.push_back(table->digest_of(Credential(entry.token)));
    if (!known.insert(digests.back()).second) {
      return fail("the user " + entry.name + " has the token of another user");
    }
    table->users_.push_back(std::make_shared<const User>(User{
        .name = entry.name, .limits = entry.limits, .account = account_of(entry.name, before)}));
  }
  // Digests are random: with one place in eight taken, hardly a bucket is too small.
  std::size_t buckets = std::bit_ceil(std::max<std::size_t>(entries.size(), 1));
  while (!table->place(digests, buckets)) buckets *= 2;
  return table;
}

bool UserTable::place(std::span<const wire::HkdfSecret> digests, std::size_t buckets) {
  buckets_.assign(buckets, {});
  for (std::size_t i = 0; i < digests.size(); ++i) {
    Bucket& bucket = buckets_[bucket_of(digests[i])];
    const auto free = std::ranges::find(bucket, 0U, &Place::user);
    if (free == bucket.end()) return false;
    *free = {.digest = digests[i], .user = static_cast<std::uint32_t>(i + 1)};
  }
  return true;
}

std::shared_ptr<const User> UserTable::find(const Credential& credential) const {
  const wire::HkdfSecret digest = digest_of(credential);
  std::uint32_t user = 0;
  for (const Place& place : buckets_[bucket_of(digest)]) {
    const std::uint32_t is_it = wire::digests_match(place.digest, digest) ? 1 : 0;
    user |= place.user * is_it;
  }
  return user == 0 ? nullptr : users_[user - 1];
}

std::vector<UserTable::Usage> UserTable::usage() const {
  std::vector<Usage> all;
  for (const auto& user : users_) {
    all.push_back({.name = user->name,
                   .sessions = user->account->sessions(),
                   .traffic = user->account->traffic()});
  }
  return all;
}

// HKDF-Extract is HMAC-SHA256 (RFC 5869 section 2.2).
wire::HkdfSecret UserTable::digest_of(const Credential& credential) const {
  return wire::hkdf_extract(key_, as_bytes(credential.token()));
}

std::size_t UserTable::bucket_of(const wire::HkdfSecret& digest) const {
  return load_be<std::uint64_t>(digest.data()) & (buckets_.size() - 1);
}

}  // namespace qdt::access
