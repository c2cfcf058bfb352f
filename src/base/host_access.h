#pragma once

namespace qdt {

/// How much of the host a server's clients reach, besides their name servers.
enum class HostAccess {
  kNone,
  kPing,  ///< an answer to a ping
  kAll,
};

}  // namespace qdt
