#include "server/limit_walk.h"

#include <algorithm>

namespace qdt::server {
namespace {

// Some microseconds' worth.
constexpr std::size_t kSessionsPerStep = 256;

}  // namespace

std::shared_ptr<const LimitWalk::Limits> LimitWalk::limits_of(const access::UserTable& users) {
  auto limits = std::make_shared<Limits>();
  for (const auto& user : users.users()) limits->emplace(user->account.get(), user->limits);
  return limits;
}

// From the end to the beginning: where a session ends meanwhile, the last one takes its place
// (SessionTable), and that one has its limits.
bool LimitWalk::step(const tunnel::SessionTable& sessions, Timestamp now) {
  std::size_t left = std::min(left_.value_or(sessions.size()), sessions.size());
  for (std::size_t n = 0; n < kSessionsPerStep && left > 0; ++n) {
    tunnel::Session& session = sessions.at(--left);
    const auto found = limits_->find(session.account().get());
    if (found == limits_->end()) continue;
    session.use_limits(found->second.session_rate, found->second.rate, now);
  }
  left_ = left;
  return left == 0;
}

}  // namespace qdt::server
