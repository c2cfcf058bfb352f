#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "access/account.h"
#include "access/credential.h"
#include "base/result.h"
#include "wire/hkdf.h"

namespace qdt::access {

/// A user as a table has it.
struct User {
  std::string name;  ///< empty: the only one
  UserLimits limits;
  /// Shared with the user's sessions, and with the next table: each may be the last to go.
  std::shared_ptr<Account> account;
};

/// The users who may come in, with their limits. A table never changes: another takes its place as
/// a whole, and readers of the old one read it to the end. Any thread, without a lock.
class UserTable {
 public:
  struct Entry {
    std::string name;
    std::string token;
    UserLimits limits;
  };
  /// Random, so that nobody outside can tell which tokens share a bucket.
  using Key = wire::HkdfSecret;
  /// A snapshot has as many owners as there are shards and handshakes that read it.
  using Snapshot = std::shared_ptr<const UserTable>;

  /// Names and tokens are not empty, save the name of an only user, and each is of one user. A user
  /// whom `before` has by the same name keeps the account.
  static Result<Snapshot> create(std::span<const Entry> entries, const Key& key,
                                 const UserTable* before = nullptr);

  /// The user with this credential; null: there is none. Its time tells nothing about the table: it
  /// does the same work whatever it is asked, and where it looks depends on a keyed digest, which
  /// is another one entirely for the next similar token.
  std::shared_ptr<const User> find(const Credential& credential) const;

  /// The users' sessions now, and what these and those before them have carried, to the second.
  struct Usage {
    std::string name;
    std::size_t sessions = 0;
    Traffic traffic;
  };
  std::vector<Usage> usage() const;

  /// All of them, in the order of their entries.
  std::span<const std::shared_ptr<const User>> users() const { return users_; }

 private:
  static constexpr std::size_t kPlaces = 8;
  struct Place {
    wire::HkdfSecret digest{};
    std::uint32_t user = 0;  // its number plus one; 0: the place is free
  };
  using Bucket = std::array<Place, kPlaces>;

  explicit UserTable(const Key& key) : key_(key) {}
  wire::HkdfSecret digest_of(const Credential& credential) const;
  std::size_t bucket_of(const wire::HkdfSecret& digest) const;
  bool place(std::span<const wire::HkdfSecret> digests, std::size_t buckets);

  Key key_;
  std::vector<Bucket> buckets_;  // a power of two; their number is such that all users find a place
  std::vector<std::shared_ptr<const User>> users_;
};

}  // namespace qdt::access
