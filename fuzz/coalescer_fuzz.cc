// A batch of packets, each behind a two-byte length: joined and cut again there are as many, with
// as many bytes; and what was joined is something that the segmenter takes.

#include "wire/coalescer.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "wire/segmenter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  static PacketBatch batch;
  static PacketBatch again;
  static wire::Coalescer coalescer({});
  batch.clear();
  std::size_t bytes = 0;
  for (Bytes rest(data, size); rest.size() > 2;) {
    const std::size_t length =
        std::min<std::size_t>(load_be<std::uint16_t>(rest.data()), rest.size() - 2);
    if (!batch.has_room(length)) break;
    batch.push(rest.subspan(2, length));
    bytes += length;
    rest = rest.subspan(2 + length);
  }

  std::size_t packet_count = 0;
  for (const GatheredPacket& item : coalescer.join(batch)) {
    std::vector<std::uint8_t> super(item.first.begin(), item.first.end());
    for (const Bytes payload : item.payloads) {
      super.insert(super.end(), payload.begin(), payload.end());
    }
    wire::Segmenter segmenter;
    if (segmenter.begin({super, item.offload})) std::abort();
    for (bool is_more = true; is_more;) {
      is_more = segmenter.next(again);
      packet_count += again.size();
      for (const Bytes packet : again) bytes -= packet.size();
      again.clear();
    }
  }
  if (packet_count != batch.size() || bytes != 0) std::abort();
  return 0;
}
