#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "access/account.h"
#include "access/credential.h"
#include "access/meter.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "wire/ed25519.h"
#include "wire/hkdf.h"
#include "wire/token_keys.h"

namespace qdt::access {

/// A device of a user: what it proves itself by in version 2, and what its sessions are keyed with.
struct Device {
  std::string name;  ///< empty: those that have the user's token
  /// A token of its own, of which its key, psk and server_seed are made where it has no key; a
  /// table has none.
  std::string token;
  std::optional<wire::Ed25519PublicKey> key;
  std::optional<wire::PresharedKey> psk;
  /// By which the server proves itself to it; nothing: by its identity key.
  std::optional<wire::Ed25519Seed> server_seed;
  /// For clients that are not ours: a name, which may be empty, and the SHA-256 of a secret.
  struct Login {
    std::string name;
    std::array<std::uint8_t, 32> secret_digest{};
    bool operator==(const Login&) const = default;
  };
  std::optional<Login> login;
  std::uint64_t id = 0;              ///< in the store of users; 0: the configuration's
  bool is_ticket = false;            ///< it enrols a device, and gets no session
  std::optional<IpAddress> address;  ///< IPv4, that its sessions have; nothing: any of the pool

  /// Its psk is its own, and not a token's: the QUIC plane is sealed with it, too.
  bool needs_sealed() const { return psk && !server_seed; }
  bool operator==(const Device&) const = default;
};

/// The device of those who have `token`: both sides make its keys of that.
Device token_device(std::string_view token);

/// A user as a table has it.
struct User {
  std::string name;  ///< empty: the configuration's
  std::vector<Device> devices;
  UserLimits limits;
  /// Shared with the user's sessions, and with the next table: each may be the last to go.
  std::shared_ptr<Account> account;
  std::uint64_t id = 0;  ///< in the store of users; 0: the configuration's
  /// One for each ID of its devices; shared as the account is.
  std::vector<std::shared_ptr<Meter>> meters;

  /// Null for a ticket's; `device`, null for a token's owner, is one of the user's.
  std::shared_ptr<Meter> meter_of(const Device* device) const;
};

/// The users who may come in, with their limits. A table never changes: another takes its place as
/// a whole, and readers of the old one read it to the end. Any thread, without a lock.
class UserTable {
 public:
  struct Entry {
    std::string name;
    std::string token;  ///< empty: the user has devices alone
    std::vector<Device> devices;
    UserLimits limits;
    std::uint64_t id = 0;  ///< in the store of users; 0: the configuration's
  };
  /// Random, so that nobody outside can tell which tokens share a bucket.
  using Key = wire::HkdfSecret;
  /// A snapshot has as many owners as there are shards and handshakes that read it.
  using Snapshot = std::shared_ptr<const UserTable>;

  /// Each user has a name, save one, the configuration's, and a token or a device; names, tokens,
  /// keys and logins are of one user each. A user whom `before` has by the same name keeps the
  /// account, and its devices the meters.
  static Result<Snapshot> create(std::span<const Entry> entries, const Key& key,
                                 const UserTable* before = nullptr);

  /// A user, and the device that the credential is of, which lives as long as the user; null for a
  /// token.
  struct Match {
    std::shared_ptr<const User> user;
    const Device* device = nullptr;
    explicit operator bool() const { return user != nullptr; }
    const User* operator->() const { return user.get(); }
  };
  /// Whose credential it is; nobody: `user` is null. Its time tells nothing about the table: it
  /// does the same work whatever it is asked, and where it looks depends on a keyed digest, which
  /// is another one entirely for the next similar token.
  Match find(const Credential& credential) const;

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
    std::uint32_t owner = 0;  // its number plus one; 0: the place is free
  };
  struct Owner {
    std::uint32_t user = 0;
    std::optional<std::uint32_t> device;
  };
  using Bucket = std::array<Place, kPlaces>;

  explicit UserTable(const Key& key) : key_(key) {}
  wire::HkdfSecret digest_of(const Credential& credential) const;
  wire::HkdfSecret digest_of(const Device::Login& login) const;
  wire::HkdfSecret digest_of(Credential::Kind kind, Bytes bytes) const;
  std::size_t bucket_of(const wire::HkdfSecret& digest) const;
  bool place(std::span<const wire::HkdfSecret> digests, std::size_t buckets);

  Key key_;
  std::vector<Bucket> buckets_;  // a power of two; their number is such that all users find a place
  std::vector<Owner> owners_;    // of what may be shown
  std::vector<std::shared_ptr<const User>> users_;
};

}  // namespace qdt::access
