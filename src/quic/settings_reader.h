#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace qdt::quic {

/// Reads one unidirectional stream of an HTTP/3 server, wherever its frames cut it, up to the end
/// of the SETTINGS frame that a control stream begins with (RFC 9114 section 6.2.1), for the one
/// setting that nghttp3 before 1.14 keeps from a client. It judges nothing: whatever is wrong ends
/// the connection by nghttp3, which reads the same bytes. Keeps no bytes. One thread.
class SettingsReader {
 public:
  /// The next bytes of the stream.
  void receive(Bytes bytes);
  /// SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 9220) is 1, as far as the settings have arrived.
  bool takes_extended_connect() const { return takes_extended_connect_; }

 private:
  enum class Part : std::uint8_t { kStreamType, kFrameType, kLength, kId, kValue, kDone };

  void take(std::uint64_t value, std::size_t bytes);

  Part part_ = Part::kStreamType;
  std::uint8_t missing_bytes_ = 0;  // of the integer being read
  std::uint8_t integer_bytes_ = 0;  // of it in all
  std::uint64_t integer_ = 0;
  std::uint64_t id_ = 0;
  std::uint64_t left_ = 0;  // of the frame
  bool takes_extended_connect_ = false;
};

}  // namespace qdt::quic
