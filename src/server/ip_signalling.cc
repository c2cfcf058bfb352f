#include "server/ip_signalling.h"

#include <algorithm>
#include <utility>

#include "wire/ip_ranges.h"

namespace qdt::server {
namespace {

Prefix everything(bool is_v4) {
  return {IpAddress::unspecified(is_v4), 0};
}

// Everything of the pools' kinds, or what is pushed and the pools.
std::vector<wire::IpRange> routes_of(std::span<const Prefix> pushed,
                                     std::span<const Prefix> pools) {
  std::vector<Prefix> prefixes(pushed.begin(), pushed.end());
  for (const Prefix& pool : pools) {
    prefixes.push_back(pushed.empty() ? everything(pool.address().is_v4()) : pool);
  }
  return wire::ranges_of(prefixes);
}

void append_advertisement(std::vector<std::uint8_t>& out, std::span<const wire::IpRange> routes) {
  wire::append_capsule(out, wire::capsule::kRouteAdvertisement, wire::write_routes(routes));
}

}  // namespace

IpSignalling::IpSignalling(const wire::ConnectResponse& lent)
    : lent_{Prefix::of_host(lent.client_ip)}, pools_{lent.cidr} {
  if (lent.ipv6) {
    lent_.push_back(Prefix::of_host(lent.ipv6->client_ip));
    pools_.push_back(lent.ipv6->cidr);
  }
  routes_ = routes_of(lent.routes, pools_);
}

std::vector<std::uint8_t> IpSignalling::use_routes(std::span<const Prefix> pushed) {
  auto routes = routes_of(pushed, pools_);
  if (routes == routes_) return {};
  routes_ = std::move(routes);
  std::vector<std::uint8_t> out;
  append_advertisement(out, routes_);
  return out;
}

std::vector<std::uint8_t> IpSignalling::rate_capsule(std::uint64_t bits_per_second) {
  std::vector<std::uint8_t> out;
  wire::append_capsule(out, wire::capsule::kSendRate, wire::write_send_rate(bits_per_second));
  return out;
}

std::vector<std::uint8_t> IpSignalling::first_capsules() const {
  std::vector<wire::CapsuleAddress> assigned;
  for (const Prefix& prefix : lent_) assigned.push_back({.request_id = 0, .prefix = prefix});
  std::vector<std::uint8_t> out;
  wire::append_capsule(out, wire::capsule::kAddressAssign, wire::write_addresses(assigned));
  append_advertisement(out, routes_);
  return out;
}

Result<std::optional<Bytes>> IpSignalling::receive(Bytes& bytes,
                                                   std::vector<std::uint8_t>& answer) {
  while (true) {
    const auto capsule = reader_.take(bytes);
    if (!capsule) return fail(capsule);
    if (!*capsule) return std::nullopt;
    switch ((*capsule)->type) {
      case wire::capsule::kDatagram: return (*capsule)->value;
      case wire::capsule::kAddressRequest:
        if (auto ok = assign((*capsule)->value, answer); !ok) return fail(ok);
        break;
      // Read, and of no use: networks behind a client are not routed.
      case wire::capsule::kAddressAssign:
        if (auto ok = wire::parse_address_assign((*capsule)->value); !ok) return fail(ok);
        break;
      case wire::capsule::kRouteAdvertisement:
        if (auto ok = wire::parse_route_advertisement((*capsule)->value); !ok) return fail(ok);
        break;
      default: break;
    }
  }
}

// Always the full list (RFC 9484 section 4.7.1): what is lent, with the ID of the first request of
// its kind, and refusals of the other requests.
Result<void> IpSignalling::assign(Bytes requested, std::vector<std::uint8_t>& out) {
  const auto requests = wire::parse_address_request(requested);
  if (!requests) return fail(requests);
  if (used_ids_.size() + requests->size() > kMaxRequests) {
    return fail("the client asks for more than " + std::to_string(kMaxRequests) + " addresses");
  }
  std::vector<wire::CapsuleAddress> assigned;
  for (const Prefix& prefix : lent_) assigned.push_back({.request_id = 0, .prefix = prefix});
  std::vector<wire::CapsuleAddress> refused;
  for (const wire::CapsuleAddress& request : *requests) {
    if (std::ranges::count(used_ids_, request.request_id) > 0) {
      return fail("the client uses a request ID twice");
    }
    used_ids_.push_back(request.request_id);
    const bool is_v4 = request.prefix.address().is_v4();
    const auto free = std::ranges::find_if(assigned, [&](const wire::CapsuleAddress& one) {
      return one.request_id == 0 && one.prefix.address().is_v4() == is_v4;
    });
    if (free != assigned.end()) {
      free->request_id = request.request_id;
    } else {
      refused.push_back({.request_id = request.request_id,
                         .prefix = wire::CapsuleAddress::unspecified_host(is_v4)});
    }
  }
  assigned.insert(assigned.end(), refused.begin(), refused.end());
  wire::append_capsule(out, wire::capsule::kAddressAssign, wire::write_addresses(assigned));
  return {};
}

}  // namespace qdt::server
