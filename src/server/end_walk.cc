#include "server/end_walk.h"

#include <algorithm>

namespace qdt::server {
namespace {

// A visit is a search by name; an end costs some tens of microseconds.
constexpr std::size_t kVisitsOfAnEnd = 16;

// But for its address.
bool is_same(const access::Device& one, const access::Device& other) {
  if (one.id != other.id || one.name != other.name) return false;
  access::Device same = one;
  same.address = other.address;
  return same == other;
}

}  // namespace

std::shared_ptr<const EndWalk::Rights> EndWalk::rights_of(const access::UserTable& users,
                                                          const Ends& ends,
                                                          std::set<IpAddress> fixed) {
  auto rights = std::make_shared<Rights>();
  rights->users.reserve(users.users().size());
  for (const auto& user : users.users()) rights->users.emplace(user->name, user);
  rights->ends = ends;
  rights->fixed = std::move(fixed);
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
  const auto kicked_unless = [](bool is_right) {
    return is_right ? std::nullopt : std::optional(tunnel::SessionEnd::kKicked);
  };
  if (session.user().empty()) return kicked_unless(has_right_address(session, nullptr));
  const auto user = rights_->users.find(session.user());
  if (user == rights_->users.end()) {
    const auto why = rights_->ends.find(session.user());
    return why != rights_->ends.end() ? why->second : tunnel::SessionEnd::kUserRemoved;
  }
  const auto& devices = user->second->devices;
  if (session.proven() == nullptr) return kicked_unless(has_right_address(session, nullptr));
  const auto device = std::ranges::find_if(
      devices, [&](const access::Device& one) { return is_same(one, *session.proven()); });
  if (device == devices.end()) return tunnel::SessionEnd::kDeviceRemoved;
  return kicked_unless(has_right_address(session, &*device));
}

// An address that the pool does not lend counts for none.
bool EndWalk::has_right_address(const tunnel::Session& session,
                                const access::Device* device) const {
  const bool has_own =
      device != nullptr && device->address && rights_->fixed.contains(*device->address);
  return has_own ? session.lease() == *device->address : !rights_->fixed.contains(session.lease());
}

}  // namespace qdt::server
