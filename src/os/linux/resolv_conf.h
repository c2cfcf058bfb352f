#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/name_server.h"
#include "base/result.h"

namespace qdt::os {

/// The file that tells programs their name servers (resolv.conf(5)).
inline constexpr const char* kResolvConf = "/etc/resolv.conf";
/// A larger one is nobody's (the C library reads lines of 256 bytes and three name servers).
inline constexpr std::size_t kMaxResolvConfBytes = 64 << 10;

/// /etc/resolv.conf as it is.
struct ResolvConfFile {
  std::string path;                    ///< where its symbolic links lead to
  std::string id;                      ///< of the file there; empty: there is none
  std::optional<std::string> content;  ///< nothing: there is no such file
};

/// An error when the links lead nowhere, or to what is no file.
Result<ResolvConfFile> look_at_resolv_conf();

/// The beginning of the first line of each text of ours.
inline constexpr std::string_view kResolvConfMark = "# Written by QDT for ";

/// `original` with these name servers in place of its own: its search, domain, options and sortlist
/// lines stay. A comment says who wrote it and for how long.
std::string resolv_conf_text(const std::string& tun_name, std::span<const NameServer> servers,
                             std::string_view original);
/// The part of the user's file that one of ours still shows when the original is lost.
std::string without_name_servers(std::string_view text);

/// The addresses behind `nameserver`; what is none is passed over.
std::vector<NameServer> name_servers_in(std::string_view text);

/// Makes `content` the file's, in place: links stay links, a bind mount stays one, as do owner,
/// mode and attributes; readers see the old bytes or the new ones. Where there is no file, makes it
/// (and the folder that a link leads to; adds those to `made`). A failure leaves the old bytes.
Result<void> write_resolv_conf(const ResolvConfFile& file, std::string_view content,
                               std::vector<std::string>* made = nullptr);
/// Removes it, and of the folders `made` those that are empty; links to it stay.
Result<void> remove_resolv_conf(const ResolvConfFile& file, std::span<const std::string> made = {});

}  // namespace qdt::os
