#include "client/enrolment.h"

#include <utility>
#include <variant>

#include "client/answer_words.h"

namespace qdt::client {

Enrolment::Enrolment(Options options, const quic::TlsClientContext& tls, Random& random)
    : options_(std::move(options)),
      tls_(tls),
      random_(random),
      ticket_{.seed = wire::derive_ticket_seed(std::get<wire::TicketSecret>(options_.link.secret)),
              .server_keys = options_.link.server_keys,
              .psk = {}} {}

void Enrolment::begin(tunnel::Tunnel& tunnel, const UdpPath& path, Timestamp now) {
  ending_.reset();
  stream_.reset();
  tunnel.connect(tls_, wire::bare_host(options_.link.server), path, now);
}

void Enrolment::on_settings(tunnel::Tunnel& tunnel, quic::Connection& connection) {
  if (stream_) return;
  if (!connection.peer_takes_extended_connect()) {
    return end(tunnel, connection,
               {Ending::Kind::kUnreachable, "the server is too old for links, or no QDT server",
                /*is_lasting=*/true});
  }
  asked_ = {.nonce = random_.bytes<wire::kHandshakeNonceBytes>(),
            .mtu = wire::kDefaultMtu,
            .name = options_.name,
            .platform = options_.platform,
            .enrol = options_.device};
  stream_ = connection.request(version2_request(
      ticket_, options_.link.server, options_.path_template, connection.exporter(), asked_));
  if (!stream_) end(tunnel, connection, unreachable("the server allows no request"));
}

void Enrolment::on_message(tunnel::Tunnel& tunnel, quic::Connection& connection,
                           quic::StreamId stream, const quic::Message& message) {
  if (stream != stream_ || is_done_ || ending_) return;
  if (message.status == 200) {
    take_answer(connection, message);
  } else if (message.has_ended || message.body.size() > kMaxRefusalBytes) {
    ending_ = explain_refusal(message, Shown::kLink);
  } else {
    return;  // the words are still on their way
  }
  connection.close("", tunnel.now());
}

void Enrolment::take_answer(const quic::Connection& connection, const quic::Message& message) {
  const auto answer =
      believe(message.joined(wire::kSessionFieldName), ticket_, connection.exporter(), asked_);
  is_done_ = answer.has_value();
  if (is_done_) return;
  // A web site has a page there.
  if (!message.joined(wire::kSessionFieldName)) {
    ending_ = not_admitted(message.status, Shown::kLink);
    return;
  }
  ending_ = {Ending::Kind::kUnreachable,
             "not trusted: the server, or somebody before it, is not that of the link: " +
                 answer.error().message,
             /*is_lasting=*/true};
}

void Enrolment::on_stream_closed(tunnel::Tunnel& tunnel, quic::Connection& connection,
                                 quic::StreamId stream) {
  if (stream != stream_ || is_done_ || ending_) return;
  end(tunnel, connection, unreachable("the server ended the request without an answer"));
}

void Enrolment::on_connection_closed(tunnel::Tunnel&, quic::Connection& connection,
                                     const quic::CloseReason& reason) {
  if (is_done_ || ending_) return;
  ending_ = explain_close(reason, connection.home_path().remote);
}

void Enrolment::end(tunnel::Tunnel& tunnel, quic::Connection& connection, Ending ending) {
  ending_ = std::move(ending);
  connection.close("", tunnel.now());
}

}  // namespace qdt::client
