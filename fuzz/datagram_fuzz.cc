// Opening a datagram: any bytes, and bytes behind a valid header.

#include "wire/datagram.h"

#include <array>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  static std::array<std::uint8_t, 65536> out;
  wire::DatagramOpener opener(0x0102030405060708, {});
  const Bytes input(data, std::min(size, out.size()));
  (void)opener.open(input, out);

  std::vector<std::uint8_t> with_header(input.begin(), input.end());
  if (with_header.size() < wire::kDatagramHeaderBytes) return 0;
  wire::write_datagram_header(with_header, {.session_id = 0x0102030405060708});
  (void)opener.open(with_header, out);
  return 0;
}
