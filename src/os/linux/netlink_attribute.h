#pragma once

#include <libmnl/libmnl.h>

#include <cstddef>

namespace qdt::os {

/// The first attribute of `type` behind a message's body of `body_bytes`; null when there is none.
/// Valid as long as the message.
inline const nlattr* find_attribute(const nlmsghdr& message, std::size_t body_bytes, int type) {
  const auto* end = static_cast<const char*>(mnl_nlmsg_get_payload_tail(&message));
  const auto* attribute =
      static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(&message, body_bytes));
  while (mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)))) {
    if (mnl_attr_get_type(attribute) == type) return attribute;
    attribute = mnl_attr_next(attribute);
  }
  return nullptr;
}

}  // namespace qdt::os
