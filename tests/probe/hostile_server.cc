// qdt-hostile-server: a server that says what it is told to. It is made of the product's own QUIC,
// so that a client believes it as far as the answer to POST /connect, which is the content of a
// file.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string>

#include "os/file.h"
#include "probe/quic_end.h"

namespace {

using namespace qdt;

class HostileServer final : private quic::ConnectionEvents {
 public:
  HostileServer(std::string body_file, const quic::TlsServerContext& tls, probe::Host host)
      : body_file_(std::move(body_file)), end_(std::move(host), endpoint_options(), &tls, *this) {}

  void serve() {
    std::cout << "ready" << std::endl;
    while (end_.wait(kNever)) end_.write();
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
  probe::QuicEnd end_;
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

  const auto tls = quic::TlsServerContext::from_pem(os::read_file(certificate).value_or(""),
                                                    os::read_file(key).value_or(""));
  auto host = probe::Host::open({.local = {*IpAddress::parse("::"), 443}});
  if (!tls) return fail_with(tls.error().message);
  if (!host) return fail_with(host.error().message);
  HostileServer(body, *tls, std::move(*host)).serve();
  return 0;
}
