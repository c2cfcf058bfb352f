#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace qdt::linkem {

/// A frame as the kernel gives and takes it: with its virtio header, so that a checksum that was
/// left to the hardware stays so.
using Frame = std::vector<std::uint8_t>;

/// A network interface from which every frame is taken that comes in, and by which any is sent
/// (AF_PACKET). Errors end the program: it has nothing to save.
class Port {
 public:
  explicit Port(const std::string& interface);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  int descriptor() const { return descriptor_; }
  /// Appends the frames that wait, some dozens at most; false when none did.
  bool receive(std::vector<Frame>& frames);
  /// Packets that the kernel does not take are lost.
  void send(std::span<const Frame> frames);

  /// The bytes of the IP packet in a frame, and of any other payload.
  static std::size_t packet_bytes(const Frame& frame);

 private:
  int descriptor_;
};

}  // namespace qdt::linkem
