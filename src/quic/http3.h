#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/role.h"

struct ngtcp2_conn;
struct nghttp3_conn;
struct nghttp3_mem;
struct nghttp3_vec;

namespace qdt::quic {

using StreamId = std::int64_t;

/// HTTP header fields in the order in which they go out; names in lower case.
using HeaderFields = std::vector<std::pair<std::string, std::string>>;

/// An HTTP message as far as it has arrived.
struct Message {
  /// The part that a peer may send; the rest is read and forgotten, and `is_too_long` tells.
  static constexpr std::size_t kMaxBodyBytes = 64 * 1024;
  static constexpr std::size_t kMaxHeaderBytes = 16 * 1024;
  /// The same of a request, which anybody may send.
  static constexpr std::size_t kMaxRequestBodyBytes = 4 * 1024;
  static constexpr std::size_t kMaxRequestHeaderBytes = 4 * 1024;

  std::string method;  ///< requests
  std::string path;    ///< requests
  int status = 0;      ///< responses
  HeaderFields headers;
  std::string body;
  bool has_ended = false;  ///< the peer will send no more of it
  bool is_too_long = false;

  /// The value of the first field of that name; empty when there is none.
  std::string_view header(std::string_view name) const;
  /// Nothing when it is absent or no number.
  std::optional<std::uint64_t> content_length() const;
};

/// A message to send.
struct Request {
  std::string method;
  std::string authority;
  std::string path;
  HeaderFields headers;
  std::string body;
};

struct Response {
  int status = 200;
  HeaderFields headers;
  std::string body;
  /// In place of `body`, not copied: a page that many streams may be sending at a time. Shared,
  /// since its owner may have another page by the time that the last stream is done.
  std::shared_ptr<const std::string> page;
  /// Leaves our side of the stream open behind the body: the stream then stands for a session.
  bool keeps_stream_open = false;
};

/// The events of Http3.
class Http3Events {
 public:
  virtual ~Http3Events() = default;
  virtual void on_settings(bool accepts_datagrams) = 0;
  /// The headers are complete, or the body has grown or ended since.
  virtual void on_message(StreamId stream, const Message& message) = 0;
  virtual void on_stream_closed(StreamId stream) = 0;
};

/// HTTP/3 (RFC 9114) over the streams of one engine connection: framing, header compression and
/// messages; HTTP Datagrams are the connection's. The functions that return an int return 0 or a
/// negative nghttp3 error that ends the connection.
class Http3 {
 public:
  /// All the references outlive this object.
  Http3(Role role, ngtcp2_conn* transport, const nghttp3_mem& memory, Http3Events& events);
  ~Http3();

  /// Opens the control and QPACK streams and sends SETTINGS. Call once 1-RTT keys are there.
  [[nodiscard]] bool open_streams();

  /// Sends a request on a new stream; nothing when the peer allows no further stream.
  std::optional<StreamId> request(const Request& request);
  /// Answers a request, once. False when the stream is gone.
  bool respond(StreamId stream, const Response& response);

  // The engine's callbacks.
  int receive(StreamId stream, Bytes bytes, bool has_ended);
  int acknowledge(StreamId stream, std::uint64_t bytes);
  int unblock(StreamId stream);
  int reset(StreamId stream);
  int close(StreamId stream, std::uint64_t error_code);
  /// Tells the peer that no more requests are taken (GOAWAY, RFC 9114 section 5.2).
  void go_away();
  /// A server's: the client may send one request more than before.
  void allow_request();

  // Writes what there is to send. `pick` fills `out` with bytes of one stream and returns how many
  // pieces, 0 when nothing is to be sent, or a negative error.
  struct Pick {
    StreamId stream = -1;
    bool ends = false;
  };
  std::ptrdiff_t pick(Pick& pick, nghttp3_vec* out, std::size_t out_size);
  int sent(StreamId stream, std::size_t bytes);
  void blocked(StreamId stream);
  void shut(StreamId stream);

 private:
  struct Deleter {
    void operator()(nghttp3_conn* conn) const;
  };
  struct Stream {
    Message message;
    std::size_t header_bytes = 0;
    std::string outgoing_body;
    std::shared_ptr<const std::string> outgoing_page;  // in place of outgoing_body
    bool ends_after_body = true;
    bool body_was_read = false;
    bool is_answered = false;  // a request: nothing more of it is collected
  };
  struct Callbacks;

  void refuse_rest(StreamId id, Stream& stream);
  void take_over(StreamId stream, std::uint64_t bytes);
  std::size_t max_body_bytes() const {
    return role_ == Role::kServer ? Message::kMaxRequestBodyBytes + 1 : Message::kMaxBodyBytes;
  }
  std::size_t max_header_bytes() const {
    return role_ == Role::kServer ? Message::kMaxRequestHeaderBytes : Message::kMaxHeaderBytes;
  }

  Role role_;
  std::unique_ptr<nghttp3_conn, Deleter> conn_;
  ngtcp2_conn* transport_;
  Http3Events& events_;
  std::uint64_t max_requests_ = 0;
  std::map<StreamId, Stream> streams_;
};

}  // namespace qdt::quic
