#include "invite_command.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "client_config.h"
#include "command_line.h"
#include "ops/config.h"
#include "ops/qr_code.h"
#include "os/file.h"
#include "os/process.h"
#include "os/system_random.h"
#include "server/identity_file.h"
#include "state_path.h"
#include "wire/base64.h"
#include "wire/key_text.h"
#include "wire/link.h"
#include "wire/request_target.h"

namespace qdt::apps {
namespace {

using Json = nlohmann::ordered_json;
using Verb = UserCommand::Verb;

Result<Json> parse(const Result<std::string>& answer) {
  if (!answer) return fail(answer);
  Json json = Json::parse(*answer, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return fail("the answer is not one of a qdt-server of this version");
  return json;
}

// The key by which the server proves itself to those with a link.
Result<wire::Ed25519PublicKey> server_key(const std::string& config_path, const std::string& user) {
  const std::string path = identity_path(config_path);
  if (!os::file_exists(path)) {
    return fail(path + " is not there: start the server once, which makes it");
  }
  const auto seed = server::load_identity(path, user);
  if (!seed) return fail(seed);
  return wire::Ed25519Key(*seed).public_key();
}

// A link without its secret. What can be wrong is found before the server writes anything down.
Result<wire::Link> link_to(const UserCommand& command, const std::string& config_path) {
  const auto loaded = ops::load_server_config(config_path);
  if (!loaded) return fail(loaded);
  if (loaded->config.auth == Auth::kToken) {
    return fail("auth: token in " + config_path +
                ": links are for version 2 of the protocol; take that line out, and restart");
  }
  const auto reached = reached_at(loaded->config, command.address);
  if (!reached) return fail(reached);
  std::string host = reached->host;
  if (host.ends_with('.')) host.pop_back();  // a name's final dot means nothing here
  const auto key = server_key(config_path, loaded->config.user);
  if (!key) return fail(key);
  wire::Link link{.server = wire::authority_of(host, reached->port),
                  .name = command.user.substr(0, wire::kMaxLinkNameBytes),
                  .server_keys = {*key},
                  .secret = {}};
  std::ranges::replace(link.name, '@', '-');  // as file names have it
  if (!wire::parse_authority(wire::write_authority(link.server))) {
    return fail("--address: " + host + " is no name or address that a link can have");
  }
  return link;
}

// A link that the server knows, and words about it for a person and for a program.
struct Made {
  wire::Link link;
  std::string words;
  Json json;
};

Result<Made> make_ticket(const Ask& ask, const UserCommand& command, wire::Link link) {
  Json body = {{"user", command.user}};
  for (const auto& [key, text] : command.settings) body[key] = text;
  const auto json = parse(ask("POST", "/v1/invitations", body.dump()));
  if (!json) return fail(json);
  const auto secret = wire::decode_base64url(json->value("ticket", ""));
  wire::TicketSecret ticket;
  if (!secret || secret->size() != ticket.size()) return fail("the answer has no ticket");
  std::ranges::copy(*secret, ticket.begin());
  link.secret = ticket;
  const std::string expires = json->value("expires", "");
  std::string words = json->value("is_new", false) ? command.user + " is added. " : "";
  words +=
      "For one device of " + command.user + ", until " + expires + ". There: qdt-client add LINK\n";
  return Made{std::move(link), std::move(words), {{"user", command.user}, {"expires", expires}}};
}

// The user has to be there: who could not reach the server could not be told why it was refused.
Result<Made> make_device(const Ask& ask, const UserCommand& command, wire::Link link) {
  os::SystemRandom random;
  const wire::Ed25519Seed seed = random.bytes<wire::kEd25519KeyBytes>();
  const Json body = {{"user", command.user},
                     {"name", command.device},
                     {"key", wire::public_key_text(wire::Ed25519Key(seed).public_key())}};
  if (auto ok = parse(ask("POST", "/v1/devices", body.dump())); !ok) return fail(ok);
  link.secret = seed;
  return Made{std::move(link),
              "The device " + command.device + " of " + command.user +
                  " is added. The link is its key: whoever sees it can come in as that device. "
                  "There: qdt-client add LINK\n",
              {{"user", command.user}, {"device", command.device}}};
}

Result<void> write_new(const std::string& path, const std::string& content) {
  return path.empty() ? Result<void>() : os::create_private_file(path, content);
}

Result<void> write_codes(const UserCommand& command, const std::string& link) {
  if (!command.shows_qr && command.png.empty() && command.svg.empty()) return {};
  const auto code = ops::QrCode::of(link);
  if (!code) return fail(code);
  if (!command.png.empty()) {
    const auto png = code->to_png();
    if (!png) return fail(png);
    if (auto ok = write_new(command.png, *png); !ok) return ok;
  }
  if (auto ok = write_new(command.svg, code->to_svg()); !ok) return ok;
  if (command.shows_qr) std::cout << code->to_text(os::is_standard_output_a_terminal());
  return {};
}

Result<void> invite(const UserCommand& command, const std::string& config_path, const Ask& ask) {
  if (!command.device.empty() && !command.settings.empty()) {
    return fail(
        "--static and --expires do not go together: a static link is good for as long as its "
        "device is there");
  }
  for (const std::string& path : {command.png, command.svg}) {
    if (!path.empty() && os::file_exists(path)) return fail(path + " is there already");
  }
  auto link = link_to(command, config_path);
  if (!link) return fail(link);
  auto made = command.device.empty() ? make_ticket(ask, command, std::move(*link))
                                     : make_device(ask, command, std::move(*link));
  if (!made) return fail(made);
  const std::string text = wire::write_link(made->link);
  // The link exists now, and is told whatever becomes of its pictures.
  const auto written = write_codes(command, text);
  if (command.as_json) {
    made->json["link"] = text;
    std::cout << made->json.dump() << std::endl;
  } else {
    std::cerr << made->words;
    std::cout << text << std::endl;
  }
  if (!written) return written;
  return std::cout ? Result<void>() : fail("write to standard output: it takes no more");
}

Result<void> cancel(const UserCommand& command, const Ask& ask) {
  const auto json = parse(ask("DELETE", "/v1/invitations/" + command.user, ""));
  if (!json) return fail(json);
  if (command.as_json) {
    std::cout << json->dump() << std::endl;
  } else {
    std::cout << "links of " + command.user + " that let nobody in any more: "
              << json->value("cancelled", 0) << std::endl;
  }
  return {};
}

}  // namespace

int run_invite(const std::string& program, const UserCommand& command,
               const std::string& config_path, const Ask& ask) {
  const auto ok = command.verb == Verb::kCancelInvitations ? cancel(command, ask)
                                                           : invite(command, config_path, ask);
  if (!ok) print_error(program, ok.error().message);
  return ok ? 0 : 1;
}

}  // namespace qdt::apps
