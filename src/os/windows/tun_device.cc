#include "os/tun_device.h"

#include <array>
#include <cstring>

#include "os/windows/packet_checksum.h"
#include "os/windows/poll_handle.h"
#include "os/windows/program_folder.h"
#include "os/windows/system_error.h"
#include "os/windows/wide.h"
#include "os/windows/wintun.h"

namespace qdt::os {
namespace {

// Each way; room for a hundred of the largest packets. A power of two up to 64 MiB.
constexpr DWORD kRingBytes = 8 << 20;

// Wintun calls back without a context, on the thread that called it.
thread_local Logger* the_logger = nullptr;

void CALLBACK on_log(WintunFunctions::LogLevel level, DWORD64 /*timestamp*/,
                     const wchar_t* message) {
  if (the_logger == nullptr) return;
  const std::string text = "Wintun: " + to_utf8(message);
  switch (level) {
    case WintunFunctions::LogLevel::kInfo: the_logger->debug(text); break;
    case WintunFunctions::LogLevel::kWarning: the_logger->warning(text); break;
    case WintunFunctions::LogLevel::kError: the_logger->error(text); break;
  }
}

/// Logs what Wintun does while the object lives.
class LoggedCalls {
 public:
  explicit LoggedCalls(Logger& logger) { the_logger = &logger; }
  ~LoggedCalls() { the_logger = nullptr; }
  LoggedCalls(const LoggedCalls&) = delete;
  LoggedCalls& operator=(const LoggedCalls&) = delete;
};

// The same for the same name, so that Windows knows the adapter again, and with it what the user
// has said of its network.
GUID guid_of(const std::string& name) {
  std::array<std::uint64_t, 2> words = {0x5144542d54554e2d, 0x6269744164617074};
  for (const char letter : name) {
    for (std::uint64_t& word : words) {
      word = (word ^ static_cast<std::uint8_t>(letter)) * 0x100000001b3;  // FNV-1a
    }
    words[1] += words[0];
  }
  GUID guid{};
  static_assert(sizeof guid == sizeof words);
  std::memcpy(&guid, words.data(), sizeof guid);
  return guid;
}

bool is_taken(const std::string& name) {
  NET_LUID luid{};
  return ::ConvertInterfaceAliasToLuid(to_wide(name).c_str(), &luid) == NO_ERROR;
}

std::unexpected<Error> taken(const std::string& name) {
  return fail("create TUN adapter " + name +
              ": a network interface of this name exists; stop the other program or choose another "
              "tun_name");
}

}  // namespace

struct TunQueue::State {
  std::unique_ptr<WintunLibrary> wintun;
  std::string name;
  Logger* logger = nullptr;
  WintunAdapter* adapter = nullptr;
  WintunSession* session = nullptr;
  HANDLE readable = nullptr;  // Wintun's
  TunOffloads offloads;
  std::uint8_t* lent = nullptr;  // the packet that the latest read() gave
  bool has_gone = false;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (lent != nullptr) (*wintun)->release_receive_packet(session, lent);
    if (session != nullptr) (*wintun)->end_session(session);
    if (adapter != nullptr) (*wintun)->close_adapter(adapter);
  }

  Result<void> create();
  std::uint8_t* receive(DWORD& bytes);
  bool write(const GatheredPacket& packet);
};

Result<void> TunQueue::State::create() {
  const LoggedCalls logged(*logger);
  (*wintun)->set_logger(on_log);
  if (is_taken(name)) return taken(name);
  const GUID guid = guid_of(name);
  adapter = (*wintun)->create_adapter(to_wide(name).c_str(), L"QDT", &guid);
  if (adapter == nullptr) return windows_error("create TUN adapter " + name);
  const DWORD version = (*wintun)->get_running_driver_version();
  logger->debug("Wintun's driver has version " + std::to_string(HIWORD(version)) + "." +
                std::to_string(LOWORD(version)));

  // Where another took the name meanwhile, Wintun has chosen one like it.
  NET_LUID luid{};
  (*wintun)->get_adapter_luid(adapter, &luid);
  std::array<wchar_t, IF_MAX_STRING_SIZE + 1> alias{};
  const bool has_alias =
      ::ConvertInterfaceLuidToAlias(&luid, alias.data(), alias.size()) == NO_ERROR;
  if (has_alias && to_utf8(alias.data()) != name) return taken(name);

  session = (*wintun)->start_session(adapter, kRingBytes);
  if (session == nullptr) return windows_error("start a session of TUN adapter " + name);
  readable = (*wintun)->get_read_wait_event(session);
  return {};
}

