#include "client/connector.h"

#include <algorithm>
#include <utility>

namespace qdt::client {
namespace {

// A server's refusal for a person: what it said, what that means, what can be done.
std::string explain_refusal(int status, std::string_view body) {
  const std::pair<std::string_view, std::string_view> remedies[] = {
      {"unauthorized", "the token is wrong"},
      {"rate limited", "too many attempts; wait a minute"},
      {"server busy", "it has as many sessions as it allows; try later"},
      {"not ready", "it is starting or its network is down; try later"},
      {"address pool exhausted", "it has no address left; try later"},
      {"bad request", "it does not understand this client's request"},
      {"bad nonce", "it does not understand this client's nonce"},
      {"not http3", "it does not see HTTP/3 datagrams from this client"},
  };
  for (const auto& [text, meaning] : remedies) {
    if (body.starts_with(text)) return std::string(text) + ": " + std::string(meaning);
  }
  if (status == 404) return "not a QDT server: it knows no /connect (404)";

  std::string words(body.substr(0, 80));
  std::ranges::replace_if(
      words, [](unsigned char letter) { return letter < 0x20 || letter >= 0x7f; }, ' ');
  return "status " + std::to_string(status) + (words.empty() ? "" : ": " + words);
}

std::string explain_close(const quic::CloseReason& reason, const SocketAddress& server) {
  using Kind = quic::CloseReason::Kind;
  switch (reason.kind) {
    case Kind::kNoAnswer: return explain_silence(server);
    case Kind::kUntrusted:
      return "the server at " + server.to_string() + " is not trusted: " + reason.text +
             "; for a self-signed certificate set tls_fingerprint to the value that the server "
             "prints at its start";
    default: return reason.text;
  }
}

}  // namespace

std::string explain_silence(const SocketAddress& server) {
  return "no answer from " + server.to_string() +
         ": is the server running, and is this UDP port open in every firewall on the way?";
}

Connector::Connector(const Options& options, const quic::TlsClientContext& tls,
                     ConnectorEvents& events, Random& random)
    : options_(options), tls_(tls), events_(events), random_(random) {}

void Connector::connect(tunnel::Tunnel& tunnel, const UdpPath& path, Timestamp now) {
  state_ = State::kConnecting;
  server_ = path.remote;
  tunnel.connect(tls_, options_.server_name, path, now);
}

void Connector::on_settings(tunnel::Tunnel& tunnel, quic::Connection& connection) {
  if (state_ != State::kConnecting) return;
  if (!connection.accepts_datagrams()) {
    return give_up(tunnel, connection,
                   {Ending::Kind::kUnreachable,
                    "not a QDT server: " + server_.to_string() + " takes no HTTP/3 datagrams"});
  }
  nonce_ = random_.bytes<wire::kHandshakeNonceBytes>();
  const std::string body = wire::to_json(wire::ConnectRequest{.client_nonce = nonce_,
                                                              .mtu = options_.mtu,
                                                              .caps = options_.caps,
                                                              .client_id = options_.client_id,
                                                              .platform = options_.platform});
  const auto name = IpAddress::parse(options_.server_name);
  const bool needs_brackets = name && name->is_v6();
  const quic::Request request{
      .method = "POST",
      .authority = needs_brackets ? "[" + options_.server_name + "]" : options_.server_name,
      .path = std::string(wire::kConnectPath),
      .headers = {{std::string(wire::kTokenHeader), options_.token},
                  {"content-type", "application/json"},
                  {"content-length", std::to_string(body.size())}},
      .body = body};
  if (!tunnel.request(connection, request)) {
    return give_up(tunnel, connection,
                   {Ending::Kind::kUnreachable, "the server allows no request"});
  }
  state_ = State::kAsking;
}

void Connector::on_message(tunnel::Tunnel& tunnel, quic::Connection& connection,
                           quic::StreamId stream, const quic::Message& message) {
  if (state_ == State::kConnected && message.has_ended) {
    // The end of the stream is the end of the session.
    if (tunnel::Session* session = tunnel::Tunnel::session_of(connection)) {
      tunnel.close_session(*session, tunnel::SessionEnd::kDone, tunnel.now());
    }
    return;
  }
  if (state_ != State::kAsking) return;
  if (message.status != 200) {
    if (!message.has_ended) return;  // the words are still on their way
    return give_up(tunnel, connection,
                   {Ending::Kind::kRefused, explain_refusal(message.status, message.body)});
  }

  const bool is_whole =
      message.has_ended || message.is_too_long || wire::is_complete_json(message.body);
  if (!is_whole) return;
  const auto response = wire::parse_connect_response(message.body, options_.caps);
  if (!response) {
    return give_up(tunnel, connection, {Ending::Kind::kUnreachable, response.error().message});
  }
  open(tunnel, connection, stream, *response);
}

void Connector::open(tunnel::Tunnel& tunnel, quic::Connection& connection, quic::StreamId stream,
                     const wire::ConnectResponse& response) {
  tunnel.open_session({.role = quic::Role::kClient,
                       .id = response.session_id,
                       .keys = wire::derive_session_keys(
                           options_.token, nonce_, response.server_nonce, response.caps.aead()),
                       .lease = response.client_ip,
                       .mtu = std::min(response.mtu, options_.mtu),
                       .caps = response.caps,
                       .rate_limit = {},
                       .send_queue = options_.send_queue,
                       .max_reassembly_bytes = options_.max_reassembly_bytes,
                       .client_id = options_.client_id},
                      connection, stream, tunnel.now());
  state_ = State::kConnected;
  events_.on_connected(response);
}

void Connector::on_stream_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                                 quic::StreamId) {
  if (state_ != State::kAsking) return;
  give_up(tunnel, connection,
          {Ending::Kind::kUnreachable, "the server ended the request without an answer"});
}

void Connector::on_session_closed(tunnel::Tunnel&, tunnel::Session&, tunnel::SessionEnd,
                                  const std::string& detail) {
  end({Ending::Kind::kLost, detail.empty() ? "the session ended" : detail});
}

void Connector::on_connection_closed(tunnel::Tunnel&, quic::Connection&,
                                     const quic::CloseReason& reason) {
  end({Ending::Kind::kUnreachable, explain_close(reason, server_)});
}

void Connector::give_up(tunnel::Tunnel& tunnel, quic::Connection& connection,
                        const Ending& ending) {
  end(ending);
  connection.close("", tunnel.now());
}

void Connector::end(const Ending& ending) {
  if (std::exchange(state_, State::kIdle) == State::kIdle) return;
  events_.on_ended(ending);
}

}  // namespace qdt::client
