#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ip_address.h"
#include "base/random.h"
#include "base/time.h"
#include "server/lease_pool.h"
#include "wire/datagram.h"

namespace qdt::server {

/// Which client may have which lease again (docs/protocol-v1.md, cap `resume`). A session whose
/// client can resume gets a token; when it ends, its lease is kept for the holder of the token, up
/// to `grace`, and given to others only when no other is left, the one longest in grace first.
/// Tokens are known by their digests only. An address for whose clients very many leases are kept
/// loses the oldest of its own, and so does an IPv6 site: nobody pushes out what is kept for others
/// by coming and going. A lease that is fixed is one device's alone, and nobody resumes it: a newer
/// session of that device takes it from the older one. Asked once for each session; any thread.
class LeaseBook {
 public:
  using Digest = std::array<std::uint8_t, 32>;

  /// `grace` 0: nothing is ever kept. `max_kept`: for the clients of one address (IPv6: of a /64,
  /// and half as many again of a /48); 0: any number. `pool` outlives the book.
  LeaseBook(LeasePool& pool, Duration grace, std::size_t max_kept = 0)
      : pool_(pool), grace_(grace), max_kept_(max_kept) {}
  /// Another number for leases that are kept from now on.
  void use_max_kept(std::size_t max_kept);

  struct Holder {
    std::size_t shard = 0;
    wire::SessionId session = 0;
    std::string user;  ///< whose session it is; empty: the only user's
  };
  struct Grant {
    IpAddress address;
    std::string token;  ///< for the client; empty when it cannot resume
    /// The session that had the lease until now: to be ended, in its shard, as replaced.
    std::optional<Holder> replaced;
  };
  /// A lease for a session that is about to open: the one of `token`, or any. `token` is the
  /// client's, or empty; nothing for one that cannot resume. `from` is where it comes from. Nothing
  /// when all are lent. The token of another user's lease is one that nobody has.
  std::optional<Grant> acquire(const Holder& holder, std::optional<std::string_view> token,
                               Random& random, Timestamp now, const IpAddress& from = {});
  /// These are fixed from now on, and no others. Whoever has one of them by chance stays until its
  /// session ends, but gets it no more; nobody else's is kept. The ones that the pool lends.
  std::set<IpAddress> fix(std::span<const IpAddress> addresses);
  /// The fixed lease `address` for a session of the device that it is fixed for. `can_resume`: it
  /// is given a token, as every client that can. Nothing while a session has it that had it before
  /// it was fixed, and will be ended.
  std::optional<Grant> acquire_fixed(const Holder& holder, const IpAddress& address,
                                     bool can_resume, Random& random);
  /// Whether a session has this fixed lease, which it loses to the next.
  bool is_in_use(const IpAddress& address) const;
  /// The session of `holder` ended. Where another has its lease by now, nothing changes.
  void release(const IpAddress& address, wire::SessionId session, Timestamp now);
  /// Whether a session of `user` has the lease of `token` now.
  bool is_in_use(std::string_view token, std::string_view user = {}) const;

  /// Leases that are kept for clients without a session.
  std::size_t kept() const;

  // --- across a restart ---

  struct Entry {
    IpAddress address;
    Digest token{};
    std::optional<Timestamp> ended_at;  ///< nothing while a session has it
    bool operator==(const Entry&) const = default;
  };
  /// All that is known, by address.
  std::vector<Entry> entries(Timestamp now) const;
  /// Notes what the last process knew; its sessions ended with it, `now`. Returns how many entries
  /// were not of the pool, or in conflict with others, and were left out.
  std::size_t restore(const std::vector<Entry>& entries, Timestamp now);
  /// Grows with every change of entries(), but for those that time makes.
  std::uint64_t version() const;

 private:
  struct Note {
    Digest token{};
    std::optional<Holder> holder;
    Timestamp ended_at;
    IpAddress from;                   // unspecified: not known since a restart
    std::optional<std::string> user;  // likewise nothing
    bool is_fixed = false;            // it is its device's, and not kept

    bool is_of(std::string_view other) const { return !user || *user == other; }
  };
  struct DigestHash {
    std::size_t operator()(const Digest& digest) const;
  };
  using ByEnd = std::set<std::pair<Timestamp, IpAddress>>;

  std::optional<Grant> resume(const Holder& holder, std::string_view token, const IpAddress& from);
  void expire(Timestamp now);
  void keep(const IpAddress& address, Note& note, Timestamp ended_at);
  void keep_at_most(std::size_t max, const Prefix& network);
  void stop_keeping(const IpAddress& address, const Note& note);
  void forget(IpAddress address);

  LeasePool& pool_;
  const Duration grace_;
  mutable std::mutex mutex_;
  std::size_t max_kept_;
  std::map<IpAddress, Note> notes_;
  std::unordered_map<Digest, IpAddress, DigestHash> by_token_;
  ByEnd ended_;                       // those without a session, oldest first
  std::map<Prefix, ByEnd> ended_of_;  // likewise, by the networks that their clients came from
  std::uint64_t version_ = 0;
};

}  // namespace qdt::server
