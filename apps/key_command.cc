#include "key_command.h"

#include <iostream>
#include <string>

#include "os/file.h"
#include "os/process.h"
#include "os/system_random.h"
#include "wire/ed25519.h"
#include "wire/key_text.h"

namespace qdt::apps {

int make_key(const std::string& program, const KeyCommand& command) {
  os::SystemRandom random;
  const wire::Ed25519Seed seed = random.bytes<wire::kEd25519KeyBytes>();
  const std::string psk =
      command.has_psk ? wire::psk_text(random.bytes<wire::kEd25519KeyBytes>()) : "";
  const std::string private_text = wire::private_key_text(seed);
  if (!command.file.empty()) {
    const auto made = os::create_private_file(
        command.file, "# The key of this device, made by qdt-client key. To be kept secret.\n" +
                          private_text + "\n");
    if (!made) {
      print_error(program, made.error().message);
      return 1;
    }
  }
  std::cout << "# In client.yaml, in place of token; nobody else is to see it:\n"
            << (command.file.empty() ? "key: \"" + private_text + "\""
                                     : "key_file: \"" + command.file + "\"")
            << '\n';
  if (!psk.empty()) std::cout << "psk: \"" << psk << "\"\n";
  std::cout
      << "# And the server's key, from the line \"server key\" of its log:\n"
      << "#server_key: \"ed25519:...\"\n\n"
      << "# In server.yaml, where devices has a line for each; then qdt-server reload. Or, for a "
         "user of\n# the server, there: qdt-server device add USER DEVICE --key KEY\n"
      << "devices:\n  - {name: \"" << os::host_name() << "\", key: \""
      << wire::public_key_text(wire::Ed25519Key(seed).public_key()) << '"';
  if (!psk.empty()) std::cout << ", psk: \"" << psk << '"';
  std::cout << "}\n" << std::flush;
  if (std::cout) return 0;
  print_error(program, "write to standard output: it takes no more");
  return 1;
}

}  // namespace qdt::apps
