#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/ip_address.h"
#include "base/result.h"
#include "os/poller.h"

namespace qdt::os {

/// Tells when this host's way to the world may have changed: links that come and go, addresses,
/// routes, routing rules. Changes of the tunnel's own device, and routes and rules of ours, are not
/// among them. It does not say what has changed: ask source_address(). One thread.
class LinkMonitor {
 public:
  /// `tun_name`: the tunnel's device, which need not exist yet.
  static Result<LinkMonitor> open(const std::string& tun_name);
  LinkMonitor(LinkMonitor&&) noexcept;
  LinkMonitor& operator=(LinkMonitor&&) noexcept;
  ~LinkMonitor();

  /// Readable when take() has something to look at.
  PollHandle poll_handle() const;
  /// Forgets all that was reported so far, and tells whether any of it may matter. A network that
  /// comes up reports a dozen changes within a second or two.
  bool take();

 private:
  struct State;
  explicit LinkMonitor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The local address from which packets with firewall mark `mark` would go to `remote` now (a mark
/// needs CAP_NET_ADMIN; 0: none). An error when there is no way, as without any link. Nothing is
/// sent.
Result<IpAddress> source_address(const SocketAddress& remote, std::uint32_t mark);

}  // namespace qdt::os
