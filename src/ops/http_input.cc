#include "ops/http_input.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <optional>

namespace qdt::ops {
namespace {

constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr std::string_view kEndOfLine = "\r\n";

bool is_same_letter(char one, char other) {
  return std::tolower(static_cast<unsigned char>(one)) == static_cast<unsigned char>(other);
}

/// The value of the header `name`, in small letters, without the spaces around it.
std::optional<std::string_view> header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find(kEndOfLine); at + 2 < head.size();
       at = head.find(kEndOfLine, at + 2)) {
    std::string_view line = head.substr(at + 2);
    line = line.substr(0, line.find(kEndOfLine));
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (!std::ranges::equal(line.substr(0, name.size()), name, is_same_letter)) continue;
    line.remove_prefix(name.size() + 1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return line.substr(0, line.find_last_not_of(" \t") + 1);
  }
  return std::nullopt;
}

/// The number that `text` begins with; one that is too large is the largest.
std::optional<std::size_t> number(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error == std::errc::result_out_of_range) return std::numeric_limits<std::size_t>::max();
  if (error != std::errc()) return std::nullopt;
  return value;
}

}  // namespace

void HttpInput::append(std::string_view bytes) {
  if (is_complete_) return;
  text_.append(bytes);
  if (head_bytes_ == 0) look_for_head();
  if (head_bytes_ == 0 || is_complete_) return;
  if (is_chunked_) look_for_chunks();
  is_complete_ =
      is_complete_ || body_bytes() > max_body_bytes_ || (!is_chunked_ && body_bytes() >= declared_);
}

void HttpInput::look_for_head() {
  const std::size_t end = text_.find(kEndOfHead, searched_);
  if (end == text_.npos) {
    searched_ = text_.size() - std::min(text_.size(), kEndOfHead.size() - 1);
    return;
  }
  head_bytes_ = end + kEndOfHead.size();
  const std::string_view head = std::string_view(text_).substr(0, head_bytes_);
  const auto encoding = header(head, "transfer-encoding");
  is_chunked_ = encoding && !encoding->empty();
  next_chunk_ = head_bytes_;
  declared_ = number(header(head, "content-length").value_or("0"), 10).value_or(0);
  is_complete_ = max_body_bytes_ == 0 || (!is_chunked_ && declared_ > max_body_bytes_);
}

// RFC 9112 section 7.1: a length in hexadecimal digits, a line's end, that many bytes, a line's
// end; the length 0 is the last, and trailers may follow it.
void HttpInput::look_for_chunks() {
  while (true) {
    const std::string_view rest = std::string_view(text_).substr(next_chunk_);
    const std::size_t line = rest.find(kEndOfLine);
    if (line == rest.npos) return;
    const auto bytes = number(rest, 16);
    if (!bytes || *bytes > max_body_bytes_) {
      is_complete_ = true;
      return;
    }
    if (*bytes == 0) {
      is_complete_ = rest.find(kEndOfHead, line) != rest.npos;
      return;
    }
    const std::size_t end = line + 2 + *bytes + 2;
    if (rest.size() < end) return;
    next_chunk_ += end;
  }
}

}  // namespace qdt::ops
