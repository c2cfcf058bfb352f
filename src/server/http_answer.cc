#include "server/http_answer.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

namespace qdt::server {
namespace {

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(), [](char letter) { return lower(letter); });
  return lowered;
}

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
           (letter >= 'A' && letter <= 'Z') || kOthers.contains(letter);
  });
}

bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char letter) {
    const auto byte = static_cast<unsigned char>(letter);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char letter) { return letter == ' ' || letter == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::size_t> parse_size(std::string_view digits, int base) {
  std::size_t number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return number;
}

// RFC 9110 section 7.6.1, and RFC 9114 section 4.2.
bool is_about_the_connection(std::string_view name) {
  constexpr std::string_view kNames[] = {"connection", "keep-alive", "proxy-connection",
                                         "te",         "trailer",    "transfer-encoding",
                                         "upgrade"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

bool has_no_body(int status) {
  return status == 204 || status == 205 || status == 304;
}

}  // namespace

HttpAnswer::State HttpAnswer::take(Bytes bytes) {
  if (state_ != State::kMore) return state_;
  unread_.append(as_text(bytes));
  return read();
}

HttpAnswer::State HttpAnswer::end() {
  if (state_ != State::kMore) return state_;
  const bool is_whole = part_ == Part::kBody && body_kind_ == Body::kUntilEnd;
  return state_ = is_whole ? State::kWhole : State::kBad;
}

HttpAnswer::State HttpAnswer::read() {
  while (state_ == State::kMore) {
    if (part_ == Part::kBody || part_ == Part::kChunk) {
      if (unread_.empty()) return state_;
      const bool has_length = part_ == Part::kChunk || body_kind_ == Body::kLength;
      const std::size_t bytes = has_length ? std::min(left_, unread_.size()) : unread_.size();
      if (!take_body(bytes)) return fail();
      if (!has_length) continue;
      left_ -= bytes;
      if (left_ > 0) continue;
      if (part_ == Part::kBody) return state_ = State::kWhole;
      part_ = Part::kChunkEnd;
      continue;
    }
    const auto line = take_line();
    if (!line) return state_;
    read_line(*line);
  }
  return state_;
}

std::optional<std::string> HttpAnswer::take_line() {
  const std::size_t end = unread_.find('\n');
  const std::size_t bytes = end == std::string::npos ? unread_.size() : end + 1;
  // Sizes of chunks count by themselves: their number is bounded by the body's length.
  const bool is_counted = part_ == Part::kHead || part_ == Part::kTrailer;
  if ((is_counted ? header_bytes_ : 0) + bytes > limits_.header_bytes) {
    fail();
    return std::nullopt;
  }
  if (end == std::string::npos) return std::nullopt;
  if (is_counted) header_bytes_ += bytes;
  std::string line = unread_.substr(0, end);
  unread_.erase(0, bytes);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

HttpAnswer::State HttpAnswer::read_line(const std::string& line) {
  switch (part_) {
    case Part::kHead: return read_head_line(line);
    case Part::kChunkSize: {
      const auto size = parse_size(trimmed(std::string_view(line).substr(0, line.find(';'))), 16);
      if (!size) return fail();
      left_ = *size;
      part_ = left_ > 0 ? Part::kChunk : Part::kTrailer;
      return state_;
    }
    case Part::kChunkEnd:
      if (!line.empty()) return fail();
      part_ = Part::kChunkSize;
      return state_;
    case Part::kTrailer: return line.empty() ? state_ = State::kWhole : state_;
    default: return fail();
  }
}

HttpAnswer::State HttpAnswer::read_head_line(const std::string& line) {
  if (status_ == 0) return read_status(line) ? state_ : fail();
  if (line.empty()) return end_head();
  return read_field(line) ? state_ : fail();
}

// HTTP/1.1 200 OK
bool HttpAnswer::read_status(std::string_view line) {
  constexpr std::size_t kVersionBytes = 9;
  constexpr std::size_t kStatusBytes = 3;
  const bool is_http = line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ");
  if (!is_http || line.size() < kVersionBytes + kStatusBytes) return false;
  const auto status = parse_size(line.substr(kVersionBytes, kStatusBytes), 10);
  const std::string_view reason = line.substr(kVersionBytes + kStatusBytes);
  if (!status || *status < 100 || *status > 599) return false;
  if (!reason.empty() && reason.front() != ' ') return false;
  status_ = static_cast<int>(*status);
  return status_ != 101;  // nobody asked for another protocol
}

bool HttpAnswer::read_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
  const std::string name = lower(line.substr(0, colon));
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!is_field_value(value)) return false;
  if (name == "transfer-encoding") {
    if (lower(value) != "chunked") return false;
    is_chunked_ = true;
  }
  if (name == "content-length") {
    if (!parse_size(value, 10) || (!length_.empty() && length_ != value)) return false;
    length_ = value;
    return true;
  }
  if (name == "connection") hop_names_.append(lower(value)).append(",");
  if (!is_about_the_connection(name)) fields_.emplace_back(name, value);
  return true;
}

HttpAnswer::State HttpAnswer::end_head() {
  if (status_ < 200) {  // interim (RFC 9110 section 15.2)
    status_ = 0;
    fields_.clear();
    length_.clear();
    is_chunked_ = false;
    hop_names_.clear();
    return state_;
  }
  for (std::string_view names = hop_names_; !names.empty();) {
    const std::string_view name = names.substr(0, names.find(','));
    names.remove_prefix(name.size() + 1);
    std::erase_if(fields_, [&](const auto& field) { return field.first == trimmed(name); });
  }
  // RFC 9112 section 6.3.
  if (is_head_ || has_no_body(status_)) {
    body_kind_ = Body::kNone;
    return state_ = State::kWhole;
  }
  if (is_chunked_) {
    body_kind_ = Body::kChunks;
    part_ = Part::kChunkSize;
    return state_;
  }
  part_ = Part::kBody;
  if (length_.empty()) return state_;
  body_kind_ = Body::kLength;
  left_ = *parse_size(length_, 10);
  if (left_ > limits_.body_bytes) return fail();
  return left_ == 0 ? state_ = State::kWhole : state_;
}

bool HttpAnswer::take_body(std::size_t bytes) {
  if (bytes > limits_.body_bytes - body_.size()) return false;
  body_.append(unread_, 0, bytes);
  unread_.erase(0, bytes);
  return true;
}

quic::Response HttpAnswer::response() && {
  quic::Response response{.status = status_, .headers = std::move(fields_)};
  if (body_kind_ == Body::kNone) {
    const bool may_say_length = is_head_ && !has_no_body(status_) && !is_chunked_;
    if (may_say_length && !length_.empty()) {
      response.headers.emplace_back("content-length", length_);
    }
    return response;
  }
  response.headers.emplace_back("content-length", std::to_string(body_.size()));
  response.body = std::move(body_);
  return response;
}

}  // namespace qdt::server
