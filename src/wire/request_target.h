#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qdt::wire {

/// `:protocol` of CONNECT-IP (RFC 9484 section 4).
inline constexpr std::string_view kConnectIpProtocol = "connect-ip";

/// The template of CONNECT-IP that clients use unless they are told another (RFC 9484 section 3).
inline constexpr std::string_view kDefaultTemplate = "/.well-known/masque/ip/{target}/{ipproto}/";

/// Whom a client dialled, as `:authority` has it and as its proof covers it.
struct Authority {
  std::string host;  ///< in small letters; an IPv6 address in brackets
  std::uint16_t port = 443;

  bool operator==(const Authority&) const = default;
};

/// Reads a name, an IPv4 address or an IPv6 address in brackets, and a port where it is not 443
/// (RFC 3986 section 3.2). Nothing for user information, an empty port, or any other form.
std::optional<Authority> parse_authority(std::string_view text);
std::string write_authority(const Authority& authority);
/// The authority of a server: `host` is a name in small letters, or an address without brackets.
Authority authority_of(std::string_view host, std::uint16_t port);
/// The host as TLS and resolvers take it: an IPv6 address without its brackets.
std::string bare_host(const Authority& authority);

/// What a request's path asks for (RFC 9484 section 4.6).
enum class PathScope : std::uint8_t {
  kElsewhere,  ///< the path is not of the template
  kUnlimited,  ///< every target and protocol
  kLimited,    ///< one target or protocol, in a sound form
  kMalformed,  ///< of the template, with a value that has no form
};

/// Whether a template can be used: an absolute path that has both variables once, each before a
/// delimiter ("/?&=;,") or at the end, or none.
bool is_path_template(std::string_view path_template);
/// `path_template` is one.
PathScope match_path(std::string_view path, std::string_view path_template);
/// The path that asks for everything.
std::string expand_path(std::string_view path_template);

}  // namespace qdt::wire
