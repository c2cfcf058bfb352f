#include "os/udp_socket.h"

#include <algorithm>
#include <array>
#include <utility>

#include "os/windows/poll_handle.h"
#include "os/windows/socket_address.h"
#include "os/windows/system_error.h"
#include "os/windows/udp_control.h"
#include "os/windows/udp_options.h"
#include "os/windows/unique_handle.h"
#include "os/windows/winsock.h"

namespace qdt::os {
namespace {

// The most that UDP_RECV_MAX_COALESCED_SIZE joins, and the largest UDP payload there is.
constexpr std::size_t kReceiveBytes = 65536;

// Errors that tell of an earlier send, not of this call: an ICMP message came back.
bool is_echo(int error) {
  return error == WSAECONNRESET || error == WSAENETRESET || error == WSAECONNREFUSED;
}
// So many in a row are no longer believed to be that.
constexpr int kMaxEchoes = 64;

// The errors for a control message that a system or a device does not take.
bool is_unsupported(int error) {
  return error == WSAEINVAL || error == WSAEOPNOTSUPP;
}

}  // namespace

// --- receiving ---

struct UdpReceiveBatch::Messages {
  std::unique_ptr<std::uint8_t[]> memory =
      std::make_unique_for_overwrite<std::uint8_t[]>(kMaxBursts * kReceiveBytes);
  sockaddr_storage address{};
  alignas(WSACMSGHDR) ControlBuffer control{};
};

UdpReceiveBatch::UdpReceiveBatch() : messages_(std::make_unique<Messages>()) {}
UdpReceiveBatch::~UdpReceiveBatch() = default;

// --- the socket ---

struct UdpSocket::State {
  UniqueHandle event;  // before the socket, which sets it
  UniqueSocket socket;
  int family = AF_INET6;
  SocketAddress local;
  std::uint32_t mark = 0;
  bool is_connected = false;
  bool is_blocked = false;  // the latest send was
  UdpOffloads offloads;     // in use
  bool has_ecn = false;     // marks can be sent
  bool has_lost_gro = false;
  bool tells_lost_gso = false;  // at the next send
  LPFN_WSARECVMSG receive_message = nullptr;
  Logger* logger = nullptr;
  alignas(WSACMSGHDR) ControlBuffer control{};

