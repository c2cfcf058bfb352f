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
/// of those that are too many, at once where its site has fewer than another even then: somebody
/// who holds all places from a few sites keeps nobody else out. Where many sites have one each, as
/// when thousands of clients come back together, the newest waits: if it took the place of another,
/// none would ever get through. Every function takes the same time however many there are.
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
    /// Its turn: so long after its first packet a connection gives way to none of another site that
    /// has as many. It is twice the mean time that admitted clients have needed of late, within
    /// these bounds. Nobody without the token can lengthen it. One site in sixteen has the longest
    /// turn: when all clients come to need longer than before, these get through, and the mean
    /// follows.
    Duration least_turn = 50ms;
    Duration most_turn = 2s;

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
    Timestamp begun;
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
  /// `note`'s connection has a session: it is a stranger no more.
  void admit(Note& note, Timestamp now);
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
    // A site's.
    std::list<Group*>::iterator in_size;
    bool has_long_turns = false;

    std::size_t size() const { return beginners.size() + advanced.size(); }
    std::list<Note*>& list_of(const Note& note) { return note.has_advanced ? advanced : beginners; }
    Note* oldest() const { return beginners.empty() ? advanced.front() : beginners.front(); }
  };
  using Groups = std::unordered_map<IpAddress, Group>;
  /// Sites with equally many members; who has been so for longest first.
  struct Equals {
    std::list<Group*> usual;
    std::list<Group*> with_long_turns;

    std::list<Group*>& list_of(const Group& site) {
      return site.has_long_turns ? with_long_turns : usual;
    }
    bool empty() const { return usual.empty() && with_long_turns.empty(); }
  };

  static const Group* find(const Groups& groups, const IpAddress& key);
  Note* oldest_of_largest_site() const;
  Verdict unless_it_has_tenure(Note& oldest, Timestamp now) const;
  Verdict unless_all_have_their_turns(Timestamp now) const;
  void resize(Group& site, std::size_t from, std::size_t to);

  Options options_;
  Duration usual_time_ = 250ms;  // from the first packet to a session, smoothed
  std::size_t sites_begun_ = 0;  // of all time
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  Groups addresses_;
  Groups sites_;
  std::vector<Equals> by_size_;  // sites by their number of members
  std::size_t largest_ = 0;
};

}  // namespace qdt::quic
