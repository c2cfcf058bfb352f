#include "quic/http3.h"

#include <nghttp3/nghttp3.h>
#include <ngtcp2/ngtcp2.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <utility>

namespace qdt::quic {
namespace {

// A field takes so much more in memory, as RFC 9114 section 4.2.2 counts it.
constexpr std::size_t kFieldOverhead = 32;
// nghttp3 before 1.14 has its client forget SETTINGS_ENABLE_CONNECT_PROTOCOL.
constexpr bool kReadsSettings = NGHTTP3_VERSION_NUM < 0x010e00;

nghttp3_nv field(std::string_view name, std::string_view value) {
  return {as_bytes(name).data(), as_bytes(value).data(), name.size(), value.size(),
          NGHTTP3_NV_FLAG_NONE};
}

std::string_view text(nghttp3_rcbuf* buffer) {
  const nghttp3_vec bytes = nghttp3_rcbuf_get_buf(buffer);
  return as_text({bytes.base, bytes.len});
}

template <typename Number>
std::optional<Number> parse_number(std::string_view digits) {
  Number number{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string_view Message::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &HeaderFields::value_type::first);
  return found == headers.end() ? std::string_view() : found->second;
}

std::optional<std::string> Message::joined(std::string_view name) const {
  std::optional<std::string> all;
  for (const auto& [its_name, value] : headers) {
    if (its_name != name) continue;
    all = all ? *all + ", " + value : value;
  }
  return all;
}

std::optional<std::uint64_t> Message::content_length() const {
  return parse_number<std::uint64_t>(header("content-length"));
}

// nghttp3's callbacks; `conn_user_data` is the Http3.
struct Http3::Callbacks {
  static Http3& self(void* user) { return *static_cast<Http3*>(user); }

  static int begin_headers(nghttp3_conn*, StreamId stream, void* user, void*) {
    // A response begins anew after an interim one (RFC 9114 section 4.1).
    self(user).streams_[stream].message.headers.clear();
    return 0;
  }

  static int recv_header(nghttp3_conn*, StreamId id, std::int32_t token, nghttp3_rcbuf* name,
                         nghttp3_rcbuf* value, std::uint8_t, void* user, void*) {
    Stream& stream = self(user).streams_[id];
    Message& message = stream.message;
    if (stream.is_answered) return 0;
    stream.header_bytes += text(name).size() + text(value).size() + kFieldOverhead;
    if (stream.header_bytes > self(user).max_header_bytes()) {
      message.is_too_long = true;
      return 0;
    }
    switch (token) {
      case NGHTTP3_QPACK_TOKEN__METHOD: message.method = text(value); break;
      case NGHTTP3_QPACK_TOKEN__PROTOCOL: message.protocol = text(value); break;
      case NGHTTP3_QPACK_TOKEN__SCHEME: message.scheme = text(value); break;
      case NGHTTP3_QPACK_TOKEN__AUTHORITY: message.authority = text(value); break;
      case NGHTTP3_QPACK_TOKEN__PATH: message.path = text(value); break;
      case NGHTTP3_QPACK_TOKEN__STATUS:
        message.status = parse_number<int>(text(value)).value_or(0);
        break;
      default: message.headers.emplace_back(text(name), text(value)); break;
    }
    return 0;
  }

  static int end_headers(nghttp3_conn*, StreamId id, int has_ended, void* user, void*) {
    Stream& stream = self(user).streams_[id];
    const bool is_interim = stream.message.status >= 100 && stream.message.status < 200;
    if (is_interim || stream.is_answered) return 0;
    stream.message.has_ended = has_ended != 0;
    const bool is_success = stream.message.status >= 200 && stream.message.status < 300;
    stream.is_open = is_success && stream.outgoing != nullptr;
    self(user).events_.on_message(id, stream.message);
    return 0;
  }

  static int recv_data(nghttp3_conn*, StreamId id, const std::uint8_t* data, std::size_t size,
                       void* user, void*) {
    Http3& http = self(user);
    http.take_over(id, size);
    Stream& stream = http.streams_[id];
    if (stream.is_open) http.hand_over(id, stream);
    if (stream.is_answered) return 0;
    if (stream.is_open) {
      http.events_.on_stream_bytes(id, {data, size});
      return 0;
    }
    Message& message = stream.message;
    const std::size_t room = http.max_body_bytes() - message.body.size();
    message.is_too_long |= size > room;
    message.body.append(as_text({data, std::min(size, room)}));
    http.events_.on_message(id, message);
    return 0;
  }