  Result<void> make(const Options& options);
  Result<void> connect(const SocketAddress& remote);
  void find_address();
  void reset_event();
  int send(const UdpBurst& burst, Bytes bytes);
  bool give_up_feature(const UdpBurst& burst, bool was_segmented, int error);
};

void UdpSocket::State::find_address() {
  KernelAddress address;
  address.length = sizeof address.storage;
  if (::getsockname(socket.get(), address.get(), &address.length) == 0) {
    local = from_kernel(address.get());
  }
}

Result<void> UdpSocket::State::connect(const SocketAddress& remote) {
  if (mark != 0) stay_outside(socket.get(), remote);
  const KernelAddress address = to_kernel(remote, family);
  if (::connect(socket.get(), address.get(), address.length) != 0) {
    return windows_error("reach " + remote.to_string(), static_cast<DWORD>(::WSAGetLastError()));
  }
  is_connected = true;
  return {};
}

Result<void> UdpSocket::State::make(const Options& options) {
  socket.reset(::WSASocketW(family, SOCK_DGRAM, IPPROTO_UDP, nullptr, 0,
                            WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
  const auto error = [](const char* doing) {
    return windows_error(doing, static_cast<DWORD>(::WSAGetLastError()));
  };
  if (!socket.is_open()) return error("create a UDP socket");
  u_long on = 1;
  if (::ioctlsocket(socket.get(), FIONBIO, &on) != 0) return error("create a UDP socket");

  GUID receive_id = WSAID_WSARECVMSG;
  DWORD bytes = 0;
  if (::WSAIoctl(socket.get(), SIO_GET_EXTENSION_FUNCTION_POINTER, &receive_id, sizeof receive_id,
                 &receive_message, sizeof receive_message, &bytes, nullptr, nullptr) != 0) {
    return error("find WSARecvMsg");
  }
  has_ecn = apply_udp_options(socket.get(), family, options);
  return bind_udp(socket.get(), family, options);
}

Result<UdpSocket> UdpSocket::open(const Options& options, Logger& logger) {
  if (auto ok = start_winsock(); !ok) return fail(ok);
  if (options.is_shared) {
    return fail("share UDP port " + std::to_string(options.local.port) +
                " between shards: Windows cannot; use send_workers: 1");
  }
  auto state = std::make_unique<State>();
  state->logger = &logger;
  state->mark = options.mark;
  state->event = make_event();
  if (!state->event.is_open()) return windows_error("make an event");

  const IpAddress& address = options.remote ? options.remote->address : options.local.address;
  state->family = address.is_v4() ? AF_INET : AF_INET6;
  auto made = state->make(options);
  const bool takes_either = options.local.address.is_unspecified() && !options.remote;
  if (!made && takes_either && state->family == AF_INET6) {
    // IPv6 is switched off here. If that was not it, IPv4 fails for the same reason.
    state->family = AF_INET;
    made = state->make(options);
  }
  if (!made) return fail(made);
  if (options.remote) {
    if (auto ok = state->connect(*options.remote); !ok) return fail(ok);
  }

  state->offloads = options.offloads;
  if (options.offloads.gso && !can_cut(state->socket.get(), logger)) {
    state->offloads.gso = false;
    state->tells_lost_gso = true;
  }
  if (options.offloads.gro && !join_arrivals(state->socket.get(), logger)) {
    state->offloads.gro = false;
    state->has_lost_gro = true;
  }
  if (::WSAEventSelect(state->socket.get(), state->event.get(), FD_READ | FD_WRITE) != 0) {
    return windows_error("watch a UDP socket", static_cast<DWORD>(::WSAGetLastError()));
  }
  state->find_address();
  return UdpSocket(std::move(state));
}

UdpSocket::UdpSocket(std::unique_ptr<State> state) : state_(std::move(state)) {}
UdpSocket::UdpSocket(UdpSocket&&) noexcept = default;
UdpSocket& UdpSocket::operator=(UdpSocket&&) noexcept = default;
UdpSocket::~UdpSocket() = default;

Result<void> UdpSocket::connect(const SocketAddress& remote) {
  return state_->connect(remote);
}

SocketAddress UdpSocket::local_address() const {
  return state_->local;
}
bool UdpSocket::has_lost_gro() const {
  return state_->has_lost_gro;
}
PollHandle UdpSocket::poll_handle() const {
  return to_poll_handle(state_->event.get(), PollKind::kSocket);
}

// The event is reset before the socket is read, so that what arrives meanwhile sets it again. What
// it said about writing is kept where somebody waits for that.
void UdpSocket::State::reset_event() {
  if (!is_blocked) {
    ::WSAResetEvent(event.get());
    return;
  }
  WSANETWORKEVENTS seen{};
  ::WSAEnumNetworkEvents(socket.get(), event.get(), &seen);
  if ((seen.lNetworkEvents & FD_WRITE) != 0) ::WSASetEvent(event.get());
}

void UdpSocket::receive(UdpReceiveBatch& batch) {
  State& state = *state_;
  UdpReceiveBatch::Messages& messages = *batch.messages_;
  batch.count_ = 0;
  state.reset_event();
  for (int echoes = 0; batch.count_ < UdpReceiveBatch::kMaxBursts;) {
    std::uint8_t* const memory = &messages.memory[batch.count_ * kReceiveBytes];
    WSABUF piece{.len = kReceiveBytes, .buf = reinterpret_cast<char*>(memory)};
    WSAMSG message{.name = reinterpret_cast<sockaddr*>(&messages.address),
                   .namelen = sizeof messages.address,
                   .lpBuffers = &piece,
                   .dwBufferCount = 1,
                   .Control = {.len = kControlBytes, .buf = messages.control.data()},
                   .dwFlags = 0};
    DWORD bytes = 0;
    if (state.receive_message(state.socket.get(), &message, &bytes, nullptr, nullptr) != 0) {
      const int error = ::WSAGetLastError();
      const bool may_go_on = (is_echo(error) || error == WSAEMSGSIZE) && ++echoes < kMaxEchoes;
      if (!may_go_on) return;
      continue;
    }
    if (bytes == 0) continue;
    const ReceivedControl control = read_control(message);
    UdpBurst& burst = batch.bursts_[batch.count_++];
    burst = {.path = {.local = state.local, .remote = from_kernel(message.name)},
             .ecn = control.ecn,
             .segment_bytes = control.segment_bytes > 0 ? control.segment_bytes : bytes,
             .bytes = {memory, bytes}};
    if (control.local) burst.path.local.address = *control.local;
  }
  ::WSASetEvent(state.event.get());  // there may be more
}

// --- sending ---

// Sends `bytes` of `burst`, which are one payload, or several of its segment size. 0, or the error.
int UdpSocket::State::send(const UdpBurst& burst, Bytes bytes) {
  SendControl wanted{.is_v4 = burst.path.remote.address.is_v4()};
  if (has_ecn) wanted.ecn = burst.ecn;
  // Answer from the address that was asked: a host may have several.
  const bool names_source = !is_connected && !burst.path.local.address.is_unspecified();
  if (names_source) wanted.source = burst.path.local.address;
  if (bytes.size() > burst.segment_bytes) {
    wanted.segment_bytes = static_cast<std::uint32_t>(burst.segment_bytes);
  }
  const std::size_t control_bytes = write_control(wanted, control);

  KernelAddress to;
  if (!is_connected) to = to_kernel(burst.path.remote, family);
  WSABUF piece{.len = static_cast<ULONG>(bytes.size()),
               .buf = reinterpret_cast<char*>(const_cast<std::uint8_t*>(bytes.data()))};
  WSAMSG message{.name = is_connected ? nullptr : to.get(),
                 .namelen = to.length,
                 .lpBuffers = &piece,
                 .dwBufferCount = 1,
                 .Control = {.len = static_cast<ULONG>(control_bytes),
                             .buf = control_bytes > 0 ? control.data() : nullptr},
                 .dwFlags = 0};
  DWORD sent = 0;
  for (int echoes = 0;;) {
    if (::WSASendMsg(socket.get(), &message, 0, &sent, nullptr, nullptr) == 0) return 0;
    const int error = ::WSAGetLastError();
    if (!is_echo(error) || ++echoes == kMaxEchoes) return error;
  }
}

// After `burst` was refused as unsupported: whether its first payload passes without what it was
// sent with, a mark or a stride; then that is not used any more, and the payload is sent.
bool UdpSocket::State::give_up_feature(const UdpBurst& burst, bool was_segmented, int error) {
  const bool was_marked = has_ecn && burst.ecn != Ecn::kNotEct;
  if (!was_marked && !was_segmented) return false;
  UdpBurst plain = burst;
  plain.ecn = Ecn::kNotEct;
  // A source address that has just gone is refused in the same way; then no payload passes at all.
  if (send(plain, plain.bytes.first(std::min(plain.segment_bytes, plain.bytes.size()))) != 0) {
    return false;
  }
  if (was_marked) {
    has_ecn = false;
    return true;
  }
  offloads.gso = false;
  tells_lost_gso = true;
  logger->warning("this network device refuses UDP_SEND_MSG_SIZE (" +
                  windows_text(static_cast<DWORD>(error)) +
                  "); payloads are sent one by one, which is slower");
  return true;
}

UdpSocket::SendResult UdpSocket::send(UdpSendQueue& queue) {
  State& state = *state_;
  SendResult result;
  state.is_blocked = false;
  while (!queue.empty()) {
    UdpBurst& burst = queue.bursts().front();
    const std::size_t whole = burst.bytes.size();
    const std::size_t alone = std::min(burst.segment_bytes, whole);
    std::size_t bytes = state.offloads.gso ? whole : alone;
    int error = state.send(burst, burst.bytes.first(bytes));
    if (error == WSAEWOULDBLOCK) {
      state.is_blocked = true;
      break;
    }
    if (is_unsupported(error) && state.give_up_feature(burst, bytes > alone, error)) {
      bytes = alone;
      error = 0;
    }
    const std::size_t payloads = (bytes + burst.segment_bytes - 1) / burst.segment_bytes;
    if (error == 0) {
      result.sent_payloads += payloads;
      ++result.calls;
    } else {
      // WSAEMSGSIZE is how a path MTU probe fails; no route, a firewall: QUIC sees a loss.
      result.refused_payloads += payloads;
    }
    burst.bytes = burst.bytes.subspan(bytes);
    if (burst.bytes.empty()) queue.pop(1);
  }
  result.is_blocked = state.is_blocked;
  result.has_lost_gso = std::exchange(state.tells_lost_gso, false);
  return result;
}

}  // namespace qdt::os
