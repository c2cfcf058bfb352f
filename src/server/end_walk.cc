#include "server/end_walk.h"

#include <algorithm>

namespace qdt::server {
namespace {

// A visit is a search by name; an end costs some tens of microseconds.
constexpr std::size_t kVisitsOfAnEnd = 16;

}  // namespace

std::shared_ptr<const EndWalk::Rights> EndWalk::rights_of(const access::UserTable& users,
                                                          const Ends& ends) {
  auto rights = std::make_shared<Rights>();
  rights->users.reserve(users.users().size());
  for (const auto& user : users.users()) rights->users.emplace(user->name, user);
  rights->ends = ends;
  return rights;
}

bool EndWalk::step(tunnel::Tunnel& tunnel, Timestamp now) {
  return walk_.step(tunnel.sessions(), [&](tunnel::Session& session) -> std::size_t {
    const auto end = end_of(session);
    if (!end) return 1;
    tunnel.close_session(session, *end, now);
    return kVisitsOfAnEnd;
  });
}

std::optional<tunnel::SessionEnd> EndWalk::end_of(const tunnel::Session& session) const {
  if (session.user().empty()) return std::nullopt;
  const auto user = rights_->users.find(session.user());
  if (user == rights_->users.end()) {
    const auto why = rights_->ends.find(session.user());
    return why != rights_->ends.end() ? why->second : tunnel::SessionEnd::kUserRemoved;
  }
  const auto& devices = user->second->devices;
  const bool is_there =
      session.proven() == nullptr || std::ranges::find(devices, *session.proven()) != devices.end();
  return is_there ? std::nullopt : std::optional(tunnel::SessionEnd::kDeviceRemoved);
}

}  // namespace qdt::server
