// A super-packet behind its virtio header, as a kernel or something worse would hand it over: what
// is cut from it are packets, all of its payload and nothing else.

#include "wire/segmenter.h"

#include <cstdlib>
#include <vector>

#include "wire/ip_packet.h"
#include "wire/transport.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  if (size < 10 || size > 10 + kMaxPacketBytes) return 0;
  const auto number = [data](std::size_t at) { return load_be<std::uint16_t>(data + at); };
  std::vector<std::uint8_t> bytes(data + 10, data + size);
  const Offload offload{.kind = Offload::Kind{static_cast<std::uint8_t>(data[1] % 5)},
                        .needs_checksum = (data[0] & 1) != 0,
                        .segment_bytes = number(4),
                        .header_bytes = number(2),
                        .checksum_start = number(6),
                        .checksum_offset = number(8)};
  wire::Segmenter segmenter;
  static PacketBatch batch;
  if (segmenter.begin({bytes, offload})) return 0;

  const bool is_super = offload.kind != Offload::Kind::kNone;
  std::size_t payload_bytes = 0;
  for (bool is_more = true; is_more;) {
    is_more = segmenter.next(batch);
    if (batch.empty()) std::abort();
    for (const Bytes packet : batch) {
      if (!is_super) continue;
      const auto ip = wire::parse_ip_packet(packet);
      const auto transport = ip ? wire::find_transport(*ip) : std::nullopt;
      if (!transport) std::abort();
      payload_bytes += packet.size() - transport->header_bytes;
    }
    batch.clear();
  }
  if (!is_super) return 0;
  const auto transport = wire::find_transport(*wire::parse_ip_packet(bytes));
  if (payload_bytes != bytes.size() - transport->header_bytes) std::abort();
  return 0;
}
