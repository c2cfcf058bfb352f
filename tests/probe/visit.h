#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "probe/bad_datagrams.h"
#include "probe/quic_end.h"
#include "quic/tls.h"
#include "wire/json_end.h"

namespace qdt::probe {

/// So many of one kind.
struct Volley {
  std::string kind;
  std::size_t count = 0;
};

struct VisitOptions {
  SocketAddress server;
  IpAddress from;  ///< unspecified: the kernel's choice
  std::string method = "POST";
  std::string path = "/connect";
  std::string token;
  std::string client_id = "probe";
  std::string reason = "the probe leaves";  ///< for the end of the connection
  quic::HeaderFields headers;
  std::optional<std::string> body;          ///< none: a good one
  std::optional<std::string> resume_token;  ///< offers cap `resume`, and shows this unless empty
  bool has_content_length = true;
  bool takes_datagrams = true;
  bool is_slow = false;  ///< a pause before each payload: what was written together comes apart
  std::vector<Volley> datagrams;
  std::vector<Volley> payloads;  ///< in place of a handshake
  bool stays = false;            ///< until a signal
  bool shows_headers = false;    ///< of the answer, as they came
  Duration timeout = 5s;
  std::uint64_t seed = 1;
};

/// One visit at a server: a handshake, and what is to follow it. Prints what comes of it.
class Visit final : private quic::ConnectionEvents {
 public:
  Visit(const VisitOptions& options, const quic::TlsClientContext& tls, Host host);

  /// Handshake, bad datagrams, and a Ping as proof that the session lives on. False when an answer
  /// that was due did not come.
  bool run();
  /// Sends bad payloads. The server owes no answer.
  void throw_payloads();

 private:
  // quic::ConnectionEvents
  void on_settings(quic::Connection& connection) override;
  void on_message(quic::Connection& connection, quic::StreamId stream,
                  const quic::Message& message) override;
  void on_stream_closed(quic::Connection&, quic::StreamId) override {}
  void on_closed(quic::Connection& connection, const quic::CloseReason& reason) override;

  template <typename Done>
  bool run_until(Done&& done, Timestamp deadline);
  wire::Capabilities capabilities() const;
  void write();
  void send_payloads();
  void open_session(quic::StreamId stream, std::string_view body);
  void receive_datagram(Bytes datagram);
  bool send_volleys();
  void send_one(Bytes payload);

  const VisitOptions& options_;
  const quic::TlsClientContext& tls_;
  testing::SeededRandom seeded_random_;
  QuicEnd end_;

  quic::Connection* connection_ = nullptr;
  wire::HandshakeNonce nonce_;
  bool has_answer_ = false;
  wire::JsonEnd answer_end_;
  std::optional<BadDatagrams> maker_;
  std::optional<wire::DatagramOpener> opener_;
  std::deque<Datagram> datagrams_;  // to be sent
  bool has_pong_ = false;
};

}  // namespace qdt::probe
