#pragma once

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/ip_address.h"

namespace qdt::os {

/// A request under construction; every one of ours is small.
class NetlinkRequest {
 public:
  NetlinkRequest(int type, int flags) {
    mnl_nlmsg_put_header(buffer_.data());
    message()->nlmsg_type = static_cast<std::uint16_t>(type);
    message()->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  }
  /// For a list of things: its end is the acknowledgement.
  static NetlinkRequest for_list(int type) {
    NetlinkRequest request(type, NLM_F_DUMP);
    request.message()->nlmsg_flags &= static_cast<std::uint16_t>(~NLM_F_ACK);
    return request;
  }

  template <typename Body>
  Body& body() {
    return *static_cast<Body*>(mnl_nlmsg_put_extra_header(message(), sizeof(Body)));
  }
  void put(int type, std::uint32_t value) { put(type, &value, sizeof value); }
  void put(int type, std::uint8_t value) { put(type, &value, sizeof value); }
  void put(int type, const IpAddress& address) {
    put(type, address.bytes().data(), address.bytes().size());
  }
  void put(const nlattr& attribute) {
    put(mnl_attr_get_type(&attribute), mnl_attr_get_payload(&attribute),
        mnl_attr_get_payload_len(&attribute));
  }
  void put(int type, const std::string& text) { put(type, text.c_str(), text.size() + 1); }

  nlmsghdr* message() { return reinterpret_cast<nlmsghdr*>(buffer_.data()); }

 private:
  void put(int type, const void* value, std::size_t bytes) {
    [[maybe_unused]] const bool fits = mnl_attr_put_check(
        message(), buffer_.size(), static_cast<std::uint16_t>(type), bytes, value);
    assert(fits);
  }

  alignas(nlmsghdr) std::array<char, 512> buffer_{};
};

}  // namespace qdt::os
