// A wintun.dll for tests: the real exports (wintun.h 0.14, as far as os/windows/wintun.h uses
// them), without a driver. Its rings end in a UDP socket of 127.0.0.1, whose other end
// (tun_peer.py) hands the packets to a TUN device of Linux, where they are real ones.
//
// QDT_STAND_IN_PORT: the peer's port, 45454 where nobody says so, as to a service. Each datagram is
// one byte and a piece of a packet: 1 when more of the packet follows, 0 when this was all (a
// packet may be larger than a datagram).

// clang-format off
#include <winsock2.h>
#include <windows.h>
#include <ifdef.h>
// clang-format on

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "stand_in_network.h"

namespace {

constexpr int kDefaultPort = 45454;
constexpr std::size_t kMaxPieceBytes = 60'000;
constexpr std::size_t kMaxPacketBytes = 0xffff;  // WINTUN_MAX_IP_PACKET_SIZE
constexpr DWORD kMinRingBytes = 0x20000;
constexpr DWORD kMaxRingBytes = 0x4000000;

struct Packet {
  explicit Packet(std::size_t size) : bytes(size) {}
  std::vector<std::uint8_t> bytes;
  bool is_done = false;  // released by its reader, or filled by its writer
};
using Packets = std::deque<std::unique_ptr<Packet>>;

Packet* find(Packets& packets, const std::uint8_t* bytes) {
  for (auto& packet : packets) {
    if (packet->bytes.data() == bytes) return packet.get();
  }
  std::abort();  // no packet of this ring: a fault of the caller's
}

}  // namespace

struct WintunAdapter {
  SOCKET socket = INVALID_SOCKET;
};

struct WintunSession {
  WintunAdapter* adapter = nullptr;
  std::size_t ring_bytes = 0;
  HANDLE readable = nullptr;  // resets itself, as Wintun's does
  std::mutex mutex;
  Packets arrived;  // by the peer; the first `lent` of them are the reader's
  std::size_t lent = 0;
  std::size_t arrived_bytes = 0;
  Packets departing;  // in the order of their allocation
  std::size_t departing_bytes = 0;
  std::atomic<bool> is_ending = false;
  std::thread receiver;

  void receive();
  void flush();
};

// A packet that does not fit is lost, as with the driver.
void WintunSession::receive() {
  std::vector<std::uint8_t> piece(65536);
  std::vector<std::uint8_t> packet;
  while (!is_ending) {
    const int bytes = ::recv(adapter->socket, reinterpret_cast<char*>(piece.data()),
                             static_cast<int>(piece.size()), 0);
    if (bytes < 1) continue;  // it looks every 100 ms whether it is to end
    packet.insert(packet.end(), piece.begin() + 1, piece.begin() + bytes);
    if (piece[0] == 1) continue;
    const std::lock_guard lock(mutex);
    if (!packet.empty() && arrived_bytes + packet.size() <= ring_bytes) {
      arrived_bytes += packet.size();
      arrived.push_back(std::make_unique<Packet>(0));
      arrived.back()->bytes.swap(packet);
      ::SetEvent(readable);
    }
    packet.clear();
  }
}

// Everything that is filled, up to the first that is not.
void WintunSession::flush() {
  std::vector<char> piece(kMaxPieceBytes + 1);
  while (!departing.empty() && departing.front()->is_done) {
    const std::vector<std::uint8_t>& bytes = departing.front()->bytes;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = std::min(kMaxPieceBytes, bytes.size() - at);
      piece[0] = at + size < bytes.size() ? 1 : 0;
      std::memcpy(piece.data() + 1, bytes.data() + at, size);
      ::send(adapter->socket, piece.data(), static_cast<int>(size + 1), 0);
      at += size;
    }
    departing_bytes -= bytes.size();
    departing.pop_front();
  }
}

extern "C" {

__declspec(dllexport) WintunAdapter* WINAPI WintunCreateAdapter(const wchar_t* name,
                                                                const wchar_t* /*tunnel_type*/,
                                                                const GUID* /*requested*/) {
  const char* const port = std::getenv("QDT_STAND_IN_PORT");
  WSADATA found{};
  if (const int error = ::WSAStartup(MAKEWORD(2, 2), &found); error != 0) {
    ::SetLastError(static_cast<DWORD>(error));
    return nullptr;
  }
  auto adapter = std::make_unique<WintunAdapter>();
  adapter->socket = ::socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port =
      htons(static_cast<std::uint16_t>(port == nullptr ? kDefaultPort : std::atoi(port)));
  peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int buffer = 7 << 20;
  const DWORD timeout_milliseconds = 100;
  ::setsockopt(adapter->socket, SOL_SOCKET, SO_RCVBUF, reinterpret_cast<const char*>(&buffer),
               sizeof buffer);
  ::setsockopt(adapter->socket, SOL_SOCKET, SO_RCVTIMEO,
               reinterpret_cast<const char*>(&timeout_milliseconds), sizeof timeout_milliseconds);
  const char hello = 0;
  if (::connect(adapter->socket, reinterpret_cast<sockaddr*>(&peer), sizeof peer) != 0 ||
      ::send(adapter->socket, &hello, 1, 0) != 1) {
    ::SetLastError(ERROR_GEN_FAILURE);
    return nullptr;
  }
  // The program calls into this library in place of Windows' until it ends.
  HMODULE self = nullptr;
  ::GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                       reinterpret_cast<const wchar_t*>(&WintunCreateAdapter), &self);
  install_stand_in_network(name);
  return adapter.release();
}

