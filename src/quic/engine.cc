#include "quic/engine.h"

#include <nghttp3/nghttp3.h>

#include <algorithm>

#include "quic/packet_protection.h"
#include "quic/path.h"
#include "wire/varint.h"

namespace qdt::quic {
namespace {

// A client's receive windows.
constexpr std::uint64_t kStreamWindow = 128 * 1024;
constexpr std::uint64_t kConnectionWindow = 512 * 1024;
constexpr std::uint64_t kMaxPeerStreams = 16;
// A server's: anybody may fill them. One request at a time, and the three streams of HTTP/3 (RFC
// 9114 section 6.2), which carry a few bytes each. The engine keeps what came out of order in
// pieces of 8 KiB.
constexpr std::uint64_t kRequestWindow = 4096 + 4096;
constexpr std::uint64_t kMaxRequests = 1;
constexpr std::uint64_t kControlWindow = 1024;
constexpr std::uint64_t kControlStreams = 3;
// A ClientHello and a Finished. Some browsers send 2 KiB.
constexpr std::size_t kMaxHandshakeBytes = 16 * 1024;
// The peer's connection IDs that we keep, one in use and the others for paths to come: the engine's
// own bound. A client that moves uses one up until the peer has heard of it.
constexpr std::uint64_t kPeerConnectionIds = 8;
// A client asks again after three times that when its first packet gets no answer, as browsers do:
// the engine's own 333 ms (RFC 9002 section 6.2.2) make a second of a lost packet.
constexpr Duration kClientInitialRtt = 100ms;
// The sizes of PathMtu::sizes(), in the order of the search: first those that most paths carry;
// then, since a size between two that are decided is left out, from the middle.
constexpr std::uint16_t kProbesV4[] = {1472, 1372, 1432, 1464, 1392, 1272, 1352, 1332, 1252};
constexpr std::uint16_t kProbesV6[] = {1452, 1352, 1412, 1444, 1372, 1252, 1332, 1312, 1232};

ngtcp2_cc_algo to_engine(CongestionControl congestion) {
  switch (congestion) {
    case CongestionControl::kBbr: return NGTCP2_CC_ALGO_BBR;
    case CongestionControl::kCubic: return NGTCP2_CC_ALGO_CUBIC;
    case CongestionControl::kReno: return NGTCP2_CC_ALGO_RENO;
  }
  return NGTCP2_CC_ALGO_BBR;
}

Connection& self(void* user) {
  return *static_cast<Connection*>(user);
}

}  // namespace

struct Connection::Engine::Callbacks {
  static int recv_stream_data(ngtcp2_conn*, std::uint32_t flags, StreamId stream, std::uint64_t,
                              const std::uint8_t* data, std::size_t size, void* user, void*) {
    self(user).has_heard_ = true;
    const bool has_ended = (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0;
    return http_result(user, self(user).http_->receive(stream, {data, size}, has_ended));
  }

  static int acked_stream_data(ngtcp2_conn*, StreamId stream, std::uint64_t, std::uint64_t size,
                               void* user, void*) {
    return http_result(user, self(user).http_->acknowledge(stream, size));
  }

  static int stream_close(ngtcp2_conn* engine, std::uint32_t flags, StreamId stream,
                          std::uint64_t error, void* user, void*) {
    Connection& connection = self(user);
    if (!ngtcp2_conn_is_local_stream(engine, stream)) {
      if (ngtcp2_is_bidi_stream(stream)) {
        ngtcp2_conn_extend_max_streams_bidi(engine, 1);
        if (connection.http_) connection.http_->allow_request();
      } else {
        ngtcp2_conn_extend_max_streams_uni(engine, 1);
      }
    }
    if (!connection.http_) return 0;
    if ((flags & NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET) == 0) error = NGHTTP3_H3_NO_ERROR;
    return http_result(user, connection.http_->close(stream, error));
  }

  static int stream_reset(ngtcp2_conn*, StreamId stream, std::uint64_t, std::uint64_t, void* user,
                          void*) {
    Connection& connection = self(user);
    if (!connection.http_) return 0;
    const int status = http_result(user, connection.http_->end_reading(stream));
    connection.http_->break_off(stream);
    // The session's stream is gone in one direction: that is its end, although the other direction
    // is not closed yet.
    if (status == 0) connection.context_.events.on_stream_closed(connection, stream);
    return status;
  }

  static int stop_sending(ngtcp2_conn*, StreamId stream, std::uint64_t, void* user, void*) {
    Connection& connection = self(user);
    return connection.http_ ? http_result(user, connection.http_->end_reading(stream)) : 0;
  }

  static int extend_max_stream_data(ngtcp2_conn*, StreamId stream, std::uint64_t, void* user,
                                    void*) {
    return http_result(user, self(user).http_->unblock(stream));
  }

  // A client has nothing to say to TLS behind its handshake (RFC 9001 sections 4.4 and 6).
  static int recv_crypto_data(ngtcp2_conn* engine, ngtcp2_encryption_level level,
                              std::uint64_t offset, const std::uint8_t* data, std::size_t size,
                              void* user) {
    Connection& connection = self(user);
    if (connection.role_ == Role::kServer) {
      connection.handshake_bytes_ += size;
      const bool is_too_much = connection.handshake_bytes_ > kMaxHandshakeBytes;
      if (is_too_much || !connection.tls_) return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    return ngtcp2_crypto_recv_crypto_data_cb(engine, level, offset, data, size, user);
  }

  // HTTP/3 begins as soon as we may send 1-RTT packets; a server's SETTINGS then travel with its
  // handshake.
  static int recv_tx_key(ngtcp2_conn* engine, ngtcp2_encryption_level level, void* user) {
    Connection& connection = self(user);
    connection.has_greeted_ = true;
    if (level != NGTCP2_ENCRYPTION_LEVEL_1RTT) return 0;
    Http3Events& events = connection;
    connection.http_ = std::make_unique<Http3>(connection.role_,
                                               connection.context_.options.takes_extended_connect,
                                               engine, connection.memory_->http, events);
    return connection.http_->open_streams() ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
  }

  static int handshake_completed(ngtcp2_conn*, void* user) {
    Connection& connection = self(user);
    connection.has_completed_ = true;
    connection.exporter_ = connection.tls_->take_exporter();
    connection.is_resumed_ = connection.tls_->is_resumed();
    if (connection.role_ == Role::kServer) connection.tls_->send_ticket();
    return 0;
  }

  static int recv_datagram(ngtcp2_conn*, std::uint32_t, const std::uint8_t* data, std::size_t size,
                           void* user) {
    Connection& connection = self(user);
    connection.has_heard_ = true;
    const Bytes bytes(data, size);
    const auto quarter = wire::parse_varint(bytes);
    const bool is_ours = quarter && connection.sink_.receive != nullptr &&
                         quarter->value == quarter_id(connection.datagram_stream_);
    if (!is_ours) {
      connection.context_.drops.count(Drop::kNoSession);
      return 0;
    }
    connection.sink_.receive(connection.sink_.context, bytes.subspan(quarter->bytes));
    return 0;
  }

  static int ack_datagram(ngtcp2_conn*, std::uint64_t note, void* user) {
    self(user).path_mtu_.on_acked(note);
    return 0;
  }

  static int lost_datagram(ngtcp2_conn*, std::uint64_t note, void* user) {
    self(user).path_mtu_.on_lost(note);
    return 0;
  }

  static int recv_stateless_reset(ngtcp2_conn*, const ngtcp2_pkt_stateless_reset*, void* user) {
    self(user).was_reset_ = true;
    return 0;
  }

  static void rand(std::uint8_t* dest, std::size_t size, const ngtcp2_rand_ctx* context) {
    self(context->native_handle).context_.random.fill({dest, size});
  }

  static int get_new_connection_id(ngtcp2_conn*, ngtcp2_cid* cid, std::uint8_t* token, std::size_t,
                                   void* user) {
    Connection& connection = self(user);
    const ConnectionId id = connection.context_.ids.issue(connection);
    *cid = to_engine(id);
    std::ranges::copy(connection.context_.ids.reset_token(id), token);
    return 0;
  }

  static int remove_connection_id(ngtcp2_conn*, const ngtcp2_cid* cid, void* user) {
    self(user).context_.ids.retire(ConnectionId({cid->data, cid->datalen}));
    return 0;
  }

  static int get_path_challenge(ngtcp2_conn*, std::uint8_t* data, void* user) {
    self(user).context_.random.fill({data, NGTCP2_PATH_CHALLENGE_DATALEN});
    return 0;
  }

  static int path_validation(ngtcp2_conn*, std::uint32_t, const ngtcp2_path* path,
                             const ngtcp2_path*, ngtcp2_path_validation_result result, void* user) {
    if (result == NGTCP2_PATH_VALIDATION_RESULT_ABORTED) return 0;  // there is a newer path
    const bool is_usable = result == NGTCP2_PATH_VALIDATION_RESULT_SUCCESS;
    self(user).path_verdict_ = {from_engine(*path), is_usable};
    if (is_usable) self(user).has_new_path_ = true;
    return 0;
  }

  static int http_result(void* user, int http_error) {
    if (http_error == 0) return 0;
    self(user).http_error_ = http_error;
    return NGTCP2_ERR_CALLBACK_FAILURE;
  }
};

ngtcp2_conn* Connection::Engine::get_conn(ngtcp2_crypto_conn_ref* reference) {
  return self(reference->user_data).engine_.get();
}

ngtcp2_callbacks Connection::Engine::callbacks() {
  ngtcp2_callbacks table{};
  table.client_initial = ngtcp2_crypto_client_initial_cb;
  table.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
  table.recv_crypto_data = Callbacks::recv_crypto_data;
  protect_packets(table);
  table.recv_retry = ngtcp2_crypto_recv_retry_cb;
  table.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
  table.handshake_completed = Callbacks::handshake_completed;
  table.recv_stream_data = Callbacks::recv_stream_data;
  table.acked_stream_data_offset = Callbacks::acked_stream_data;
  table.stream_close = Callbacks::stream_close;
  table.stream_reset = Callbacks::stream_reset;
  table.stream_stop_sending = Callbacks::stop_sending;
  table.extend_max_stream_data = Callbacks::extend_max_stream_data;
  table.recv_tx_key = Callbacks::recv_tx_key;
  table.recv_datagram = Callbacks::recv_datagram;
  table.ack_datagram = Callbacks::ack_datagram;
  table.lost_datagram = Callbacks::lost_datagram;
  table.recv_stateless_reset = Callbacks::recv_stateless_reset;
  table.rand = Callbacks::rand;
  table.get_new_connection_id = Callbacks::get_new_connection_id;
  table.remove_connection_id = Callbacks::remove_connection_id;
  table.get_path_challenge_data = Callbacks::get_path_challenge;
  table.path_validation = Callbacks::path_validation;
  return table;
}

ngtcp2_settings Connection::Engine::settings(Connection& connection, const UdpPath& path,
                                             Timestamp now) {
  const ConnectionOptions& options = connection.context_.options;
  const std::span<const std::uint16_t> probes =
      path.remote.address.is_v4() ? std::span(kProbesV4) : std::span(kProbesV6);
  ngtcp2_settings settings;
  ngtcp2_settings_default(&settings);
  settings.initial_ts = to_engine(now);
  if (connection.role_ == Role::kClient) {
    settings.initial_rtt = static_cast<std::uint64_t>(Duration(kClientInitialRtt).count());
  }
  settings.cc_algo = to_engine(options.congestion);
  settings.handshake_timeout = static_cast<std::uint64_t>(options.handshake_timeout.count());
  settings.max_tx_udp_payload_size = probes.front();
  settings.pmtud_probes = probes.data();
  settings.pmtud_probeslen = probes.size();
  settings.rand_ctx.native_handle = &connection;
  return settings;
}

ngtcp2_transport_params Connection::Engine::transport_params(const ConnectionOptions& options,
                                                             Role role) {
  ngtcp2_transport_params params;
  ngtcp2_transport_params_default(&params);
  if (role == Role::kServer) {
    params.initial_max_stream_data_bidi_remote = kRequestWindow;
    params.initial_max_stream_data_uni = kControlWindow;
    params.initial_max_data = kMaxRequests * kRequestWindow + kControlStreams * kControlWindow;
    params.initial_max_streams_bidi = kMaxRequests;
    params.initial_max_streams_uni = kControlStreams;
  } else {
    params.initial_max_stream_data_bidi_local = kStreamWindow;
    params.initial_max_stream_data_bidi_remote = kStreamWindow;
    params.initial_max_stream_data_uni = kStreamWindow;
    params.initial_max_data = kConnectionWindow;
    params.initial_max_streams_bidi = kMaxPeerStreams;
    params.initial_max_streams_uni = kMaxPeerStreams;
  }
  params.max_idle_timeout = static_cast<std::uint64_t>(options.idle_timeout.count());
  params.active_connection_id_limit = kPeerConnectionIds;
  params.max_datagram_frame_size = options.max_datagram_frame_bytes;
  return params;
}

}  // namespace qdt::quic
