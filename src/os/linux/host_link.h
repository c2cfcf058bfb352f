#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {

/// A message and the descriptors that came with it.
struct HostParcel {
  std::vector<std::uint8_t> bytes;
  std::vector<UniqueFd> descriptors;
};

/// One end of the socket pair between a main process and its host process.
class HostLink {
 public:
  static Result<std::pair<HostLink, HostLink>> make_pair();
  explicit HostLink(UniqueFd socket) : socket_(std::move(socket)) {}

  /// Never waits: the other side has as much room as there are messages under way.
  Result<void> send(Bytes message, std::span<const int> descriptors = {});

  enum class Wait { kNone, kForever };
  /// The next message. Nothing: none waits, or the link has_ended(). Messages longer than
  /// kMaxHostMessageBytes end it.
  std::optional<HostParcel> receive(Wait wait, bool takes_descriptors);
  bool has_ended() const { return has_ended_; }

  int fd() const { return socket_.get(); }
  void close() { socket_.reset(); }
  int release() { return socket_.release(); }

 private:
  UniqueFd socket_;
  bool has_ended_ = false;
};

}  // namespace qdt::os
