#include "profile_command.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <variant>

#include "base/ascii.h"
#include "client/enrol.h"
#include "client/events.h"
#include "client_control.h"
#include "key_file.h"
#include "ops/log.h"
#include "os/file.h"
#include "os/process.h"
#include "os/service.h"
#include "os/system_random.h"
#include "os/unit.h"
#include "profiles.h"
#include "quic/tls.h"
#include "wire/key_text.h"

namespace qdt::apps {
namespace {

using Verb = ProfileCommand::Verb;

std::string unit_of(const std::string& name) {
  return "qdt-client@" + name + ".service";
}

class Profiles {
 public:
  Profiles(std::string program, const ProfileCommand& command)
      : program_(std::move(program)), command_(command) {}

  int add();
  int list();
  int start();
  int stop();
  int remove();

 private:
  int fail_with(const std::string& message) const {
    print_error(program_, message);
    return 1;
  }
  std::string path() const { return profile_path(command_.folder, command_.name); }
  /// Whether there is one of this name; says so where there is none.
  bool is_there() const;
  Result<wire::Link> read_link() const;
  std::string how_to_connect() const {
    const bool is_unit =
        command_.folder == os::config_folder() && os::has_unit(unit_of(command_.name));
    return is_unit ? "up " + command_.name : "--config " + path();
  }
  int enrol(const wire::Link& link, const wire::TicketSecret& ticket);
  int publish(const wire::Link& link, const wire::Ed25519Seed& key, const char* what);
  Result<std::optional<client::Ending>> ask(const wire::Link& link,
                                            const wire::Ed25519Seed& key) const;