__declspec(dllexport) WintunAdapter* WINAPI WintunOpenAdapter(const wchar_t* /*name*/) {
  ::SetLastError(ERROR_FILE_NOT_FOUND);
  return nullptr;
}

__declspec(dllexport) void WINAPI WintunCloseAdapter(WintunAdapter* adapter) {
  if (adapter == nullptr) return;
  ::closesocket(adapter->socket);
  delete adapter;
}

__declspec(dllexport) BOOL WINAPI WintunDeleteDriver() {
  return TRUE;
}

__declspec(dllexport) void WINAPI WintunGetAdapterLUID(WintunAdapter* /*adapter*/, NET_LUID* luid) {
  luid->Value = kStandInLuid;
}

__declspec(dllexport) DWORD WINAPI WintunGetRunningDriverVersion() {
  return 14;  // 0.14
}

__declspec(dllexport) void WINAPI WintunSetLogger(void* /*logger*/) {}

__declspec(dllexport) WintunSession* WINAPI WintunStartSession(WintunAdapter* adapter,
                                                               DWORD ring_bytes) {
  const bool is_power_of_two = (ring_bytes & (ring_bytes - 1)) == 0;
  if (ring_bytes < kMinRingBytes || ring_bytes > kMaxRingBytes || !is_power_of_two) {
    ::SetLastError(ERROR_INVALID_PARAMETER);
    return nullptr;
  }
  auto session = std::make_unique<WintunSession>();
  session->adapter = adapter;
  session->ring_bytes = ring_bytes;
  session->readable = ::CreateEventW(nullptr, FALSE, FALSE, nullptr);
  session->receiver = std::thread([started = session.get()] { started->receive(); });
  return session.release();
}

__declspec(dllexport) void WINAPI WintunEndSession(WintunSession* session) {
  session->is_ending = true;
  session->receiver.join();
  ::CloseHandle(session->readable);
  delete session;
}

__declspec(dllexport) HANDLE WINAPI WintunGetReadWaitEvent(WintunSession* session) {
  return session->readable;
}

__declspec(dllexport) std::uint8_t* WINAPI WintunReceivePacket(WintunSession* session,
                                                               DWORD* bytes) {
  const std::lock_guard lock(session->mutex);
  if (session->lent == session->arrived.size()) {
    ::SetLastError(ERROR_NO_MORE_ITEMS);
    return nullptr;
  }
  Packet& packet = *session->arrived[session->lent++];
  *bytes = static_cast<DWORD>(packet.bytes.size());
  return packet.bytes.data();
}

__declspec(dllexport) void WINAPI WintunReleaseReceivePacket(WintunSession* session,
                                                             const std::uint8_t* bytes) {
  const std::lock_guard lock(session->mutex);
  find(session->arrived, bytes)->is_done = true;
  while (!session->arrived.empty() && session->arrived.front()->is_done) {
    session->arrived_bytes -= session->arrived.front()->bytes.size();
    session->arrived.pop_front();
    --session->lent;
  }
}

__declspec(dllexport) std::uint8_t* WINAPI WintunAllocateSendPacket(WintunSession* session,
                                                                    DWORD bytes) {
  if (bytes == 0 || bytes > kMaxPacketBytes) {
    ::SetLastError(ERROR_INVALID_PARAMETER);
    return nullptr;
  }
  const std::lock_guard lock(session->mutex);
  if (session->departing_bytes + bytes > session->ring_bytes) {
    ::SetLastError(ERROR_BUFFER_OVERFLOW);
    return nullptr;
  }
  session->departing_bytes += bytes;
  session->departing.push_back(std::make_unique<Packet>(bytes));
  return session->departing.back()->bytes.data();
}

__declspec(dllexport) void WINAPI WintunSendPacket(WintunSession* session,
                                                   const std::uint8_t* bytes) {
  const std::lock_guard lock(session->mutex);
  find(session->departing, bytes)->is_done = true;
  session->flush();
}

}  // extern "C"
