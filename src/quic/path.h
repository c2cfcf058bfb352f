#pragma once

#include <ngtcp2/ngtcp2.h>

#include "base/udp_burst.h"

namespace qdt::quic {

/// A UdpPath in the engine's form. Used inside this folder only.
class EnginePath {
 public:
  explicit EnginePath(const UdpPath& path);
  EnginePath(const EnginePath&) = delete;
  EnginePath& operator=(const EnginePath&) = delete;

  /// Borrowed from this object.
  const ngtcp2_path* get() const { return &path_; }

 private:
  ngtcp2_sockaddr_union local_;
  ngtcp2_sockaddr_union remote_;
  ngtcp2_path path_;
};

UdpPath from_engine(const ngtcp2_path& path);

}  // namespace qdt::quic
