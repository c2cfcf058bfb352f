#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/ip_address.h"

namespace qdt {

/// The address of a name server. A link-local one needs the name of the link that it is on
/// (`fe80::53%eth0`, RFC 4007 section 11): its zone, empty for all others.
struct NameServer {
  IpAddress address;
  std::string zone;

  NameServer() = default;
  NameServer(const IpAddress& at, std::string link = {})  // NOLINT: an address is one
      : address(at), zone(std::move(link)) {}

  /// `ADDRESS` or `ADDRESS%ZONE`; a zone only behind a link-local IPv6 address.
  static Result<NameServer> parse(std::string_view text);
  std::string to_string() const { return address.to_string() + (zone.empty() ? "" : "%") + zone; }

  bool operator==(const NameServer&) const = default;
};

}  // namespace qdt