  static int deferred_consume(nghttp3_conn*, StreamId id, std::size_t size, void* user, void*) {
    self(user).take_over(id, size);
    return 0;
  }

  static int end_stream(nghttp3_conn*, StreamId id, void* user, void*) {
    Stream& stream = self(user).streams_[id];
    if (stream.is_open) self(user).hand_over(id, stream);
    if (std::exchange(stream.message.has_ended, true) || stream.is_answered) return 0;
    self(user).events_.on_message(id, stream.message);
    return 0;
  }

  static int stream_close(nghttp3_conn*, StreamId id, std::uint64_t, void* user, void*) {
    self(user).streams_.erase(id);
    self(user).events_.on_stream_closed(id);
    return 0;
  }

  static int stop_sending(nghttp3_conn*, StreamId id, std::uint64_t error, void* user, void*) {
    ngtcp2_conn_shutdown_stream_read(self(user).transport_, 0, id, error);
    return 0;
  }

  static int reset_stream(nghttp3_conn*, StreamId id, std::uint64_t error, void* user, void*) {
    ngtcp2_conn_shutdown_stream_write(self(user).transport_, 0, id, error);
    return 0;
  }

  static int recv_settings(nghttp3_conn*, const nghttp3_settings* settings, void* user) {
    self(user).take_settings(*settings);
    return 0;
  }

  static nghttp3_ssize read_body(nghttp3_conn*, StreamId id, nghttp3_vec* vec, std::size_t,
                                 std::uint32_t* flags, void* user, void*) {
    Stream& stream = self(user).streams_[id];
    if (stream.outgoing) return read_bytes(stream, vec, flags);
    if (stream.body_was_read) return NGHTTP3_ERR_WOULDBLOCK;
    stream.body_was_read = true;
    if (stream.ends_after_body) *flags |= NGHTTP3_DATA_FLAG_EOF;
    const std::string& body = stream.outgoing_page ? *stream.outgoing_page : stream.outgoing_body;
    if (body.empty()) {
      return stream.ends_after_body ? 0 : nghttp3_ssize{NGHTTP3_ERR_WOULDBLOCK};
    }
    // Stays where it is until the stream closes, and so until it is acknowledged.
    // The engine reads it only; its C interface has no other pointer.
    vec->base = const_cast<std::uint8_t*>(as_bytes(body).data());
    vec->len = body.size();
    return 1;
  }

