#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip_address.h"
#include "os/host_network.h"

namespace qdt::os {

// What we ask of nftables, as text in nft(8)'s language. Each ruleset makes its table anew, whether
// there was one or not.

using Word = std::pair<std::string_view, std::string>;
/// `form` with every name replaced by its value.
std::string filled(std::string_view form, std::initializer_list<Word> words);

/// The server's table for this device.
std::string nat_table_name(std::string_view tun_name);
/// The client's table for this device. No device can have a slash in its name.
std::string outer_table_name(std::string_view tun_name);

/// The client's table that keeps questions for names in the tunnel.
std::string dns_table_name(std::string_view tun_name);

/// A host that did not forward until its server switched that on, and is to become no router
/// between its own networks. Devices that come later are none of these.
struct ClosedHost {
  bool is_v6 = false;
  std::vector<std::string> from;  ///< devices that did not forward
  std::vector<std::string> to;    ///< all that were there, but for the tunnel
};

/// Masquerading and forwarding for a server. What `closed` devices begin does not reach translated
/// clients; of an external interface, that one alone.
std::string nat_ruleset(const std::string& tun_name, const NatOptions& options,
                        std::span<const ClosedHost> closed = {});

/// The server's table for every forwarding host: refuses what is between two `closed` devices, but
/// for answers and what another program redirects (dnat); and ICMP redirects into the tunnel.
std::string forward_table_name(std::string_view tun_name);
std::string forward_ruleset(const std::string& tun_name, std::span<const ClosedHost> closed);

/// For a client that sends everything into the tunnel. What arrives for a socket with `mark` gets
/// the mark too, so that a strict reverse path filter (rp_filter=1, with src_valid_mark) looks for
/// its sender where the socket sends, not in the tunnel. What arrives for `inner`, the tunnel's own
/// addresses, by another way than the tunnel is dropped (CVE-2019-14899).
std::string outer_ruleset(const std::string& tun_name, std::uint32_t mark,
                          std::span<const IpAddress> inner);

/// Refuses DNS (port 53, and 853 of DNS over TLS) that does not go into the tunnel, at once and to
/// be noticed, but for packets with `mark`, to `allowed` servers, and inside of this host.
std::string dns_ruleset(const std::string& tun_name, std::uint32_t mark,
                        std::span<const IpAddress> allowed);

}  // namespace qdt::os
