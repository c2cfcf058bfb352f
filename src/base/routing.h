#pragma once

namespace qdt {

/// The traffic that goes into the tunnel.
enum class Routing {
  kEverything,  ///< all but the tunnel's own packets
  kPool,        ///< the server's pool
  kNothing,     ///< what the user routes
};

}  // namespace qdt
