#include "base/name_server.h"

#include <algorithm>

namespace qdt {
namespace {

// Linux allows 15 bytes for the name of a device; Windows numbers its links.
constexpr std::size_t kMaxZoneBytes = 15;

bool is_zone(std::string_view text) {
  return !text.empty() && text.size() <= kMaxZoneBytes &&
         std::ranges::none_of(text, [](char letter) {
           return letter <= ' ' || letter == '%' || letter == '/' || letter == ',' ||
                  letter == 0x7f;
         });
}

}  // namespace

Result<NameServer> NameServer::parse(std::string_view text) {
  const std::size_t percent = text.find('%');
  const auto address = IpAddress::parse(text.substr(0, percent));
  if (!address) return fail(address);
  if (percent == text.npos) return NameServer(*address);
  const std::string_view zone = text.substr(percent + 1);
  if (!address->is_v6() || !address->is_link_local() || !is_zone(zone)) {
    return fail("a zone (%eth0) belongs to a link-local IPv6 address");
  }
  return NameServer(*address, std::string(zone));
}

}  // namespace qdt
