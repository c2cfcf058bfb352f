#include "os/linux/tun_programs.h"

#include <fcntl.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "os/linux/system_error.h"
#include "os/tun_programs.h"

namespace qdt::os {
namespace {

// Names of the descriptors in the service manager's store, in the order of descriptors().
constexpr std::array kNames = {"qdt-counter", "qdt-counts", "qdt-chooser", "qdt-choice"};

// Behind those that a process counts on (standard streams, the link to its host process).
constexpr int kOutOfTheWay = 64;

constexpr const char* kHandOver = "hand programs of the TUN device to the service manager";

struct FreeNames {
  void operator()(char** names) const {
    for (char** name = names; *name != nullptr; ++name) std::free(*name);
    std::free(static_cast<void*>(names));
  }
};

// The environment may name descriptors that nobody has handed over: by then the process has others
// of its own with these numbers.
bool is_of_bpf(int descriptor) {
  constexpr std::string_view kKind = "anon_inode:bpf-";
  std::array<char, kKind.size()> kind;
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t length = ::readlink(link.c_str(), kind.data(), kind.size());
  return length > 0 && std::string_view(kind.data(), static_cast<std::size_t>(length)) == kKind;
}

Result<void> tell(const std::string& message, std::span<const int> descriptors) {
  const int told =
      ::sd_pid_notify_with_fds(0, /*unset_environment=*/0, message.c_str(), descriptors.data(),
                               static_cast<unsigned>(descriptors.size()));
  if (told < 0) return os_error(kHandOver, -told);
  if (told == 0) return fail(std::string(kHandOver) + ": there is none");
  return {};
}

}  // namespace

Result<TunPrograms> TunPrograms::load() {
  auto counter = load_arrival_counter(kMaxQueues);
  if (!counter) return fail(counter);
  auto chooser = load_queue_chooser();
  if (!chooser) return fail(chooser);
  return TunPrograms{.counter = std::move(*counter), .chooser = std::move(*chooser)};
}

std::shared_ptr<TunPrograms> TunPrograms::take_inherited() {
  char** raw_names = nullptr;
  const int count = ::sd_listen_fds_with_names(/*unset_environment=*/1, &raw_names);
  if (count <= 0) return nullptr;
  const std::unique_ptr<char*, FreeNames> names(raw_names);
  auto taken = std::make_shared<TunPrograms>();
  for (int i = 0; i < count; ++i) {
    if (!is_of_bpf(SD_LISTEN_FDS_START + i)) continue;
    const UniqueFd given(SD_LISTEN_FDS_START + i);
    for (std::size_t place = 0; place < kNames.size(); ++place) {
      if (std::string_view(raw_names[i]) != kNames[place]) continue;
      taken->descriptors()[place]->reset(::fcntl(given.get(), F_DUPFD_CLOEXEC, kOutOfTheWay));
    }
  }
  for (const UniqueFd* const descriptor : taken->descriptors()) {
    if (!descriptor->is_open()) return nullptr;
  }
  return taken;
}

bool has_tun_programs() {
  return true;
}

// The manager is told to poll none of them: an array of a program's always polls as if it had an
// error, and would be thrown away.
Result<void> hand_over_tun_programs() {
  constexpr std::uint64_t kPatienceMicroseconds = 5'000'000;
  auto programs = TunPrograms::load();
  if (!programs) return fail(programs);
  for (std::size_t place = 0; place < kNames.size(); ++place) {
    const std::string name = std::string("FDNAME=") + kNames[place];
    if (auto ok = tell("FDSTOREREMOVE=1\n" + name, {}); !ok) return ok;
    const std::array descriptors = {programs->descriptors()[place]->get()};
    if (auto ok = tell("FDSTORE=1\nFDPOLL=0\n" + name, descriptors); !ok) return ok;
  }
  // It looks up whose process this is, which has to be there for it.
  const int heard = ::sd_notify_barrier(/*unset_environment=*/0, kPatienceMicroseconds);
  if (heard < 0) return os_error(kHandOver, -heard);
  return {};
}

}  // namespace qdt::os
