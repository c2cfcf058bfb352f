#include "ops/config_decoy.h"

namespace qdt::ops {
namespace {

using Kind = DecoyConfig::Kind;

// The web server has to be on loopback, since the way there is not encrypted: nothing on it may
// read or answer requests.
Reading<SocketAddress> read_proxy(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  constexpr std::string_view kHint = "expected http://127.0.0.1:PORT";
  std::string_view rest = url;
  if (!rest.starts_with(kScheme)) return refuse(std::string(kHint));
  rest.remove_prefix(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  std::string text(rest);
  if (text.starts_with("localhost")) text.replace(0, 9, "127.0.0.1");
  const auto alone = IpAddress::parse(text);
  const auto address = alone ? SocketAddress{*alone, 80} : SocketAddress::parse(text);
  if (!address || address->port == 0) return refuse(std::string(kHint));
  if (!address->address.is_loopback()) {
    return refuse("the web server has to be on this host: 127.0.0.1 or [::1]");
  }
  return *address;
}

bool is_header_text(const std::string& text) {
  return is_short_name(text) && text.front() != ' ' && text.back() != ' ';
}

// Stores one member, or says what is wrong with it; the caller says where.
std::optional<std::string> store(const std::string& key, const std::string& value,
                                 DecoyConfig& decoy) {
  if (key == "root") {
    if (value.empty()) return "root is a folder";
    decoy.kind = Kind::kRoot;
    decoy.root = value;
  } else if (key == "proxy") {
    const auto address = read_proxy(value);
    if (!address) return address.error().hint;
    decoy.kind = Kind::kProxy;
    decoy.proxy = *address;
  } else if (key == "status") {
    const auto number = parse_whole<unsigned>(value);
    if (!number || *number < 200 || *number > 599) return "a status is a number from 200 to 599";
    decoy.kind = Kind::kStatus;
    decoy.status = static_cast<int>(*number);
  } else if (key == "server") {
    if (!is_header_text(value)) return "server has 1 to 64 printable ASCII characters";
    decoy.server = value;
  } else {
    return "unknown key " + key + "; known are root, proxy, status, server";
  }
  return std::nullopt;
}

Reading<DecoyConfig> read_decoy(const YamlNode& node) {
  DecoyConfig decoy;
  if (node.kind == YamlNode::Kind::kScalar) {
    if (node.text != "page" && node.text != "off") return refuse();
    decoy.kind = node.text == "off" ? Kind::kOff : Kind::kPage;
    return decoy;
  }
  if (node.kind != YamlNode::Kind::kMap) return refuse();
  for (const YamlMember& member : node.members) {
    const bool is_scalar = member.value.kind == YamlNode::Kind::kScalar;
    const Kind before = decoy.kind;
    const auto hint = is_scalar ? store(member.key, member.value.text, decoy)
                                : std::optional(member.key + " takes one value");
    if (hint) return refuse(*hint, &member.value);
    const bool is_second = before != Kind::kPage && member.key != "server";
    if (is_second) return refuse("root, proxy and status exclude one another", &member.value);
  }
  if (decoy.kind == Kind::kProxy && !decoy.server.empty()) {
    return refuse("behind a proxy the other web server names itself: leave server out", &node);
  }
  return decoy;
}

}  // namespace

Reader<DecoyConfig> decoy() {
  return {"page, off, {root: FOLDER}, {proxy: http://127.0.0.1:PORT} or {status: NUMBER}",
          read_decoy};
}

}  // namespace qdt::ops
