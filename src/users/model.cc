#include "users/model.h"

namespace qdt::users {

Limits Limits::with_defaults(const Limits& group) const {
  Limits all = *this;
  if (!all.up) all.up = group.up;
  if (!all.down) all.down = group.down;
  if (!all.quota) all.quota = group.quota;
  if (!all.max_devices) all.max_devices = group.max_devices;
  if (!all.max_sessions) all.max_sessions = group.max_sessions;
  if (all.allowed.empty()) all.allowed = group.allowed;
  return all;
}

}  // namespace qdt::users
