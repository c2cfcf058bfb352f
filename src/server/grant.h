#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "access/account.h"
#include "access/admission.h"
#include "access/credential.h"
#include "access/user_table.h"
#include "base/ip_address.h"
#include "base/random.h"
#include "base/time.h"
#include "server/lease_book.h"
#include "server/lease_pool.h"
#include "wire/datagram.h"
#include "wire/direct_packet.h"
#include "wire/handshake.h"
#include "wire/hkdf.h"
#include "wire/seal.h"

// The decisions on a request for a session. They depend on their arguments alone: no connection, no
// clock, no answer is sent. Any thread.

namespace qdt::server {

/// The tables of a server in which sessions take their places; of all its shards.
struct Tables {
  access::Admission& admission;
  LeasePool& leases;
  LeaseBook& book;
};

/// The parts of a request that come before its body.
struct RequestHead {
  bool asks_for_session = false;  ///< its path is that of a session, by a version that is spoken
  bool has_method = false;        ///< and its method
  const access::Credential& credential;
  IpAddress from;
};

/// The head of a request of version 1.
inline RequestHead version1_head(std::string_view method, std::string_view path,
                                 const access::Credential& credential, const IpAddress& from) {
  return {.asks_for_session = path == wire::kConnectPath,
          .has_method = method == "POST",
          .credential = credential,
          .from = from};
}

/// The peer is this user, and the rest of its request may come: grant().
struct Welcome {
  access::UserTable::Match who;
};

/// The answer is a refusal in the protocol's own words, now: the peer has shown who it is.
struct Refusal {
  wire::HandshakeResult result{};
  std::string_view why;  ///< for the log, where there is more to say than the result
};

/// The request needs the answer that every visitor gets, once its turn has come.
struct Visit {
  std::optional<wire::HandshakeResult> result;  ///< why it is no session, if it asked for one
  /// How long the answer waits. No value: too many wait already, the connection is to end instead.
  std::optional<Duration> delay;
};

/// The decision on a request by its head. The work is the same for every path and credential, so
/// that time does not tell one from another.
std::variant<Welcome, Refusal, Visit> judge(const RequestHead& head, const access::UserTable& users,
                                            access::Admission& admission, Timestamp now);

/// The settings that a server pushes to its clients.
struct Pushed {
  std::vector<IpAddress> dns;
  std::vector<Prefix> routes;            ///< for clients that know of it
  std::vector<std::string> dns_domains;  ///< likewise
};

/// The part of an answer that is the same for every session of a server.
struct Offer {
  std::size_t mtu = wire::kDefaultMtu;
  wire::Capabilities caps = wire::Capabilities::supported();
  Prefix pool;
  IpAddress gateway;
  std::optional<Ipv6Pool> ipv6;  ///< nothing: cap `ipv6` is not taken up
  Pushed pushed;
  bool needs_direct = false;  ///< as in client::Connector::Options
  std::size_t shard = 0;
};

/// The abilities of the connection that a request came by.
struct Carriage {
  bool has_datagrams = false;
  bool has_session = false;    ///< one already, and it carries no more than one
  bool can_share_ids = false;  ///< both planes may have its connection IDs
  /// Makes secrets of its two ends alone; null where it carries no direct plane.
  const wire::Exporter* exporter = nullptr;
};

/// A request of a user whose head was welcome.
struct SessionRequest {
  /// What it asks for, or why that cannot be read.
  std::expected<wire::ConnectRequest, wire::HandshakeResult> asked;
  std::shared_ptr<const access::User> user;
  IpAddress from;
  Carriage carriage;
  std::optional<IpAddress> address;  ///< of the user's device, if it is always the same
};

/// A session that may open. It has its places in all tables: give_back() when it is over.
struct Grant {
  wire::ConnectRequest request;
  wire::ConnectResponse response;  ///< all but `direct_ids`, which the carrier knows
  std::shared_ptr<const access::User> user;
  /// The session that had the lease until now, to be ended in its shard as replaced.
  std::optional<LeaseBook::Holder> replaced;
};

/// The decision on a whole request. A refusal leaves nothing taken.
std::expected<Grant, Refusal> grant(const SessionRequest& asked, const Offer& offer,
                                    const Tables& tables, Random& random, Timestamp now);

/// The keys of a session of version 1.
struct Version1Session {
  wire::SessionKeys keys;
  std::optional<wire::DirectSecrets> direct;  ///< with cap `direct`
};
/// Makes them of the token that was shown. `exporter` is the carriage's.
Version1Session settle_version1(const Grant& grant, const access::Credential& credential,
                                const wire::Exporter* exporter);

/// Gives back the places of a session.
void give_back(wire::SessionId session, const IpAddress& lease, access::Account& account,
               const Tables& tables, Timestamp now);

}  // namespace qdt::server
