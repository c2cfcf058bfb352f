#include "server/end_walk.h"

#include <algorithm>

namespace qdt::server {
namespace {

// A look is a search by name; an end costs some tens of microseconds, so it counts for many.
constexpr std::size_t kLooksPerStep = 256;
constexpr std::size_t kLooksOfAnEnd = 16;

}  // namespace

std::shared_ptr<const EndWalk::Rights> EndWalk::rights_of(const access::UserTable& users,
                                                          const Ends& ends) {
  auto rights = std::make_shared<Rights>();
  rights->users.reserve(users.users().size());
  for (const auto& user : users.users()) rights->users.emplace(user->name, user);
  rights->ends = ends;
  return rights;
}

// From the end to the beginning: where a session ends, the last one takes its place (SessionTable),
// and that one has been looked at.
bool EndWalk::step(tunnel::Tunnel& tunnel, Timestamp now) {
  const tunnel::SessionTable& sessions = tunnel.sessions();
  std::size_t left = std::min(left_.value_or(sessions.size()), sessions.size());
  for (std::size_t looks = 0; looks < kLooksPerStep && left > 0; ++looks) {
    tunnel::Session& session = sessions.at(--left);
    const auto end = end_of(session);
    if (!end) continue;
    tunnel.close_session(session, *end, now);
    looks += kLooksOfAnEnd;
  }
  left_ = left;
  return left == 0;
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
