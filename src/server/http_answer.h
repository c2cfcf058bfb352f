#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "quic/http3.h"

namespace qdt::server {

/// Reads the answer to one HTTP/1.1 request (RFC 9112), as it arrives, into the form of HTTP/3. The
/// connection ends with the answer, so what follows it is not read.
class HttpAnswer {
 public:
  struct Limits {
    std::size_t header_bytes = 16 * 1024;  ///< of the status line and all fields, interim ones too
    std::size_t body_bytes = 2 << 20;
  };
  enum class State {
    kMore,   ///< it goes on
    kWhole,  ///< it is complete
    kBad,    ///< it is no HTTP, or beyond the limits
  };

  /// `is_head`: the request's method was HEAD, so that no body follows.
  explicit HttpAnswer(bool is_head) : HttpAnswer(is_head, Limits{}) {}
  HttpAnswer(bool is_head, const Limits& limits) : limits_(limits), is_head_(is_head) {}

  State take(Bytes bytes);
  /// The server has sent its last.
  State end();

  /// A whole answer: status, body, and the fields that are not about the connection, their names in
  /// lower case; `content-length` is right, or, where there is no body, the server's.
  quic::Response response() &&;

 private:
  enum class Body { kNone, kLength, kChunks, kUntilEnd };
  enum class Part { kHead, kBody, kChunkSize, kChunk, kChunkEnd, kTrailer };

  State read();
  std::optional<std::string> take_line();
  State read_line(const std::string& line);
  State read_head_line(const std::string& line);
  State end_head();
  bool read_status(std::string_view line);
  bool read_field(std::string_view line);
  bool take_body(std::size_t bytes);
  State fail() { return state_ = State::kBad; }

  const Limits limits_;
  const bool is_head_;
  State state_ = State::kMore;
  Part part_ = Part::kHead;
  Body body_kind_ = Body::kUntilEnd;
  std::string unread_;
  std::size_t header_bytes_ = 0;
  std::size_t left_ = 0;  // of the body or the chunk
  int status_ = 0;
  quic::HeaderFields fields_;
  std::string length_;  // as the server has it; empty: it does not say
  bool is_chunked_ = false;
  std::string hop_names_;  // fields that `connection` names
  std::string body_;
};

}  // namespace qdt::server
