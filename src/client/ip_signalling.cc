#include "client/ip_signalling.h"

namespace qdt::client {
namespace {

using wire::CapsuleAddress;

// A refused request is in the list, too (RFC 9484 section 4.7.1).
std::vector<Prefix> without_refusals(const std::vector<CapsuleAddress>& assigned) {
  std::vector<Prefix> lent;
  for (const CapsuleAddress& one : assigned) {
    if (!one.is_unspecified_host()) lent.push_back(one.prefix);
  }
  return lent;
}

void refuse_all(std::vector<CapsuleAddress> requested, std::vector<std::uint8_t>& out) {
  for (CapsuleAddress& one : requested) {
    one.prefix = CapsuleAddress::unspecified_host(one.prefix.address().is_v4());
  }
  wire::append_capsule(out, wire::capsule::kAddressAssign, wire::write_addresses(requested));
}

}  // namespace

Result<std::optional<Bytes>> IpSignalling::receive(Bytes& bytes,
                                                   std::vector<std::uint8_t>& answer) {
  while (true) {
    const auto capsule = reader_.take(bytes);
    if (!capsule) return fail(capsule);
    if (!*capsule) return std::nullopt;
    if ((*capsule)->type == wire::capsule::kDatagram) return (*capsule)->value;
    if (auto ok = take(**capsule, answer); !ok) return fail(ok);
  }
}

Result<void> IpSignalling::take(const wire::Capsule& capsule, std::vector<std::uint8_t>& answer) {
  switch (capsule.type) {
    case wire::capsule::kAddressAssign: {
      const auto assigned = wire::parse_address_assign(capsule.value);
      if (!assigned) return fail(assigned);
      lent_ = without_refusals(*assigned);
      break;
    }
    case wire::capsule::kRouteAdvertisement: {
      auto routes = wire::parse_route_advertisement(capsule.value);
      if (!routes) return fail(routes);
      routes_ = std::move(*routes);
      break;
    }
    case wire::capsule::kSendRate: {
      const auto rate = wire::parse_send_rate(capsule.value);
      if (!rate) return fail(rate);
      send_rate_ = *rate;
      break;
    }
    // A client has no addresses to lend.
    case wire::capsule::kAddressRequest: {
      auto requested = wire::parse_address_request(capsule.value);
      if (!requested) return fail(requested);
      refuse_all(std::move(*requested), answer);
      break;
    }
    default: break;
  }
  return {};
}

std::vector<std::uint8_t> IpSignalling::request_for_addresses() {
  const CapsuleAddress any[] = {
      {.request_id = 1, .prefix = CapsuleAddress::unspecified_host(/*is_v4=*/true)},
      {.request_id = 2, .prefix = CapsuleAddress::unspecified_host(/*is_v4=*/false)}};
  std::vector<std::uint8_t> capsule;
  wire::append_capsule(capsule, wire::capsule::kAddressRequest, wire::write_addresses(any));
  return capsule;
}

}  // namespace qdt::client