TunQueue::TunQueue(std::unique_ptr<State> state) : state_(std::move(state)) {}
TunQueue::TunQueue(TunQueue&&) noexcept = default;
TunQueue& TunQueue::operator=(TunQueue&&) noexcept = default;
TunQueue::~TunQueue() = default;

PollHandle TunQueue::poll_handle() const {
  return to_poll_handle(state_->readable, PollKind::kAutoReset);
}

bool TunQueue::has_gone() const {
  return state_->has_gone;
}

TunOffloads TunQueue::offloads() const {
  return state_->offloads;
}

// Null when none waits; then the event is not set until one comes.
std::uint8_t* TunQueue::State::receive(DWORD& bytes) {
  std::uint8_t* packet = (*wintun)->receive_packet(session, &bytes);
  if (packet != nullptr) return packet;
  const DWORD error = ::GetLastError();
  ::ResetEvent(readable);
  if (error == ERROR_NO_MORE_ITEMS) {
    // One that came before the reset has set nothing that is left.
    packet = (*wintun)->receive_packet(session, &bytes);
    if (packet != nullptr) ::SetEvent(readable);
    return packet;
  }
  if (!std::exchange(has_gone, true)) {
    logger->error("TUN adapter " + name + " has gone: " + windows_text(error) +
                  "; start the client again");
  }
  return nullptr;
}

bool TunQueue::read(SuperPacket& packet) {
  State& state = *state_;
  if (state.lent != nullptr) (*state.wintun)->release_receive_packet(state.session, state.lent);
  DWORD bytes = 0;
  state.lent = state.receive(bytes);
  if (state.lent == nullptr) return false;
  packet = {.bytes = {state.lent, bytes}, .offload = {}};
  return true;
}

// Wintun has its ring to itself.
std::size_t TunQueue::waiting_bytes() const {
  return 0;
}

bool TunQueue::State::write(const GatheredPacket& packet) {
  std::size_t bytes = packet.first.size();
  for (const Bytes payload : packet.payloads) bytes += payload.size();
  std::uint8_t* const slot = (*wintun)->allocate_send_packet(session, static_cast<DWORD>(bytes));
  if (slot == nullptr) return false;  // the ring is full, or the adapter has gone
  MutableBytes rest = append({slot, bytes}, packet.first);
  for (const Bytes payload : packet.payloads) rest = append(rest, payload);
  // Wintun takes no work left to be done: a joined packet is one of up to 64 KiB for Windows.
  if (packet.offload.needs_checksum) finish_checksum({slot, bytes}, packet.offload);
  (*wintun)->send_packet(session, slot);
  return true;
}

std::size_t TunQueue::write(std::span<const GatheredPacket> packets) {
  std::size_t refused = 0;
  for (const GatheredPacket& packet : packets) {
    if (!state_->write(packet)) refused += packet.packet_count();
  }
  return refused;
}

Result<TunDevice> TunDevice::open(const Options& options, Logger& logger) {
  if (options.queues != 1) {
    return fail("create TUN adapter " + options.name + ": on Windows it has one queue");
  }
  auto wintun = WintunLibrary::load(program_folder());
  if (!wintun) return fail(wintun);
  auto state = std::make_unique<TunQueue::State>();
  state->wintun = std::move(*wintun);
  state->name = options.name;
  state->logger = &logger;
  // Windows takes TCP segments of up to 64 KiB as they are; joined UDP datagrams would stay joined.
  state->offloads = {.has_tcp = options.use_offloads, .has_udp = false};
  if (auto ok = state->create(); !ok) return fail(ok);

  TunDevice device{.name = options.name, .queues = {}};
  device.queues.push_back(TunQueue(std::move(state)));
  return device;
}

}  // namespace qdt::os
