// qdt-hostile-server: a server that says what it is told to. It is made of the product's own QUIC,
// so that a client believes it as far as the answer to POST /connect, which is the content of a
// file.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string>

#include "base/drop.h"
#include "base/logger.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/poller.h"
#include "os/process.h"
#include "os/system_random.h"
#include "os/udp_socket.h"
#include "quic/endpoint.h"

namespace {

using namespace qdt;

class PrintingLogger final : public Logger {
  void write(LogLevel, std::string_view message) override { std::cerr << message << '\n'; }
};

class HostileServer final : private quic::ConnectionEvents {
 public:
  HostileServer(std::string body_file, const quic::TlsServerContext& tls, os::UdpSocket socket)
      : body_file_(std::move(body_file)),
        socket_(std::move(socket)),
        endpoint_(endpoint_options(), &tls, *this, random_, drops_) {}

  void serve(os::Poller& poller, os::StopSignal& stop) {
    if (!poller.add(socket_.poll_handle(), 0) || !poller.add(stop.poll_handle(), 1)) return;
    std::cout << "ready" << std::endl;
    while (!stop.take()) {
      poller.wait(endpoint_.next_timeout(), os::now());
      socket_.receive(received_);
      for (const UdpBurst& burst : received_.bursts()) {
        for_each_payload(burst, [&](Bytes payload) {
          endpoint_.receive(burst.path, burst.ecn, payload, out_, os::now());
        });
      }
      endpoint_.handle_timeouts(os::now());
      while (!endpoint_.write(out_, os::now())) socket_.send(out_);
      socket_.send(out_);
    }
  }

 private:
  static quic::Endpoint::Options endpoint_options() {
    quic::Endpoint::Options options;
    options.half_open_before_retry = 1000;
    return options;
  }

  void on_settings(quic::Connection&) override {}
  void on_message(quic::Connection& connection, quic::StreamId stream,
                  const quic::Message& message) override {
    if (!message.has_ended && message.body.find('}') == std::string::npos) return;
    std::string body = os::read_file(body_file_).value_or("");
    int status = 200;
    if (body.starts_with("status ")) {  // status 404, and the body from the next line on
      status = std::stoi(body.substr(7, 3));
      body.erase(0, std::min(body.find('\n'), body.size() - 1) + 1);
    }
    connection.respond(stream, {.status = status,
                                .headers = {{"content-type", "application/json"}},
                                .body = body,
                                .keeps_stream_open = true});
  }
  void on_stream_closed(quic::Connection&, quic::StreamId) override {}
  void on_closed(quic::Connection&, const quic::CloseReason&) override {}

  std::string body_file_;
  os::UdpSocket socket_;
  os::SystemRandom random_;
  DropCounters drops_;
  os::UdpReceiveBatch received_;
  UdpSendQueue out_{256};
  quic::Endpoint endpoint_;
};

int fail_with(const std::string& message) {
  std::cerr << "qdt-hostile-server: " << message << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string certificate;
  std::string key;
  std::string body;
  CLI::App app(
      "Answers every request on UDP port 443 with what is in a file at that time, and with 200 or "
      "what its first line says, as in: status 404");
  app.add_option("certificate", certificate)->required();
  app.add_option("key", key)->required();
  app.add_option("body", body, "the file")->required();
  CLI11_PARSE(app, argc, argv);

  auto stop = os::StopSignal::open();
  auto poller = os::Poller::open();
  const auto tls = quic::TlsServerContext::from_pem(os::read_file(certificate).value_or(""),
                                                    os::read_file(key).value_or(""));
  PrintingLogger logger;
  auto socket = os::UdpSocket::open({.local = {*IpAddress::parse("::"), 443}}, logger);
  if (!stop || !poller) return fail_with("no signals or no poller");
  if (!tls) return fail_with(tls.error().message);
  if (!socket) return fail_with(socket.error().message);
  HostileServer server(body, *tls, std::move(*socket));
  server.serve(*poller, *stop);
  return 0;
}
