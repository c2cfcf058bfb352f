#include "client/race.h"

#include <algorithm>

namespace qdt::client {
namespace {

// One of each family in turn, beginning with that of the first.
std::vector<SocketAddress> interleave(const std::vector<SocketAddress>& servers) {
  std::vector<SocketAddress> families[2];
  for (const SocketAddress& server : servers) {
    const bool is_first = server.address.is_v4() == servers.front().address.is_v4();
    families[is_first ? 0 : 1].push_back(server);
  }
  std::vector<SocketAddress> ordered;
  for (std::size_t i = 0; ordered.size() < servers.size(); ++i) {
    for (const auto& family : families) {
      if (i < family.size()) ordered.push_back(family[i]);
    }
  }
  return ordered;
}

}  // namespace

void Race::add(std::span<const SocketAddress> servers) {
  for (const SocketAddress& server : servers) {
    if (std::ranges::find(known_, server) != known_.end()) continue;
    known_.push_back(server);
    untried_.push_back(server);
  }
  untried_ = interleave(untried_);
}

std::optional<SocketAddress> Race::next(Timestamp now) {
  if (now < next_due()) return std::nullopt;
  const SocketAddress server = untried_.front();
  untried_.erase(untried_.begin());
  running_.push_back(server);
  due_ = now + kAttemptDelay;
  return server;
}

Timestamp Race::next_due() const {
  return untried_.empty() ? kNever : due_;
}

void Race::on_failed(const SocketAddress& server) {
  std::erase(running_, server);
  due_ = {};
}

void Race::on_cut_off(const SocketAddress& server) {
  on_failed(server);
  untried_.insert(untried_.begin(), server);
}

}  // namespace qdt::client
