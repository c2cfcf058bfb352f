#include "probe/visit.h"

#include <algorithm>
#include <iostream>
#include <iterator>
#include <thread>

#include "os/clock.h"
#include "probe/bad_payloads.h"

namespace qdt::probe {
namespace {

const wire::Capabilities kCapabilities = wire::Capabilities::supported();
constexpr Duration kSlowPause = 10ms;
constexpr Duration kThrowPause = 20us;  // so that the server's socket buffer never overflows

quic::Endpoint::Options endpoint_options(const VisitOptions& options) {
  quic::Endpoint::Options endpoint;
  endpoint.connection.keep_alive = 10s;
  endpoint.connection.handshake_timeout = options.timeout;
  if (!options.takes_datagrams) endpoint.connection.max_datagram_frame_bytes = 0;
  return endpoint;
}

}  // namespace

Visit::Visit(const VisitOptions& options, const quic::TlsClientContext& tls, Host host)
    : options_(options),
      tls_(tls),
      seeded_random_(options.seed),
      end_(std::move(host), endpoint_options(options), nullptr, *this),
      nonce_(end_.random().bytes<wire::kHandshakeNonceBytes>()) {}

bool Visit::run() {
  const UdpPath path{.local = end_.local_address(), .remote = options_.server};
  connection_ =
      &end_.endpoint().connect(tls_, options_.server.address.to_string(), path, os::now());

  if (!run_until([&] { return has_answer_; }, os::now() + options_.timeout)) return false;
  const bool is_done = !maker_ || send_volleys();
  if (is_done && options_.stays && maker_) run_until([] { return false; }, kNever);

  if (connection_ != nullptr) connection_->close(options_.reason, os::now());
  end_.endpoint().close_all("", os::now());
  write();
  return is_done;
}

// Drives the connection. False when it ended, or time did, before `done()`.
template <typename Done>
bool Visit::run_until(Done&& done, Timestamp deadline) {
  while (!done()) {
    write();
    if (connection_ == nullptr || os::now() >= deadline || !end_.wait(deadline)) return false;
  }
  return true;
}

void Visit::write() {
  while (connection_ != nullptr && !datagrams_.empty()) {
    const Bytes datagram = datagrams_.front();
    const auto status = connection_->send_datagrams({&datagram, 1}, end_.out(), os::now()).status;
    if (status == quic::Connection::SendStatus::kFull) {
      send_payloads();
      continue;
    }
    if (status != quic::Connection::SendStatus::kSent) break;
    datagrams_.pop_front();
  }
  while (!end_.endpoint().write(end_.out(), os::now())) send_payloads();
  send_payloads();
}

void Visit::send_payloads() {
  if (!options_.is_slow) {
    end_.send(end_.out());
    return;
  }
  for (const UdpBurst& burst : end_.out().bursts()) {
    for_each_payload(burst, [&](Bytes payload) {
      std::this_thread::sleep_for(kSlowPause);
      send_one(payload);
    });
  }
  end_.out().clear();
}

void Visit::send_one(Bytes payload) {
  UdpSendQueue one(1);
  append(one.next_payload(), payload);
  one.push({.local = end_.local_address(), .remote = options_.server}, Ecn::kNotEct,
           payload.size());
  end_.send(one);
}

wire::Capabilities Visit::capabilities() const {
  wire::Capabilities capabilities = kCapabilities;
  capabilities.resume = options_.resume_token.has_value();
  return capabilities;
}

void Visit::on_settings(quic::Connection& connection) {
  const std::string body = options_.body.value_or(
      wire::to_json(wire::ConnectRequest{.client_nonce = nonce_,
                                         .caps = capabilities(),
                                         .client_id = options_.client_id,
                                         .platform = "probe",
                                         .resume_token = options_.resume_token.value_or("")}));
  quic::HeaderFields headers = options_.headers;
  if (!options_.token.empty()) headers.emplace_back(wire::kTokenHeader, options_.token);
  if (options_.has_content_length) {
    headers.emplace_back("content-length", std::to_string(body.size()));
  }
  connection.request({.method = options_.method,
                      .authority = "probe",
                      .path = options_.path,
                      .headers = headers,
                      .body = body});
}

void Visit::on_message(quic::Connection&, quic::StreamId stream, const quic::Message& message) {
  if (has_answer_) return;
  // An answer that is no JSON object is a page.
  const bool opens_session =
      message.status == 200 && message.body.starts_with('{') && answer_end_.has_come(message.body);
  if (!message.has_ended && !opens_session) return;
  has_answer_ = true;
  std::cout << message.status << ' ';
  if (options_.shows_headers) {
    std::cout << '\n';
    for (const auto& [name, value] : message.headers) std::cout << name << ": " << value << '\n';
    std::cout << '\n';
  }
  std::cout << message.body << std::endl;
  if (opens_session) open_session(stream, message.body);
}

void Visit::open_session(quic::StreamId stream, std::string_view body) {
  const auto response = wire::parse_connect_response(body, capabilities());
  if (!response) {
    std::cout << "not an answer that a client understands: " << response.error().message << '\n';
    return;
  }
  const wire::SessionKeys keys = wire::derive_session_keys(
      options_.token, nonce_, response->server_nonce, response->caps.aead());
  maker_.emplace(*response, keys.client, seeded_random_);
  opener_.emplace(response->session_id, keys.server);
  connection_->set_datagram_sink(stream,
                                 {[](void* context, Bytes datagram) {
                                    static_cast<Visit*>(context)->receive_datagram(datagram);
                                  },
                                  this});
}

bool Visit::send_volleys() {
  for (const Volley& volley : options_.datagrams) {
    std::ranges::move(maker_->make(volley.kind, volley.count), std::back_inserter(datagrams_));
  }
  datagrams_.push_back(maker_->last_ping());
  if (!run_until([&] { return has_pong_; }, os::now() + options_.timeout)) {
    std::cout << "no answer to the Ping: the session is dead" << std::endl;
    return false;
  }
  std::cout << "pong" << std::endl;
  return true;
}

void Visit::receive_datagram(Bytes datagram) {
  std::array<std::uint8_t, UdpSendQueue::kMaxPayloadBytes> plaintext;
  const auto opened = opener_->open(datagram, plaintext);
  // Good datagrams that a volley needs are Pings too: only the last one counts.
  has_pong_ |= opened && opened->type == wire::DatagramType::kPong && datagrams_.empty();
}

void Visit::on_closed(quic::Connection&, const quic::CloseReason& reason) {
  connection_ = nullptr;
  if (!has_answer_) std::cout << "no answer: " << reason.text << std::endl;
}

void Visit::throw_payloads() {
  const UdpPath path{.local = end_.local_address(), .remote = options_.server};
  end_.endpoint().connect(tls_, options_.server.address.to_string(), path, os::now());
  if (!end_.endpoint().write(end_.out(), os::now())) return;
  const UdpBurst& burst = end_.out().bursts().front();
  const Bytes first = Bytes(burst.bytes).first(burst.segment_bytes);
  const Payload initial(first.begin(), first.end());
  for (const Volley& volley : options_.payloads) {
    for (const Payload& payload :
         bad_payloads(volley.kind, volley.count, initial, seeded_random_)) {
      send_one(payload);
      std::this_thread::sleep_for(kThrowPause);
    }
  }
}

}  // namespace qdt::probe
