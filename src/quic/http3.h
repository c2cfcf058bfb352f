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
#include "quic/outgoing_bytes.h"
#include "quic/settings_reader.h"

struct ngtcp2_conn;
struct nghttp3_conn;
struct nghttp3_mem;
struct nghttp3_settings;
struct nghttp3_vec;

namespace qdt::quic {

using StreamId = std::int64_t;

/// Error codes of HTTP/3 (RFC 9114 section 8.1).
inline constexpr std::uint64_t kH3NoError = 0x100;
inline constexpr std::uint64_t kH3MessageError = 0x10e;

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

  // Requests:
  std::string method;
  std::string protocol;  ///< of an extended CONNECT
  std::string scheme;
  std::string authority;
  std::string path;
  int status = 0;  ///< responses
  HeaderFields headers;
  /// Of a stream that is open for bytes (Http3Events::on_stream_bytes), what came before it was.
  std::string body;
  bool has_ended = false;  ///< the peer will send no more of it
  bool is_too_long = false;

  /// The value of the first field of that name; empty when there is none.
  std::string_view header(std::string_view name) const;
  /// The values of all fields of that name as one (RFC 9110 section 5.3); nothing when there is
  /// none.
  std::optional<std::string> joined(std::string_view name) const;
  /// Nothing when it is absent or no number.
  std::optional<std::uint64_t> content_length() const;
  /// A request to carry another protocol on its stream (RFC 9220).
  bool is_extended_connect() const { return method == "CONNECT" && !protocol.empty(); }
};

/// A message to send.
struct Request {
  std::string method;
  std::string authority;
  std::string path;
  HeaderFields headers;
  std::string body;
  /// Makes an extended CONNECT of it; `method` is CONNECT then. Only to a server that
  /// peer_takes_extended_connect(), and without a body. A 2xx answer opens the stream for bytes.
  std::string protocol;
};

struct Response {
  int status = 200;
  HeaderFields headers;
  std::string body;
  /// In place of `body`, not copied: a page that many streams may be sending at a time. Shared,
  /// since its owner may have another page by the time that the last stream is done.
  std::shared_ptr<const std::string> page;
  /// Leaves our side of the stream open behind the body: the stream then stands for a session. That
  /// of an extended CONNECT is open for bytes from then on, and the answer has no body.
  bool keeps_stream_open = false;
};

/// The events of Http3.
class Http3Events {
 public:
  virtual ~Http3Events() = default;
  virtual void on_settings(bool accepts_datagrams) = 0;
  /// The headers are complete, or the body has grown or ended since.
  virtual void on_message(StreamId stream, const Message& message) = 0;
  /// The next bytes of a stream that is open for bytes; never empty. At a server what came before
  /// the answer comes behind respond(), not within it: with the next event of the stream, or with
  /// hand_over(). The peer's end comes by on_message() with `has_ended`, behind all bytes, once
  /// more if it had come before the answer.
  virtual void on_stream_bytes(StreamId stream, Bytes bytes) = 0;
  virtual void on_stream_closed(StreamId stream) = 0;
};

/// HTTP/3 (RFC 9114) over the streams of one engine connection: framing, header compression and
/// messages; HTTP Datagrams are the connection's. The functions that return an int return 0 or a
/// negative nghttp3 error that ends the connection.
class Http3 {
 public:
  /// All the references outlive this object. `takes_extended_connect`: a server's, whether it says
  /// so in its SETTINGS.
  Http3(Role role, bool takes_extended_connect, ngtcp2_conn* transport, const nghttp3_mem& memory,
        Http3Events& events);
  ~Http3();

  /// Opens the control and QPACK streams and sends SETTINGS. Call once 1-RTT keys are there.
  [[nodiscard]] bool open_streams();

  /// Sends a request on a new stream; nothing when the peer allows no further stream.
  std::optional<StreamId> request(const Request& request);
  /// Answers a request, once. False when the stream is gone, or is to be kept open for bytes of
  /// which some are lost, because more came before the answer than a request's body may have
  /// (`is_too_long`): then another answer may be given.
  bool respond(StreamId stream, const Response& response);

  // An extended CONNECT's stream: a client's from its request on, a server's once it is kept open.

  /// Sends bytes behind what was sent before. False, and nothing is sent, when our side of the
  /// stream has ended, or when more than OutgoingBytes::kMaxBytes would wait for acknowledgement.
  [[nodiscard]] bool send(StreamId stream, std::vector<std::uint8_t> bytes);
  /// Ends our side behind what was sent.
  void finish(StreamId stream);
  /// Ends both sides at once (RESET_STREAM, STOP_SENDING). No more bytes or messages come of the
  /// stream; on_stream_closed() does.
  void reset(StreamId stream, std::uint64_t error_code);
  /// Gives the bytes out that came before their requests were answered.
  void hand_over();

  /// A client's: the server takes extended CONNECT requests. Final with on_settings().
  bool peer_takes_extended_connect() const { return peer_takes_extended_connect_; }

  // The engine's callbacks.
  int receive(StreamId stream, Bytes bytes, bool has_ended);
  int acknowledge(StreamId stream, std::uint64_t bytes);
  int unblock(StreamId stream);
  int end_reading(StreamId stream);
  /// The peer has reset its side, or refused ours. Whether that is the end of a stream that was
  /// open for bytes.
  bool break_off(StreamId stream);
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
    bool is_answered = false;  // a request, or reset: nothing more of it is collected or told
    // An extended CONNECT's, once bytes may go out, and then in place of outgoing_body.
    std::unique_ptr<OutgoingBytes> outgoing;
    bool has_finished = false;          // ours ends behind `outgoing`
    bool is_open = false;               // what comes is handed over
    bool has_early = false;             // something that came before is to be handed over first
    std::uint64_t withheld_window = 0;  // of a request: received, and not given back
  };
  struct Callbacks;

  Stream* find(StreamId id);
  void open_for_bytes(StreamId id, Stream& stream);
  void hand_over(StreamId id, Stream& stream);
  void take_settings(const nghttp3_settings& settings);
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
  bool has_early_ = false;  // some stream has
  // A client's, for each stream from the server that carries no message, until SETTINGS are there.
  // The engine bounds how many there are.
  std::map<StreamId, SettingsReader> settings_readers_;
  bool has_settings_ = false;
  bool peer_takes_extended_connect_ = false;
};

}  // namespace qdt::quic
