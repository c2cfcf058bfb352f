#include "server/limit_walk.h"

namespace qdt::server {
std::shared_ptr<const LimitWalk::Limits> LimitWalk::limits_of(const access::UserTable& users) {
  auto limits = std::make_shared<Limits>();
  for (const auto& user : users.users()) limits->emplace(user->account.get(), user->limits);
  return limits;
}

bool LimitWalk::step(const tunnel::SessionTable& sessions, Timestamp now) {
  return walk_.step(sessions, [&](tunnel::Session& session) {
    const auto found = limits_->find(session.account().get());
    if (found == limits_->end()) return;
    session.use_limits(found->second, now);
  });
}

}  // namespace qdt::server