  std::string program_;
  ProfileCommand command_;
};

// The file of a ticket, whatever the connection is called: a key that the server may have heard of
// already, by an attempt whose answer was lost, or by one that is under way.
std::string pending_path(const std::string& folder, const wire::TicketSecret& ticket) {
  std::string id;
  const auto key = wire::Ed25519Key(wire::derive_ticket_seed(ticket)).public_key();
  append_hex(id, Bytes(key).first(8));
  return (std::filesystem::path(folder) / ("." + id + ".enrolling")).string();
}

// The ticket's key: made now, or by an earlier attempt, or by another that is under way.
Result<wire::Ed25519Seed> key_for(const std::string& pending) {
  os::SystemRandom random;
  const wire::Ed25519Seed made = random.bytes<wire::kEd25519KeyBytes>();
  const auto is_new = os::create_private_file(pending, wire::private_key_text(made) + "\n");
  if (is_new) return made;
  if (!os::file_exists(pending))
    return fail(is_new.error().message + "; --dir names another folder");
  return read_key_file(pending,
                       "somebody adds the same link now, or a crash left the file: then delete "
                       "it, and try again");
}

Result<wire::Link> Profiles::read_link() const {
  if (command_.link != "-") return wire::parse_link(command_.link);
  // A line: who pastes a link ends it by Enter.
  std::string text;
  for (char letter = 0; text.size() < wire::kMaxLinkBytes + 3 && std::cin.get(letter);) {
    if (letter == '\n') break;
    text += letter;
  }
  return wire::parse_link(text);
}

int Profiles::add() {
  auto link = read_link();
  if (!link) return fail_with(link.error().message);
  if (command_.name.empty()) command_.name = link->name;
  if (!wire::is_link_name(command_.name)) {
    return fail_with("--name " + command_.name +
                     ": a name has 1 to 32 letters, digits, . _ and -, a letter or digit first");
  }
  if (command_.name == "server") {
    return fail_with("server.yaml is the server's configuration: give another name with --name");
  }
  if (os::file_exists(path())) {
    return fail_with(path() + " is there already: add this one as another with --name, or take " +
                     "that one away with: " + program_ + " remove " + command_.name);
  }
  std::error_code error;
  if (std::filesystem::create_directories(command_.folder, error)) {
    std::filesystem::permissions(command_.folder, std::filesystem::perms::owner_all, error);
  }
  if (error)
    return fail_with("make " + command_.folder + ": " + error.message() +
                     "; --dir names another folder");
  if (const auto* key = std::get_if<wire::Ed25519Seed>(&link->secret)) {
    return publish(*link, *key, "added, at ");
  }
  return enrol(*link, std::get<wire::TicketSecret>(link->secret));
}

// The key is on disk before the server hears of it, so that nothing that happens in between leaves
// a device whose key nobody has.
int Profiles::enrol(const wire::Link& link, const wire::TicketSecret& ticket) {
  const std::string pending = pending_path(command_.folder, ticket);
  const auto key = key_for(pending);
  if (!key) return fail_with(key.error().message);
  const auto ending = ask(link, *key);
  if (!ending) return fail_with(ending.error().message);
  if (const auto& why = *ending) {
    const bool is_refused = why->kind == client::Ending::Kind::kRefused;
    // The server has not taken this key, and will not.
    if (is_refused && why->is_lasting) [[maybe_unused]]
      const auto gone = os::remove_file(pending);
    print_error(program_,
                why->text + (why->is_lasting ? "" : "\nthe link is good for another try"));
    return static_cast<int>(is_refused ? client::Exit::kRefused : client::Exit::kUnreachable);
  }
  const int code = publish(link, *key, "this device is enrolled at ");
  if (code == 0) {
    [[maybe_unused]] const auto gone = os::remove_file(pending);
  } else {
    print_error(program_, "this device is enrolled, and " + pending +
                              " has its key: add the same link again, with another --name");
  }
  return code;
}

// Nothing that is there is overwritten, whatever came while the server was asked.
int Profiles::publish(const wire::Link& link, const wire::Ed25519Seed& key, const char* what) {
  const auto others = find_profiles(command_.folder);
  if (!others) return fail_with(others.error().message);
  const std::string text = profile_text(link, key, free_tun_name(command_.name, *others));
  if (const auto ok = os::create_private_file(path(), text); !ok) {
    return fail_with(ok.error().message);
  }
  std::cout << command_.name << ": " << what << wire::write_authority(link.server)
            << "; its configuration is " << path() << "\nto connect:    " << program_ << ' '
            << how_to_connect() << '\n'
            << std::flush;
  return 0;
}

// Nothing: the server has written the key down.
Result<std::optional<client::Ending>> Profiles::ask(const wire::Link& link,
                                                    const wire::Ed25519Seed& key) const {
  auto stop = os::StopSignal::open();
  if (!stop) return fail(stop);
  const auto tls = quic::TlsClientContext::without_verification();  // the link has the server's key
  if (!tls) return fail(tls);
  os::SystemRandom random;
  const auto logger = ops::make_logger(LogLevel::kWarning, /*json=*/false);
  return client::enrol({.link = link,
                        .device = wire::Ed25519Key(key).public_key(),
                        .name = os::host_name(),
                        .platform = os::platform()},
                       *tls, random, *stop, *logger);
}

bool Profiles::is_there() const {
  if (wire::is_link_name(command_.name) && os::file_exists(path())) return true;
  print_error(program_, "there is no " + path() + "; " + program_ + " list shows what there is");
  return false;
}

int Profiles::list() {
  const auto profiles = find_profiles(command_.folder);
  if (!profiles) return fail_with(profiles.error().message);
  auto all = nlohmann::json::array();
  std::size_t width = 4;
  for (const Profile& one : *profiles) width = std::max(width, one.name.size());
  for (const Profile& one : *profiles) {
    const std::string server = one.config ? one.config->config.server_name() + ":" +
                                                std::to_string(one.config->config.server_port)
                                          : "";
    const std::string state =
        one.config ? client_state(one.config->config.tun_name) : "cannot be read";
    if (command_.as_json) {
      nlohmann::json entry = {
          {"name", one.name}, {"path", one.path}, {"server", server}, {"state", state}};
      if (!one.config) entry["fault"] = one.config.error().message;
      all.push_back(std::move(entry));
      continue;
    }
    std::cout << one.name << std::string(width - one.name.size() + 2, ' ') << state << "  "
              << (one.config ? server : one.config.error().message) << '\n';
  }
  if (command_.as_json) std::cout << all.dump() << '\n';
  if (profiles->empty() && !command_.as_json) {
    std::cout << "none in " << command_.folder << "; " << program_
              << " add LINK makes one of a link that qdt-server invite prints\n";
  }
  return 0;
}

int Profiles::start() {
  if (!is_there()) return 1;
  const auto ok = os::start_unit(unit_of(command_.name));
  return ok ? 0 : fail_with(ok.error().message + "; by hand: " + program_ + " --config " + path());
}

int Profiles::stop() {
  if (!is_there()) return 1;
  const auto ok = os::stop_unit(unit_of(command_.name));
  return ok ? 0 : fail_with(ok.error().message + "; by hand: " + program_ + " stop");
}

int Profiles::remove() {
  if (!is_there()) return 1;
  const auto config = ops::load_client_config(path());
  if (config && client_state(config->config.tun_name) != kNotRunning) {
    return fail_with(command_.name + " is in use; first: " + program_ + " down " + command_.name);
  }
  if (const auto ok = os::remove_file(path()); !ok) return fail_with(ok.error().message);
  std::cout << command_.name
            << ": removed, and its key with it. The server still knows the device until somebody "
               "there removes it (qdt-server device remove)\n"
            << std::flush;
  return 0;
}

}  // namespace

int control_profiles(const std::string& program, const ProfileCommand& command) {
  Profiles profiles(program, command);
  switch (command.verb) {
    case Verb::kAdd: return profiles.add();
    case Verb::kList: return profiles.list();
    case Verb::kUp: return profiles.start();
    case Verb::kDown: return profiles.stop();
    case Verb::kRemove: return profiles.remove();
  }
  return 1;
}

}  // namespace qdt::apps
