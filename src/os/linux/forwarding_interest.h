#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "os/linux/forwarding_obstacles.h"

namespace qdt::os {

// Whether other programs of this host want it to forward packets: read from what nftables says
// (libnftables-json(5)) and from the host's sysctl files. Pure; forwarding.cc gathers the texts.

/// Another program's table that filters forwarded packets or translates addresses.
struct ForeignTable {
  NftTable table;
  /// Stands for those of its rules that forwarded packets meet; empty when there is none.
  std::string digest;
  /// It rewrites sources (masquerade, snat), which is for forwarded packets alone.
  bool translates_sources = false;
};

/// From `list chains`: the tables of others to look into. Ours begin with "qdt_".
std::vector<NftTable> find_foreign_tables(std::string_view chains_json);
/// From `list table` of one of these.
ForeignTable read_foreign_table(const NftTable& table, std::string_view table_json);

/// A text for the table as it is now, for comparison with a later one.
std::string note_of(const ForeignTable& table);
/// A table that speaks for forwarding, in words, as "nftables table ip nat": one that translates
/// sources, or has other rules than `before` (notes) knew. Empty when there is none.
std::string find_interest(std::span<const ForeignTable> now, std::span<const std::string> before);

/// Whether sysctl files, the last one winning, switch on one of `names` (with dots, as
/// "net.ipv4.ip_forward"). `files`: their contents, in the order in which they are read.
bool is_switched_on(std::span<const std::string> files, std::span<const std::string_view> names);

}  // namespace qdt::os
