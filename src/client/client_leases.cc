#include "client/client.h"

namespace qdt::client {

// The part of Client that deals with a lease which this host cannot use.

namespace {

/// How many leases are tried that turn out to be addresses of this host.
constexpr int kMaxLeases = 3;

}  // namespace

std::optional<Ending> Client::refuse_lease(const std::string& why) {
  resume_->keep("");  // or the same comes again
  if (++refused_leases_ < kMaxLeases) {
    logger_.warning(why + "; another address is asked for");
    set_aside();
    return std::nullopt;
  }
  refused_leases_ = 0;
  abandon();
  return Ending{Ending::Kind::kUnreachable,
                why +
                    ", and another one is not to be had: change pool_cidr at the server, or that "
                    "address",
                /*is_lasting=*/true};
}

// The address came to another device while it was ours, as in a network whose addresses are those
// of the server's pool. Answers to that device's address must not be taken for the tunnel's.
Ending Client::leave_lease(const std::string& why) {
  response_.reset();
  if (const auto ok = host_->release_lease(); !ok) logger_.warning(ok.error().message);
  auto ending = refuse_lease(why);
  return ending ? *ending : Ending{Ending::Kind::kLost, why};
}

// The server is to lend another address than the one that this session has.
void Client::set_aside() {
  first_attempt_ = next_attempt_;
  running_.clear();
  inbox_.clear();
  shard_->post([this](shard::Shard& shard, Timestamp) {
    shard.hold_packets();
    connector_.set_aside();
  });
}

}  // namespace qdt::client
