#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"

namespace qdt::quic {

class Connection;

/// The connections of a shard that have no session: anybody can open one, so their number is
/// bounded, together and by where they come from. One more is let in at the expense of the oldest
/// of those that are too many, at once where its site has fewer than another: somebody who holds
/// all places from a few sites keeps nobody else out. Every function takes the same time however
/// many there are.
class Strangers {
 public:
  struct Options {
    /// A server limited to 64 MiB can spare so much, at about 40 KiB each.
    std::size_t max_connections = 224;
    /// From an IPv4 address or an IPv6 /64: a customer has at least that (RFC 6177). More than the
    /// clients of an office that come back in the same second.
    std::size_t max_per_address = 128;
    /// From an IPv6 /48, which one customer may have as well.
    std::size_t max_per_site = 160;
    /// The memory that MemoryAccount counts, all together.
    std::size_t max_bytes = std::size_t{12} * 1024 * 1024;
    /// A connection that behaves holds no more, not even at its handshake's height.
    std::size_t usual_bytes = std::size_t{80} * 1024;
    /// So long after its latest advance a connection gives way to none of its own site: long enough
    /// for some round trips, so that an office that comes back at once does not push itself out.
    /// One whose ClientHello is not complete has advanced by nothing.
    Duration tenure = 1s;

    /// The share of one of so many shards.
    Options share(std::size_t shard_count) const;
  };

 private:
  struct Group;

 public:
  /// Belongs to one connection.
  struct Note {
    Connection* connection = nullptr;
    bool is_listed = false;

   private:
    friend class Strangers;
    bool has_advanced = false;
    Timestamp since;    // the latest advance
    IpAddress address;  // by which its groups are found
    std::list<Note*>::iterator in_address;
    std::list<Note*>::iterator in_site;
  };

  explicit Strangers(const Options& options) : options_(options) {}

  struct Verdict {
    bool may_begin = false;
    Note* gives_way = nullptr;  ///< has to be removed first, where not null
  };
  /// Whether one more connection may begin from `address`.
  Verdict judge(const IpAddress& address, Timestamp now) const;
  /// Notes a connection that judge() allowed. `note` stays where it is until remove().
  void add(Note& note, const IpAddress& address, Timestamp now);
  /// `note`'s connection has got on with its handshake: it counts as the newest from now on.
  void advance(Note& note, Timestamp now);
  void remove(Note& note);
  /// `note`'s connection, with `bytes` of memory, has just been served. The connection that has to
  /// go because all of them hold too much: it, if it holds more than is usual, or else the oldest
  /// of those that are too many. Null while they do not.
  Note* too_large(Note& note, std::size_t bytes) const;

  std::size_t count() const { return count_; }
  std::size_t count_of(const IpAddress& address) const;
  /// The sum of their memory accounts, which write it.
  std::size_t& bytes() { return bytes_; }
  std::size_t bytes() const { return bytes_; }

 private:
  /// Those of one address, or of one site, the oldest first.
  struct Group {
    std::list<Note*> beginners;  // who have advanced by nothing
    std::list<Note*> advanced;
    std::list<Group*>::iterator in_size;  // a site's

    std::size_t size() const { return beginners.size() + advanced.size(); }
    std::list<Note*>& list_of(const Note& note) { return note.has_advanced ? advanced : beginners; }
    Note* oldest() const { return beginners.empty() ? advanced.front() : beginners.front(); }
  };
  using Groups = std::unordered_map<IpAddress, Group>;

  static const Group* find(const Groups& groups, const IpAddress& key);
  Note* oldest_of_largest_site() const;
  Verdict unless_it_has_tenure(Note& oldest, Timestamp now) const;
  void resize(Group& site, std::size_t from, std::size_t to);

  Options options_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  Groups addresses_;
  Groups sites_;
  std::vector<std::list<Group*>> by_size_;  // sites by their number of members
  std::size_t largest_ = 0;
};

}  // namespace qdt::quic
