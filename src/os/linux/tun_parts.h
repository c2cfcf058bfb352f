#pragma once

#include <vector>

#include "base/result.h"
#include "os/linux/host_message.h"
#include "os/linux/unique_fd.h"
#include "os/tun_device.h"

namespace qdt::os {

/// A TUN device that one process makes and another uses: taken apart there, put together here.
struct TunParts {
  static TunFacts facts(const TunDevice& device);
  /// The queues', in their order, and that of the map of arrivals, if there is one. The device's.
  static std::vector<int> descriptors(const TunDevice& device);
  /// Needs no privilege.
  static Result<TunDevice> join(const TunFacts& facts, std::vector<UniqueFd> descriptors);
};

}  // namespace qdt::os