  static nghttp3_ssize read_bytes(Stream& stream, nghttp3_vec* vec, std::uint32_t* flags) {
    const Bytes bytes = stream.outgoing->take();
    if (!bytes.empty()) {
      *vec = {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
      return 1;
    }
    if (!stream.has_finished) return NGHTTP3_ERR_WOULDBLOCK;
    *flags |= NGHTTP3_DATA_FLAG_EOF;
    return 0;
  }

  static int acked_stream_data(nghttp3_conn*, StreamId id, std::uint64_t bytes, void* user, void*) {
    Stream* stream = self(user).find(id);
    if (stream != nullptr && stream->outgoing) stream->outgoing->acknowledge(bytes);
    return 0;
  }
};

void Http3::Deleter::operator()(nghttp3_conn* conn) const {
  nghttp3_conn_del(conn);
}

Http3::Http3(Role role, bool takes_extended_connect, ngtcp2_conn* transport,
             const nghttp3_mem& memory, Http3Events& events)
    : role_(role), transport_(transport), events_(events) {
  nghttp3_callbacks callbacks{};
  callbacks.acked_stream_data = Callbacks::acked_stream_data;
  callbacks.stream_close = Callbacks::stream_close;
  callbacks.recv_data = Callbacks::recv_data;
  callbacks.deferred_consume = Callbacks::deferred_consume;
  callbacks.begin_headers = Callbacks::begin_headers;
  callbacks.recv_header = Callbacks::recv_header;
  callbacks.end_headers = Callbacks::end_headers;
  callbacks.stop_sending = Callbacks::stop_sending;
  callbacks.end_stream = Callbacks::end_stream;
  callbacks.reset_stream = Callbacks::reset_stream;
  callbacks.recv_settings = Callbacks::recv_settings;

  nghttp3_settings settings;
  nghttp3_settings_default(&settings);
  settings.h3_datagram = 1;
  settings.enable_connect_protocol = role == Role::kServer && takes_extended_connect ? 1 : 0;
  settings.max_field_section_size = max_header_bytes();
  // Few and short headers: the static table is enough, and without a dynamic one no stream ever
  // waits for another.
  settings.qpack_max_dtable_capacity = 0;
  settings.qpack_encoder_max_dtable_capacity = 0;
  settings.qpack_blocked_streams = 0;

  nghttp3_conn* conn = nullptr;
  const int status = role == Role::kServer
                         ? nghttp3_conn_server_new(&conn, &callbacks, &settings, &memory, this)
                         : nghttp3_conn_client_new(&conn, &callbacks, &settings, &memory, this);
  if (status != 0) std::abort();  // only for want of memory
  conn_.reset(conn);
}

Http3::~Http3() = default;

bool Http3::open_streams() {
  StreamId control = -1, encoder = -1, decoder = -1;
  for (StreamId* stream : {&control, &encoder, &decoder}) {
    if (ngtcp2_conn_open_uni_stream(transport_, stream, nullptr) != 0) return false;
  }
  if (role_ == Role::kServer) {
    const ngtcp2_transport_params* local = ngtcp2_conn_get_local_transport_params(transport_);
    max_requests_ = local->initial_max_streams_bidi;
    nghttp3_conn_set_max_client_streams_bidi(conn_.get(), max_requests_);
  }
  return nghttp3_conn_bind_control_stream(conn_.get(), control) == 0 &&
         nghttp3_conn_bind_qpack_streams(conn_.get(), encoder, decoder) == 0;
}

std::optional<StreamId> Http3::request(const Request& request) {
  StreamId id = -1;
  if (ngtcp2_conn_open_bidi_stream(transport_, &id, nullptr) != 0) return std::nullopt;

  const bool is_extended = !request.protocol.empty();
  std::vector<nghttp3_nv> fields = {field(":method", request.method), field(":scheme", "https"),
                                    field(":authority", request.authority),
                                    field(":path", request.path)};
  if (is_extended) fields.push_back(field(":protocol", request.protocol));
  for (const auto& [name, value] : request.headers) fields.push_back(field(name, value));

  Stream& stream = streams_[id];
  assert(!is_extended || request.body.empty());
  if (is_extended) {
    stream.outgoing = std::make_unique<OutgoingBytes>();
  } else {
    stream.outgoing_body = request.body;
  }
  stream.ends_after_body = false;
  const nghttp3_data_reader reader{.read_data = Callbacks::read_body};
  if (nghttp3_conn_submit_request(conn_.get(), id, fields.data(), fields.size(), &reader,
                                  nullptr) != 0) {
    return std::nullopt;
  }
  return id;
}

bool Http3::respond(StreamId id, const Response& response) {
  Stream* found = find(id);
  if (found == nullptr || found->is_answered) return false;
  Stream& stream = *found;
  const bool opens = response.keeps_stream_open && stream.message.is_extended_connect();
  if (opens && stream.message.is_too_long) return false;
  assert(!opens || (response.body.empty() && !response.page));

  const std::string status = std::to_string(response.status);
  std::vector<nghttp3_nv> fields = {field(":status", status)};
  for (const auto& [name, value] : response.headers) fields.push_back(field(name, value));

  stream.outgoing_body = response.body;
  stream.outgoing_page = response.page;
  stream.ends_after_body = !response.keeps_stream_open;
  const nghttp3_data_reader reader{.read_data = Callbacks::read_body};
  if (nghttp3_conn_submit_response(conn_.get(), id, fields.data(), fields.size(), &reader) != 0) {
    return false;
  }
  if (!response.keeps_stream_open) refuse_rest(id, stream);
  if (opens) open_for_bytes(id, stream);
  return true;
}

Http3::Stream* Http3::find(StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

// A session's stream lives for months, so its window has to grow.
void Http3::open_for_bytes(StreamId id, Stream& stream) {
  stream.outgoing = std::make_unique<OutgoingBytes>();
  stream.is_open = true;
  stream.has_early = !stream.message.body.empty() || stream.message.has_ended;
  has_early_ |= stream.has_early;
  ngtcp2_conn_extend_max_stream_offset(transport_, id, std::exchange(stream.withheld_window, 0));
}

void Http3::hand_over() {
  if (!std::exchange(has_early_, false)) return;
  for (auto& [id, stream] : streams_) hand_over(id, stream);
}

void Http3::hand_over(StreamId id, Stream& stream) {
  if (!std::exchange(stream.has_early, false)) return;
  const std::string early = std::exchange(stream.message.body, {});
  if (!early.empty()) events_.on_stream_bytes(id, as_bytes(early));
  if (stream.message.has_ended && !stream.is_answered) events_.on_message(id, stream.message);
}

bool Http3::send(StreamId id, std::vector<std::uint8_t> bytes) {
  Stream* stream = find(id);
  if (stream == nullptr || !stream->outgoing || stream->has_finished) return false;
  return stream->outgoing->add(std::move(bytes)) &&
         nghttp3_conn_resume_stream(conn_.get(), id) == 0;
}

void Http3::finish(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr || !stream->outgoing || std::exchange(stream->has_finished, true)) return;
  nghttp3_conn_resume_stream(conn_.get(), id);
}

void Http3::reset(StreamId id, std::uint64_t error_code) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  break_off(id);
  stream->is_answered = true;
  nghttp3_conn_shutdown_stream_write(conn_.get(), id);
  ngtcp2_conn_shutdown_stream(transport_, 0, id, error_code);
}

bool Http3::break_off(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr || !stream->outgoing) return false;
  stream->has_finished = true;
  stream->has_early = false;
  if (!std::exchange(stream->is_open, false)) return false;
  stream->is_answered = true;
  return true;
}

// The rest of a request that has its answer (RFC 9114 section 4.1). Not of a session's: its client
// leaves its side open.
void Http3::refuse_rest(StreamId id, Stream& stream) {
  stream.is_answered = true;
  if (stream.message.has_ended) return;
  ngtcp2_conn_shutdown_stream_read(transport_, 0, id, NGHTTP3_H3_NO_ERROR);
}

// Gives the peer its flow control credit back. A request has one window, and no more, unless its
// stream is open for bytes.
void Http3::take_over(StreamId id, std::uint64_t bytes) {
  const bool is_request = role_ == Role::kServer && ngtcp2_is_bidi_stream(id) != 0;
  Stream* request = is_request ? find(id) : nullptr;
  if (request != nullptr && !request->is_open) request->withheld_window += bytes;
  if (!is_request || (request != nullptr && request->is_open)) {
    ngtcp2_conn_extend_max_stream_offset(transport_, id, bytes);
  }
  ngtcp2_conn_extend_max_offset(transport_, bytes);
}

int Http3::receive(StreamId stream, Bytes bytes, bool has_ended) {
  const bool may_have_settings = kReadsSettings && role_ == Role::kClient && !has_settings_ &&
                                 ngtcp2_is_bidi_stream(stream) == 0;
  if (may_have_settings) settings_readers_[stream].receive(bytes);
  const nghttp3_ssize consumed =
      nghttp3_conn_read_stream(conn_.get(), stream, bytes.data(), bytes.size(), has_ended);
  if (consumed < 0) return static_cast<int>(consumed);
  take_over(stream, static_cast<std::uint64_t>(consumed));
  return 0;
}

void Http3::take_settings(const nghttp3_settings& settings) {
  const auto takes = [](const auto& reader) { return reader.second.takes_extended_connect(); };
  peer_takes_extended_connect_ = kReadsSettings ? std::ranges::any_of(settings_readers_, takes)
                                                : settings.enable_connect_protocol != 0;
  has_settings_ = true;
  settings_readers_.clear();
  events_.on_settings(settings.h3_datagram != 0);
}

int Http3::acknowledge(StreamId stream, std::uint64_t bytes) {
  return nghttp3_conn_add_ack_offset(conn_.get(), stream, bytes);
}

int Http3::unblock(StreamId stream) {
  return nghttp3_conn_unblock_stream(conn_.get(), stream);
}

int Http3::end_reading(StreamId stream) {
  return nghttp3_conn_shutdown_stream_read(conn_.get(), stream);
}

void Http3::go_away() {
  nghttp3_conn_shutdown(conn_.get());
}

void Http3::allow_request() {
  nghttp3_conn_set_max_client_streams_bidi(conn_.get(), ++max_requests_);
}

int Http3::close(StreamId stream, std::uint64_t error_code) {
  settings_readers_.erase(stream);
  const int status = nghttp3_conn_close_stream(conn_.get(), stream, error_code);
  return status == NGHTTP3_ERR_STREAM_NOT_FOUND ? 0 : status;
}

std::ptrdiff_t Http3::pick(Pick& pick, nghttp3_vec* out, std::size_t out_size) {
  int ends = 0;
  const nghttp3_ssize count =
      nghttp3_conn_writev_stream(conn_.get(), &pick.stream, &ends, out, out_size);
  pick.ends = ends != 0;
  return count;
}

int Http3::sent(StreamId stream, std::size_t bytes) {
  return nghttp3_conn_add_write_offset(conn_.get(), stream, bytes);
}

void Http3::blocked(StreamId stream) {
  nghttp3_conn_block_stream(conn_.get(), stream);
}

void Http3::shut(StreamId stream) {
  nghttp3_conn_shutdown_stream_write(conn_.get(), stream);
}

}  // namespace qdt::quic
