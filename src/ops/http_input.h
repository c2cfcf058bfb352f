#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace qdt::ops {

/// The bytes of one HTTP/1.1 request, as they arrive. It is bounded, and each byte is looked at
/// once, however few come at a time.
class HttpInput {
 public:
  /// A request line and its headers.
  static constexpr std::size_t kMaxHeadBytes = 16 << 10;

  /// `max_body_bytes`: 0 where no request has a body.
  explicit HttpInput(std::size_t max_body_bytes) : max_body_bytes_(max_body_bytes) {}

  void append(std::string_view bytes);
  /// Whether a parser can answer: the request is whole, or there is no need to wait for a body that
  /// is to be refused.
  bool is_complete() const { return is_complete_; }
  /// Whether its head is too long, so that it gets no answer.
  bool is_too_long() const {
    return !is_complete_ && head_bytes_ == 0 && text_.size() > kMaxHeadBytes;
  }
  std::string_view text() const { return text_; }

 private:
  void look_for_head();
  void look_for_chunks();
  std::size_t body_bytes() const { return text_.size() - head_bytes_; }

  std::size_t max_body_bytes_;
  std::string text_;
  std::size_t searched_ = 0;    ///< bytes in which no head ends
  std::size_t head_bytes_ = 0;  ///< 0: not known yet
  std::size_t declared_ = 0;    ///< bytes of the body
  bool is_chunked_ = false;
  std::size_t next_chunk_ = 0;  ///< where its length begins
  bool is_complete_ = false;
};

}  // namespace qdt::ops
