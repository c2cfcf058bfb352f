// qdt-probe: a client that misbehaves on request. It is made of the product's own QUIC and wire
// code, so that it is believed as far as it wants to be.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "probe/bad_payloads.h"
#include "probe/visit.h"

namespace {

using namespace qdt;

int fail_with(const std::string& message) {
  std::cerr << "qdt-probe: " << message << '\n';
  return 1;
}

// `spoofed-world:50`
std::vector<probe::Volley> volleys(const std::vector<std::string>& texts,
                                   bool (*is_kind)(std::string_view)) {
  std::vector<probe::Volley> volleys;
  for (const std::string& text : texts) {
    const std::string kind = text.substr(0, text.find(':'));
    const std::string count = kind.size() == text.size() ? "1" : text.substr(kind.size() + 1);
    if (!is_kind(kind)) throw CLI::ValidationError(kind, "no such kind; see --help");
    volleys.push_back({kind, std::stoul(count)});
  }
  return volleys;
}

Result<probe::VisitOptions> parse(int argc, char** argv, int& exit_code) {
  probe::VisitOptions options;
  std::string server, from, body;
  std::vector<std::string> headers, datagrams, payloads;
  double timeout_seconds = 5;

  CLI::App app(
      "Visits a QDT server as a client that misbehaves. Trusts any certificate. Prints the "
      "status and body of the answer; exit status 0 when it came.");
  app.add_option("server", server, "ADDRESS:PORT")->required();
  app.add_option("--bind", from, "address to come from");
  app.add_option("--method", options.method);
  app.add_option("--path", options.path);
  app.add_option("--token", options.token, "the last one counts")->take_last();
  app.add_option("--client-id", options.client_id);
  app.add_option("--reason", options.reason, "for the end of the connection");
  app.add_option("--header", headers, "NAME: VALUE, in lower case; may come more than once");
  auto* has_body = app.add_option("--body", body, "as it is, in place of a good one");
  app.add_option("--resume", options.resume_token, "a token to show, or an empty one to get one");
  app.add_flag("!--no-content-length", options.has_content_length);
  app.add_flag("!--no-datagrams", options.takes_datagrams, "declare that no datagram is taken");
  app.add_flag("--slow", options.is_slow, "pause before each payload");
  app.add_flag("--stay", options.stays, "keep the session until a signal comes");
  app.add_flag("--headers", options.shows_headers, "print the headers of the answer, too");
  app.add_option("--timeout", timeout_seconds, "seconds");
  app.add_option("--seed", options.seed);
  app.add_option("--send", datagrams, "KIND:COUNT datagrams once there is a session");
  app.add_option("--throw", payloads, "KIND:COUNT UDP payloads, without any handshake");
  app.footer("Kinds of datagrams:\n" + probe::BadDatagrams::kinds() + "Kinds of payloads:\n" +
             probe::bad_payload_kinds());
  try {
    app.parse(argc, argv);
    options.datagrams = volleys(datagrams, probe::BadDatagrams::is_kind);
    options.payloads = volleys(payloads, probe::is_bad_payload_kind);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error);
    return fail("");
  }

  const auto address = SocketAddress::parse(server);
  if (!address) return fail(address);
  options.server = *address;
  if (address->address.is_v6()) options.from = *IpAddress::parse("::");
  if (!from.empty()) {
    const auto local = IpAddress::parse(from);
    if (!local) return fail(local);
    options.from = *local;
  }
  for (const std::string& header : headers) {
    const std::size_t colon = std::min(header.find(": "), header.size());
    options.headers.emplace_back(header.substr(0, colon),
                                 header.substr(std::min(colon + 2, header.size())));
  }
  if (has_body->count() > 0) options.body = body;
  options.timeout = Duration(static_cast<std::int64_t>(timeout_seconds * 1e9));
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  int exit_code = 1;
  const auto options = parse(argc, argv, exit_code);
  if (!options)
    return options.error().message.empty() ? exit_code : fail_with(options.error().message);

  auto host = probe::Host::open({.local = {options->from, 0}, .remote = options->server});
  const auto tls = quic::TlsClientContext::without_verification();
  if (!host) return fail_with(host.error().message);
  if (!tls) return fail_with(tls.error().message);

  probe::Visit visit(*options, *tls, std::move(*host));
  if (options->payloads.empty()) return visit.run() ? 0 : 1;
  visit.throw_payloads();
  return 0;
}
